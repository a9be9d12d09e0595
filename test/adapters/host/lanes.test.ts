import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Lane } from '../../../src/adapters/host/lane.js'
import { execInLane } from '../../../src/adapters/host/lanes.js'
import type { SshConnection } from '../../../src/adapters/ssh.js'
import { laneCall } from '../../../src/commands/lane.js'
import { StepbackError } from '../../../src/plan/failure.js'
import { quote } from '../../../src/commands/shell.js'
import { kill, until } from '../../host/ground.js'
import { startSshd } from '../../support/sshd.js'
import type { Sshd } from '../../support/sshd.js'

let sshd: Sshd
beforeAll(async () => {
  sshd = await startSshd()
})
afterAll(() => sshd.stop())

const shells = ['dash', 'bash', 'busybox sh']
const inside = (ssh: SshConnection, shell: string) => async (command: string, stdin?: string) => {
  const result = await execInLane(ssh, shell, { command, stdin: stdin === undefined ? undefined : Buffer.from(stdin) })
  return { exitCode: result.exitCode, stdout: result.stdout.toString(), stderr: result.stderr.toString() }
}

describe.each(shells)('a lane of %s', (shell) => {
  test('gives each call its own answer, and stays one shell', async () => {
    const exec = inside(await sshd.connect(), shell)
    const first = await exec('printf out; printf err >&2; exit 3')
    expect(first).toEqual({ exitCode: 3, stdout: 'out', stderr: 'err' })
    const parents = [await exec('echo $PPID $$'), await exec('exec sh -c "echo \\$PPID"'), await exec('echo $PPID $$')]
    expect(parents[0]).toEqual(parents[2])
    expect(parents[0]!.stdout.trim().split(' ')).toContain(parents[1]!.stdout.trim())
  })

  test('never runs what a call left of its payload', async () => {
    const exec = inside(await sshd.connect(), shell)
    const file = join(sshd.directory, `astray-${shell.replace(' ', '-')}`)
    const payload = `line\ntouch ${quote(file)}\n${'x'.repeat(200_000)}\ntouch ${quote(file)}\n`
    expect(await exec('exit 0', payload)).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    expect(await exec('IFS= read -r l; echo "$l"', payload)).toMatchObject({ exitCode: 0, stdout: 'line\n' })
    expect(await exec('cat', payload)).toMatchObject({ stdout: payload })
    expect(existsSync(file)).toBe(false)
  })

  test('that died is not the answer of the call in it, and the next call has another', async () => {
    const exec = inside(await sshd.connect(), shell)
    await expect(exec('kill -KILL $$')).rejects.toThrow(StepbackError)
    expect(await exec('echo again')).toMatchObject({ stdout: 'again\n' })
  })

  test('hears the end of a call that was killed, whatever that left goes on to say, and says none of it to the next', async () => {
    const exec = inside(await sshd.connect(), shell)
    const noisy = 'yes late | head -c 3000000 & yes late | head -c 3000000 >&2 & kill -KILL $$'
    expect(await exec(`exec sh -c ${quote(noisy)}`)).toMatchObject({ exitCode: 137 })
    expect(await exec('echo on')).toEqual({ exitCode: 0, stdout: 'on\n', stderr: '' })
  })

  test('is left with the call that is aborted', async () => {
    const ssh = await sshd.connect()
    const file = join(sshd.directory, `pid-${shell.replace(' ', '-')}`)
    const cancel = new AbortController()
    const hanging = execInLane(ssh, shell, {
      command: `exec sh -c 'echo $$ >${file}.new; mv ${file}.new ${file}; exec sleep 600'`,
      signal: cancel.signal,
    })
    await until(() => existsSync(file))
    cancel.abort(new Error('no more'))
    await expect(hanging).rejects.toThrow('no more')
    expect(await inside(ssh, shell)('echo on')).toMatchObject({ stdout: 'on\n' })
    // sshd passes no signal on where it runs as the same user, so the command may have stayed.
    kill(Number(readFileSync(file, 'utf8')))
  })
})

test('a host that cannot part a job from its channel gets no lane, and answers all the same', async () => {
  const ssh = await sshd.connect()
  const shell = 'env STEPBACK_WITHOUT=setsid,perl,python3 dash'
  expect(await Lane.open(ssh, shell)).toBeUndefined()
  expect(await inside(ssh, shell)('cat', 'as ever')).toMatchObject({ exitCode: 0, stdout: 'as ever' })
})

test('more calls at once than there are lanes are answered all the same, also while each lane is held', async () => {
  const exec = inside(await sshd.connect(), 'sh')
  const file = join(sshd.directory, 'go-on')
  const held = Array.from({ length: 6 }, () => exec(`while [ ! -e ${file} ]; do sleep 0.02; done; echo held`))
  const more = await Promise.all([exec('echo more'), exec('echo more')])
  expect(more.map((it) => it.stdout)).toEqual(['more\n', 'more\n'])
  const last = Array.from({ length: 8 }, (_, index) => exec(`echo ${index}`))
  expect(await exec(`touch ${file}`)).toMatchObject({ exitCode: 0 })
  expect((await Promise.all(held)).map((it) => it.stdout)).toEqual(Array.from({ length: 6 }, () => 'held\n'))
  expect((await Promise.all(last)).map((it) => it.stdout)).toEqual(last.map((_, index) => `${index}\n`))
})

test('the end of the connection is the end of a call in a lane', async () => {
  const ssh = await sshd.connect()
  const exec = inside(ssh, 'sh')
  await exec('true')
  const hanging = exec('sleep 600 & wait')
  setTimeout(() => ssh.destroy(), 50)
  await expect(hanging).rejects.toMatchObject({ type: 'Unreachable' })
})

test('the exec string of a lane is read alike by every login shell', () => {
  const inner = /-c '(.*)' stepback n0$/s.exec(laneCall({ shell: '/bin/sh', nonce: 'n0' }))?.[1]
  expect(inner).not.toMatch(/['!\\\n]/)
})
