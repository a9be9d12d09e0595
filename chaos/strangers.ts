// Containers, sessions and processes that nobody owns when no run is under way.

import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { attempt } from '../sandbox/run.js'
import type { Ground } from './ground.js'
import { withClient } from './look.js'

export async function strangers(ground: Ground): Promise<string[]> {
  const [containers, sessions] = await Promise.all([strangeContainers(ground), openSessions(ground)])
  return [...containers, ...sessions, ...processesOfJobs(ground.state)]
}

/** On an engine of the sandbox's own every container is one of the stack's services. */
async function strangeContainers({ session, hasOwnEngine }: Ground): Promise<string[]> {
  if (!hasOwnEngine) return []
  const { env, paths } = session
  const label = (name: string) => `{{.Label "com.docker.compose.${name}"}}`
  const format = `${label('project')}\t${label('oneoff')}\t{{.Names}}`
  const { stdout } = await attempt(['docker', 'ps', '--all', '--format', format], { env })
  const rows = stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')]))
  return rows
    .filter(([project, oneoff]) => project !== paths.project || oneoff === 'True')
    .map(([, , name]) => `container ${name}`)
}

/** Of stepback's on the database, through a tunnel or from a job. */
async function openSessions({ sandbox }: Ground): Promise<string[]> {
  try {
    return await withClient(sandbox.database.replace(/[^/]*$/, 'postgres'), async (client) => {
      const { rows } = await client.query<{ application_name: string }>(
        `select application_name from pg_stat_activity where application_name like 'stepback:%'`,
      )
      return rows.map((row) => `session ${row.application_name}`)
    })
  } catch (error) {
    return [`sessions cannot be listed: ${(error as Error).message}`]
  }
}

/** What a job started carries the job's name in its environment, whatever it calls itself and wherever it went. */
export function processesOfJobs(state: string): string[] {
  const jobs = new Set(readdirSync(join(state, 'jobs')))
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      const job = /(?:^|\0)STEPBACK_JOB=([^\0/]*)/.exec(read(`/proc/${pid}/environ`))?.[1]
      return job !== undefined && jobs.has(job) ? [`process ${pid} of job ${job}`] : []
    })
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // it ended meanwhile
  }
}
