import { describe, expect, test } from 'vitest'
import { type ReleaseEntry, linkEnds, parentsOf, releaseProblem } from '../../src/plan/release.js'

const file = (path: string): ReleaseEntry => ({ path, kind: 'file' })
const link = (path: string, target: string): ReleaseEntry => ({ path, kind: 'link', target })
const soul = ['soul', 'mind/values']

describe('a release is refused by name', () => {
  test.each([
    ['a file in a protected path', [file('soul/x')], '"soul/x" lies in a protected path'],
    ['the protected path itself', [link('soul', 'a')], '"soul" lies in a protected path'],
    ['what would replace a directory above one', [file('mind')], '"mind" lies in a protected path'],
    ['a protected path in capitals', [file('SOUL/x')], '"SOUL/x" lies in a protected path'],
    ['two files that differ only in case', [file('a/X'), file('a/x')], '"a/X" and "a/x" differ only in case'],
    ['two directories that do', [file('A/x'), file('a/y')], '"A" and "a" differ only in case'],
    ['an absolute link', [link('a', '/etc')], 'the link "a" leads to "/etc", an absolute path'],
    ['a link that leaves', [link('a/b', '../../x')], 'the link "a/b" leads to "../../x", which leaves the project'],
    ['one that leaves and comes back', [link('a', '../shop/x')], 'which leaves the project'],
    ['one that leaves through another', [link('a/up', '..'), link('b', 'a/up/../x')], 'the link "b" leads to'],
    ['one into a protected path', [link('a', 'soul')], 'the link "a" leads to "soul", which enters a protected path'],
    ['one through another', [link('d/a', '../mind'), link('b', 'd/a/values/x')], 'the link "b" leads to'],
    ['a circle', [link('a', 'b'), link('b', 'a')], 'the link "a" leads to "b"'],
    ['a line break in a link', [link('a', 'b\n')], 'the link "a" leads to "b\n", and a line break'],
  ])('%s', (_what, entries, problem) => expect(releaseProblem(entries, soul)).toContain(problem))
})

test('links that stay inside are let through, and so are names that differ in more than case', () => {
  const entries = [link('a/b', '../c'), link('c', 'd/./e//f'), link('g', '.'), file('mindful'), file('souls/x')]
  expect(releaseProblem([...entries, file('\u00e9'), file('e\u0301')], soul)).toBeUndefined()
  expect(linkEnds(entries)).toEqual(['', 'd/e/f'])
})

test('the parents of a path come outermost first', () => {
  expect(parentsOf('a/b/c')).toEqual(['a', 'a/b'])
  expect(parentsOf('a')).toEqual([])
})
