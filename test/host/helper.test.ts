import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { answerOf, helperCall, installCall } from '../../src/commands/helper.js'
import { helper } from '../../src/adapters/host/helper.js'

const call = (stateDirectory: string) =>
  helperCall({ stateDirectory, helper: 'helper-1.sh', shell: '/bin/sh', nonce: 'n0', words: ['wait', 'job.1', 7] })

describe('the exec string of a call', () => {
  test('is plain words for a plain path', () => {
    expect(call('/srv/backups/.stepback/aria')).toBe(
      'exec /bin/sh /srv/backups/.stepback/aria/helper-1.sh /srv/backups/.stepback/aria /bin/sh n0 wait job.1 7',
    )
  })

  test('quotes what every login shell reads alike', () => {
    expect(call('/srv/my "bäckups" $x')).toBe(
      `exec /bin/sh '/srv/my "bäckups" $x/helper-1.sh' '/srv/my "bäckups" $x' /bin/sh n0 wait job.1 7`,
    )
  })

  test('spells out what some login shell would read in its own way', () => {
    expect(call("/a'b")).toBe(
      `exec /bin/sh -c 's=$(printf "%b." "$1"); s=\${s%.}; h=$2; shift 2; k=$1; exec $k "$s/$h" "$s" "$@"' stepback ` +
        `'\\0057\\0141\\0047\\0142' 'helper-1.sh' '/bin/sh' 'n0' 'wait' 'job.1' '7'`,
    )
  })

  const paths = ['plain', 'with space', "a'b", 'a!b', 'a\\b', 'a\nb\n', 'ä "q" $x `y`', '-n']
  const shells = ['sh', 'dash', 'bash', 'busybox sh'].map((shell) => shell.split(' '))
  test.each(shells)('reaches the helper under any path, read by %s', (...words) => {
    const root = mkdtempSync(join(tmpdir(), 'stepback-'))
    const [program = 'sh', ...rest] = words.filter((word) => typeof word === 'string')
    const run = (text: string, input: string | Buffer = '') => execFileSync(program, [...rest, '-c', text], { input })
    try {
      for (const path of paths) {
        const stateDirectory = join(root, path)
        const { name, text } = helper()
        run(installCall({ stateDirectory, helper: name, length: text.length, nonce: 'n1', begin: true }), text)
        expect(readFileSync(join(stateDirectory, name))).toEqual(text)
        expect(statSync(stateDirectory).mode & 0o777).toBe(0o700)
        const stdout = run(helperCall({ stateDirectory, helper: name, shell: 'sh', nonce: 'n2', words: ['probe'] }))
        expect(answerOf({ nonce: 'n2', stdout, stderr: Buffer.alloc(0) })).toMatchObject({ kind: 'answer', status: 0 })
      }
    } finally {
      rmSync(root, { recursive: true })
    }
  })

  test('installs nothing from a helper that was cut short', () => {
    const stateDirectory = mkdtempSync(join(tmpdir(), 'stepback-'))
    const command = installCall({ stateDirectory, helper: 'helper-1.sh', length: 100, nonce: 'n1', begin: true })
    expect(() => execFileSync('sh', ['-c', command], { input: 'echo half', stdio: 'pipe' })).toThrow()
    expect(() => statSync(join(stateDirectory, 'helper-1.sh'))).toThrow('ENOENT')
    rmSync(stateDirectory, { recursive: true })
  })
})

describe('an answer', () => {
  const answer = (stdout: string, stderr = '') =>
    answerOf({ nonce: 'n0', stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) })

  test('is found in the noise of start-up files', () => {
    const seen = answer('motd\n\n@@n0 begin\nout\n\n@@n0 end 3\n', 'stty: no\n\n@@n0 begin\nerr')
    expect(seen).toEqual({ kind: 'answer', status: 3, stdout: Buffer.from('out\n'), stderr: Buffer.from('err') })
  })

  test('that has no end is none, and one that has no beginning never began', () => {
    expect(answer('\n@@n0 begin\nout\n')).toEqual({ kind: 'unfinished' })
    expect(answer('\n@@n0 begin\nout\n\n@@n0 end ')).toEqual({ kind: 'unfinished' })
    expect(answer('motd\n')).toEqual({ kind: 'none' })
  })

  test('that ends with a failure is that failure', () => {
    expect(answer('\n@@n0 begin\nx\n@@n0 fail stuck group 7\n\n@@n0 end 1\n')).toEqual({
      kind: 'failed',
      code: 'stuck',
      message: 'group 7',
    })
  })
})

describe('the helper', () => {
  test('does nothing when it is not whole', () => {
    const directory = mkdtempSync(join(tmpdir(), 'stepback-'))
    const { text } = helper()
    const whole = text.toString('utf8')
    // Cut anywhere: at every hundredth character, and right before its last line.
    for (let at = 0; at < whole.length - 10; at += 700) {
      writeFileSync(join(directory, 'cut.sh'), whole.slice(0, at))
      const command = `/bin/sh "$0" '${directory}' sh n0 acquire 0 free </dev/null 2>/dev/null; ls '${directory}'`
      expect(execFileSync('sh', ['-c', command, join(directory, 'cut.sh')], { encoding: 'utf8' })).toBe('cut.sh\n')
    }
    rmSync(directory, { recursive: true })
  })

  test('reads a long ledger whole, by as few programs as a short one', () => {
    const root = mkdtempSync(join(tmpdir(), 'stepback-'))
    try {
      const entries = Array.from({ length: 1_200 }, (_, index) => `{"number":${index + 1}}\n`)
      mkdirSync(join(root, 'ledger'))
      for (const [index, entry] of entries.entries())
        writeFileSync(join(root, 'ledger', `${String(index + 1).padStart(8, '0')}.json`), entry)
      writeFileSync(join(root, 'helper.sh'), helper().text)
      mkdirSync(join(root, 'bin'))
      writeFileSync(join(root, 'bin/cat'), `#!/bin/sh\necho started >>${root}/cats\nexec /bin/cat "$@"\n`, {
        mode: 0o755,
      })
      const env = { PATH: `${join(root, 'bin')}:${process.env['PATH']}` }
      const stdout = execFileSync('sh', [join(root, 'helper.sh'), root, 'sh', 'n3', 'read', 'ledger', '0'], { env })
      const answer = answerOf({ nonce: 'n3', stdout, stderr: Buffer.alloc(0) })
      expect(answer).toMatchObject({ kind: 'answer', stdout: Buffer.from(entries.join('')) })
      expect(readFileSync(join(root, 'cats'), 'utf8').split('\n').length).toBeLessThan(10)
    } finally {
      rmSync(root, { recursive: true })
    }
  })
})
