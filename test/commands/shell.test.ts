import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { command, quote, script, sideBySide } from '../../src/commands/shell.js'

const words = [
  'plain',
  '',
  'two words',
  "it's",
  '"x"',
  'a\nb',
  '$HOME',
  '`id`',
  '\\',
  '*',
  '~',
  '!',
  'größe 雪',
  '-rf',
  ';',
  '#',
  "'",
  "''",
  'a=b',
]

describe('a quoted word', () => {
  test.each([
    ['plain/path.yml', 'plain/path.yml'],
    ['', "''"],
    ['two words', "'two words'"],
    ["it's", `'it'\\''s'`],
    ['"x"', `'"x"'`],
    ['a\nb', "'a\nb'"],
    ['$HOME', "'$HOME'"],
    ['größe', "'größe'"],
    ['~', "'~'"],
  ])('%j is %s', (word, quoted) => expect(quote(word)).toBe(quoted))

  test.each(['sh', 'bash'])('arrives in %s as it is, whatever it contains', (shell) => {
    const printed = execFileSync(shell, ['-c', command('printf', '%s\\0', ...words)])
    expect(printed.toString().split('\0').slice(0, -1)).toEqual(words)
  })

  test('cannot hold a NUL', () => expect(() => quote('a\0b')).toThrow('NUL'))
})

test('a script stops at its first failing line', () => {
  expect(script('false', 'echo on')).toBe('set -eu\nfalse\necho on\n')
})

describe.each(['dash', 'bash', 'busybox'])('commands side by side, in %s', (shell) => {
  const run = (lines: readonly string[]) => {
    const cwd = mkdtempSync(join(tmpdir(), 'stepback-shell-'))
    try {
      const words = shell === 'busybox' ? ['sh'] : []
      const { status } = spawnSync(shell, words, { cwd, input: script(...lines, 'echo >end'), encoding: 'utf8' })
      return { status, left: readdirSync(cwd).toSorted() }
    } finally {
      rmSync(cwd, { recursive: true })
    }
  }

  test('run at once: each of two may wait for the other', () => {
    const two = sideBySide(['echo there >pipe', 'read said <pipe'])
    expect(run(['mkfifo pipe', ...two])).toEqual({ status: 0, left: ['end', 'pipe'] })
  })

  test('run all, however many, and what follows comes behind the last', () => {
    const seven = sideBySide([1, 2, 3, 4, 5, 6, 7].map((name) => `{ sleep 0.1; echo >${name}; }`))
    const left = ['1', '2', '3', '4', '5', '6', '7', 'end']
    expect(run([...seven, 'for it in 1 2 3 4 5 6 7; do [ -e "$it" ]; done'])).toEqual({ status: 0, left })
  })

  test.each([0, 3, 5])('stop the script where number %i fails', (failing) => {
    const six = sideBySide([0, 1, 2, 3, 4, 5].map((number) => (number === failing ? 'false' : 'true')))
    expect(run(six)).toEqual({ status: 1, left: [] })
  })
})
