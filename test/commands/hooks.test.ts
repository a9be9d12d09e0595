import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { missingPrograms, runHook } from '../../src/commands/hooks.js'

const directory = join(mkdtempSync(join(tmpdir(), 'stepback-hook-')), "it's a stack")
spawnSync('mkdir', [directory])
afterAll(() => rmSync(join(directory, '..'), { recursive: true }))

function run(argv: readonly string[], timeoutSeconds = 30) {
  const script = runHook({ directory, target: 'shop', version: '2.1.0', argv, timeout: '1s', timeoutSeconds })
  // As a job's: in a group of its own, whose rest is ended when the script is, and nobody else with it.
  const whole = `${script.trimEnd()}\ns=$?; trap '' TERM; kill 0; exit $s`
  return spawnSync('setsid', ['--wait', 'sh', '-c', whole], {
    encoding: 'utf8',
    timeout: 20_000,
    killSignal: 'SIGKILL',
  })
}

describe('a hook on the host', () => {
  test('runs in the project directory with its words as they are, and knows target and version', () => {
    const words = ['printf', '%s|', '$HOME', "it's", '"a b"', 'é']
    expect(run(words)).toMatchObject({ status: 0, stdout: `$HOME|it's|"a b"|é|` })
    const told = run(['sh', '-c', 'pwd; echo $STEPBACK_TARGET $STEPBACK_VERSION'])
    expect(told.stdout).toBe(`${directory}\nshop 2.1.0\n`)
  })

  test('fails with the exit status of its program', () => {
    expect(run(['sh', '-c', 'exit 7']).status).toBe(7)
    expect(run(['no-such-program']).status).toBe(127)
  })

  test('is a program: neither an assignment nor a word of the shell', () => {
    expect(run(['A=b', 'true']).status).toBe(127)
    expect(run(['exit', '0']).status).toBe(127)
  })

  test('that takes too long is ended, and says so', () => {
    const late = run(['sleep', '30'], 1)
    expect(late.status).toBe(143)
    expect(late.stderr).toContain('stepback: it ran longer than 1s')
  })
})

test('programs that are not there are named, once looked for in the project directory', () => {
  const script = missingPrograms(directory, ['sh', 'no-such program', '/no/such'])
  expect(spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stdout).toBe('no-such program\n/no/such\n')
})
