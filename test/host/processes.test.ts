import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { pause } from './ground.js'

const part = (name: string) => fileURLToPath(new URL(`../../src/host/${name}.sh`, import.meta.url))

function run(shell: string, script: string): string {
  const [program = 'sh', ...words] = [...shell.split(' '), '-c', `. "$0"; . "$1"; ${script}`]
  return execFileSync(program, [...words, part('ground'), part('processes')], { encoding: 'utf8' }).trim()
}

describe.each(['dash', 'bash', 'busybox sh'])('a start identity under %s', (shell) => {
  const same = (a: string, b: string) => run(shell, `same_start '${a}' '${b}' && echo same || echo other`)

  test('read from ps may be two seconds off, for the clock may have been set', () => {
    const at = (time: string, boot = 'b') => `ps:Mon_Nov_23_${time}_2026:${boot}`
    expect(same(at('08:09:59'), at('08:10:01'))).toBe('same')
    expect(same(at('08:09:08'), at('08:09:11'))).toBe('other')
    expect(same(at('08:09:08'), at('09:09:08'))).toBe('other')
    expect(same(at('08:09:08'), at('08:09:08', 'c'))).toBe('other')
    expect(same(at('08:09:08'), 'ps:Tue_Nov_24_08:09:08_2026:b')).toBe('other')
  })

  test('read from /proc is exact', () => {
    expect(same('proc:100:b', 'proc:100:b')).toBe('same')
    expect(same('proc:100:b', 'proc:101:b')).toBe('other')
  })

  test.each(['', 'STEPBACK_WITHOUT=proc; '])(
    'is told for a living process, not for a zombie or none (%s)',
    async (mode) => {
      expect(run(shell, `${mode}identify $$ && echo "$IDENTITY"`)).toMatch(
        /^(proc:\d+|ps:\w+_[\d:]+_\d{4}):[0-9a-f-]{36}$/,
      )
      // The child ends and is not waited for by what its parent has become.
      const parent = spawn('sh', ['-c', 'sleep 0.5 >/dev/null & echo $!; exec sleep 600 >/dev/null'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      try {
        const zombie = await new Promise<string>((resolve) =>
          parent.stdout.once('data', (data) => resolve(`${data}`.trim())),
        )
        while (!readFileSync(`/proc/${zombie}/stat`, 'utf8').includes(') Z')) await pause(10)
        const tell = (pid: string) =>
          run(shell, `${mode}identify ${pid} && echo lives || echo "gone \${IDENTITY:+zombie}"`)
        expect([tell(zombie), tell('4194303')]).toEqual(['gone zombie', 'gone'])
      } finally {
        parent.kill('SIGKILL')
      }
    },
  )

  test('is not led astray by the name that a process chose', async () => {
    // A link by a name that looks like the end of a stat line, run as a program.
    const name = `/tmp/x) R 1 99 (`
    const child = spawn('sh', ['-c', `ln -sf "$(command -v sleep)" '${name}'; exec '${name}' 30`], { stdio: 'ignore' })
    try {
      await pause(300)
      const group = run(shell, `identify ${child.pid} && echo "$GROUP"`)
      expect(group).toBe(execFileSync('ps', ['-o', 'pgid=', '-p', `${child.pid}`], { encoding: 'utf8' }).trim())
      expect(run(shell, 'scan_members 99; echo "none:$MEMBERS"')).toBe('none:')
    } finally {
      child.kill('SIGKILL')
    }
  })
})
