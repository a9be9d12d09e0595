// What happens to the database: to its server, its sessions, its container.

import { type Fault, nothingToMend } from '../fault.js'
import type { Ground } from '../ground.js'
import { withClient } from '../look.js'
import { attempt, run } from '../../sandbox/run.js'
import { compose, projectFilter } from '../../sandbox/stack.js'

export const databaseFaults: readonly Fault[] = [
  {
    name: 'database killed',
    about: 'its server ends at once (`immediate`, or `kill -9`), and Docker starts it again',
    lasts: 'moment',
    async inject({ ground }, random) {
      const pid = Number(await ofDatabase(ground, ['inspect', '--format', '{{.State.Pid}}']))
      if (!(pid > 1)) return undefined
      process.kill(pid, random.pick(['SIGQUIT', 'SIGKILL'] as const))
      return nothingToMend
    },
  },
  {
    name: 'database sessions ended',
    about: 'every session of the server is terminated',
    lasts: 'moment',
    async inject({ ground }) {
      const ending = 'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()'
      await withClient(ground.sandbox.database.replace(/[^/]*$/, 'postgres'), (client) => client.query(ending))
      return nothingToMend
    },
  },
  {
    name: 'database container removed',
    about: '`docker rm --force` of its container, its volume left; a person makes it anew later',
    lasts: 'while',
    async inject({ ground }) {
      await ofDatabase(ground, ['rm', '--force'])
      const { paths, env } = ground.session
      return async () => {
        await compose(paths, env, ['up', '--detach', '--no-deps', '--no-recreate', '--wait', 'aria-db'])
      }
    },
  },
]

/** A command of Docker's on its container; nothing where there is none. */
async function ofDatabase({ session: { env, paths } }: Ground, words: readonly string[]): Promise<string> {
  const filters = [projectFilter(paths), 'label=com.docker.compose.service=aria-db'].flatMap((it) => ['--filter', it])
  const container = (await run(['docker', 'ps', '--all', '--quiet', ...filters], { env })).stdout.trim()
  if (container === '') return ''
  return (await attempt(['docker', ...words, container], { env })).stdout.trim()
}
