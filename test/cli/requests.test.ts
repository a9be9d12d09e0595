import { resolve } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { StepbackClient } from '../../src/client.js'
import { runCommandLine } from '../../src/cli/program.js'
import { person } from '../../src/cli/person.js'
import { silentIo } from './support.js'

const started = vi.fn()
const answered = vi.fn()

beforeEach(() => {
  const outcome = { outcome: 'Refused', message: 'no' }
  const fake = {
    namespace: 'default',
    startDeploy: async (request: object) => (started(request), 'run'),
    startRollback: async (request: object) => (started(request), 'run'),
    startEmergency: async (request: object) => (started(request), 'run'),
    startBackup: async (request: object) => (started(request), 'run'),
    approve: async (run: string, answer: object) => (answered(run, answer), { how: 'update', text: 'approved' }),
    resolve: async (run: string, answer: object) => (answered(run, answer), { how: 'update', text: 'retry' }),
    follow: async function* () {},
    result: async () => outcome,
    close: async () => {},
  }
  vi.spyOn(StepbackClient, 'connect').mockResolvedValue(fake as unknown as StepbackClient)
})

afterEach(() => {
  vi.restoreAllMocks()
  started.mockReset()
  answered.mockReset()
})

test('every key of a deploy is an option', async () => {
  await runCommandLine(
    'deploy aria --version 2.1.0 --release rel --migrate-to none --approval always --hotfix --redeploy --may-lose-rows 7 --reason why --requested-by ada --dry-run'.split(
      ' ',
    ),
    silentIo(),
  )
  expect(started).toHaveBeenCalledWith({
    target: 'aria',
    version: '2.1.0',
    release: resolve('rel'),
    migrateTo: 'none',
    approval: 'always',
    hotfix: true,
    redeploy: true,
    mayLoseRows: 7,
    reason: 'why',
    requestedBy: 'ada',
    dryRun: true,
  })
})

test('every key of a rollback is an option', async () => {
  await runCommandLine(
    'rollback aria --scope database --to -1 --services a,b --services c --strategy migrate --secrets restore --carry-forward x,y --approval never --severity failure --reason why --requested-by ada --dry-run'.split(
      ' ',
    ),
    silentIo(),
  )
  expect(started).toHaveBeenCalledWith({
    target: 'aria',
    scope: 'database',
    to: '-1',
    services: ['a', 'b', 'c'],
    strategy: 'migrate',
    secrets: 'restore',
    carryForward: ['x', 'y'],
    approval: 'never',
    severity: 'failure',
    reason: 'why',
    requestedBy: 'ada',
    dryRun: true,
  })
})

test('a target alone is a request, and says who asks', async () => {
  await runCommandLine(['rollback', 'aria'], silentIo())
  expect(started).toHaveBeenCalledWith({ target: 'aria', requestedBy: person() })
})

test('every key of an emergency is an option, and it starts nothing without a reason', async () => {
  const words = 'emergency aria disk-full --severity failure --requested-by ada --dry-run'.split(' ')
  expect(await runCommandLine(words, silentIo())).toBe(2)
  expect(await runCommandLine(['emergency', 'aria', 'nosuch', '--reason', 'why'], silentIo())).toBe(2)
  expect(started).not.toHaveBeenCalled()
  await runCommandLine([...words, '--reason', 'why', '--json'], silentIo())
  const asked = { target: 'aria', procedure: 'disk-full', severity: 'failure', reason: 'why' }
  expect(started).toHaveBeenCalledWith({ ...asked, requestedBy: 'ada', dryRun: true })
})

test('all tables are carried forward by one word', async () => {
  await runCommandLine(['rollback', 'aria', '--carry-forward', 'all'], silentIo())
  expect(started).toHaveBeenCalledWith(expect.objectContaining({ carryForward: 'all' }))
})

test('a request that cannot be read starts nothing and exits with 2', async () => {
  const io = silentIo()
  expect(await runCommandLine(['deploy', 'aria', '--version', '../2'], io)).toBe(2)
  expect(io.said.join('\n')).toContain('version: "../2": expected a version')
  expect(started).not.toHaveBeenCalled()
})

test('a hotfix without a reason starts nothing', async () => {
  expect(await runCommandLine(['deploy', 'aria', '--version', '2', '--hotfix'], silentIo())).toBe(2)
  expect(started).not.toHaveBeenCalled()
})

test.each([[['deploy', 'aria']], [['rollback']], [['nosuch']], [['rollback', 'aria', '--scope', 'all']], [[]]])(
  'the usage error %j exits with 2',
  async (argv) => {
    expect(await runCommandLine(argv, silentIo())).toBe(2)
  },
)

test("the program's version is not a deploy's", async () => {
  const io = silentIo()
  expect(await runCommandLine(['--version'], io)).toBe(0)
  expect(io.printed[0]).toMatch(/^\d+\.\d+\.\d+/)
})

test('an approval names who, which plan and why', async () => {
  await runCommandLine(['approve', 'run-1', '--by', 'ada', '--digest', '3fa94c21', '--comment', 'ok'], silentIo())
  expect(answered).toHaveBeenCalledWith('run-1', { by: 'ada', digest: '3fa94c21', comment: 'ok' })
})

test('a resolution needs an action', async () => {
  expect(await runCommandLine(['resolve', 'run-1', '--by', 'ada'], silentIo())).toBe(2)
  expect(await runCommandLine(['resolve', 'run-1', '--by', 'ada', '--action', 'retry'], silentIo())).toBe(0)
  expect(answered).toHaveBeenCalledWith('run-1', { by: 'ada', action: 'retry' })
})

test('with --json, behind the command or before it, the result goes to standard output', async () => {
  for (const argv of [
    ['rollback', 'aria', '--json'],
    ['--json', 'rollback', 'aria'],
  ]) {
    const io = silentIo()
    expect(await runCommandLine(argv, io)).toBe(3)
    expect(JSON.parse(io.printed.join(''))).toMatchObject({ run: 'run', outcome: 'Refused', message: 'no' })
  }
})

test('the help of every command shows an example', async () => {
  const commands = ['worker', 'doctor', 'deploy', 'rollback', 'approve', 'reject', 'resolve', 'watch', 'status']
  for (const argv of [
    ...commands.map((it) => [it]),
    ...['up', 'down', 'status', 'break', 'mend'].map((it) => ['sandbox', it]),
  ]) {
    const io = silentIo()
    expect(await runCommandLine([...argv, '--help'], io)).toBe(0)
    expect(io.printed.join('\n')).toContain(`$ stepback ${argv.join(' ')}`)
  }
})

test('what is done to restore points is a word, and each key of a backup an option', async () => {
  const ask = (words: string) => runCommandLine(`restore-points aria ${words}`.split(' '), silentIo())
  await ask('pin 20261123T140211Z-2.0.0 --reason why --requested-by ada --dry-run')
  const asked = { target: 'aria', reason: 'why', requestedBy: 'ada', dryRun: true }
  expect(started).toHaveBeenLastCalledWith({ ...asked, what: 'pin', id: '20261123T140211Z-2.0.0' })
  await ask('take --no-prove --requested-by ada')
  expect(started).toHaveBeenLastCalledWith({ target: 'aria', what: 'restore-point', prove: false, requestedBy: 'ada' })
  started.mockReset()
  expect(await ask('pin')).toBe(2)
  expect(await ask('prune 20261123T140211Z-2.0.0')).toBe(2)
  expect(await ask('remove')).toBe(2)
  expect(started).not.toHaveBeenCalled()
})
