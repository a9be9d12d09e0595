// A user who is not root, in a directory whose name is a trap for whoever forgets to quote.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Host } from '../../src/adapters/host.js'
import { writablePlaces } from '../../src/commands/observe.js'
import { find } from '../support/sshd.js'
import { type Login, startLogin } from '../support/login.js'
import { take } from './ground.js'

describe.each(['bash', 'dash'])('a user who is not root, with %s as login shell', (shell) => {
  let login: Login
  beforeAll(async () => {
    login = await startLogin({ shell: find(shell, shell) })
  })
  afterAll(() => login.stop())

  test('is told where it may not write', async () => {
    const connection = await login.connect()
    const host = new Host({ ssh: async () => connection, stateDirectory: join(login.home, 'none/.stepback/shop') })
    const told = async (directory: string, backups: string) => {
      const places = { directory, backups, stateDirectory: `${backups}/.stepback/shop` }
      return (await host.look({ script: writablePlaces(places) })).stdout
    }
    expect(await told(login.home, join(login.home, 'none'))).toBe('directory\nbackups\n')
    expect(await told('/', '/none')).toBe('')
    expect(existsSync(join(login.home, 'none'))).toBe(false)
  })

  test.each(['with spaces', `it's "a" $(dir) \\ of größe!`])(
    'takes the lease, runs jobs, writes the ledger and fills the staging directory below "%s"',
    async (name) => {
      const connection = await login.connect()
      const directory = join(login.home, name)
      const stateDirectory = join(directory, '.stepback/shop')
      const host = new Host({ ssh: async () => connection, stateDirectory })
      expect(await host.linksExclusively()).toBe(true)
      const token = await take(host, 'run-1')
      const ended = await host.runJob({ id: 'run-1.step.do.1', token, script: 'id -u; exit 3\n' })
      expect(ended).toMatchObject({ exitCode: 3 })
      expect(readFileSync(join(stateDirectory, 'jobs/run-1.step.do.1/out.1'), 'utf8')).toBe(`${login.uid}\n`)
      await host.appendLedger({ token, id: 'entry', entry: { kind: 'begun' } })
      expect(await host.readLedger()).toHaveLength(1)
      writeFileSync(join(login.home, '../local'), 'content')
      const remotePath = join(stateDirectory, 'staging/run 1/a b')
      await connection.upload({ localPath: join(login.home, '../local'), remotePath, mode: 0o640 })
      const { uid, gid, mode } = statSync(remotePath)
      expect([uid, gid, mode & 0o777]).toEqual([login.uid, login.gid, 0o640])
      expect(statSync(stateDirectory).mode & 0o777).toBe(0o700)
      await host.release({
        token,
        holder: { workflowId: 'deploy-run-1', runId: 'run-1', namespace: 'default', kind: 'deploy' },
      })
    },
  )
})
