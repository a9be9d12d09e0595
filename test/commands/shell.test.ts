import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { command, quote, script } from '../../src/commands/shell.js'

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
