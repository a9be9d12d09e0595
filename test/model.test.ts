// The models and the real code hold the same: each flaw that a switch of a model brings back is a test by its name.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { read } from '../model/checker.js'
import { models, switchesOf } from '../model/rules.js'
import { flaws, searches } from '../model/searches.js'
import { counterexamples } from './host/counterexamples.js'

const root = fileURLToPath(new URL('..', import.meta.url))

test.each(models)('every rule of %s has a flaw, and every flaw a rule', (model) => {
  const rules = switchesOf(model).filter((it) => it.kind === 'rule')
  const found = flaws.filter((it) => it.model === model)
  expect([...new Set(found.map((it) => it.rule))].toSorted()).toEqual(rules.map((it) => it.name).toSorted())
  for (const { rule, value } of found) expect(rules.find((it) => it.name === rule)!.usual).not.toBe(String(value))
})

test('every flaw is held by tests that are there', () => {
  const missing = flaws.flatMap(({ tests }) =>
    tests.filter(({ file, name }) => !readFileSync(join(root, file), 'utf8').includes(`'${name}'`)),
  )
  expect(missing).toEqual([])
  expect(flaws.filter(({ tests }) => tests.length === 0)).toEqual([])
})

test('every counterexample on the real helper is one of a model', () => {
  const named = flaws.flatMap(({ tests }) => tests.map((it) => it.name))
  expect(counterexamples.map((it) => it.name).filter((name) => !named.includes(name))).toEqual([])
})

test('a search sets bounds that its model has, and no rule', () => {
  for (const { model, bounds } of [...searches, ...flaws]) {
    const bound = switchesOf(model).flatMap(({ name, kind }) => (kind === 'bound' ? [name] : []))
    expect(Object.keys(bounds).filter((name) => !bound.includes(name))).toEqual([])
  }
})

test('what a search prints is read', () => {
  const end = 'State-vector 64 byte, depth reached 33, errors: 1\n      242 states, stored\n'
  expect(read(`pan:1: assertion violated (token==t) (at depth 31)\n${end}`)).toEqual({
    states: 242,
    complete: true,
    broken: 'assertion violated (token==t)',
  })
  expect(read(end.replace('errors: 1', 'errors: 0'))).toMatchObject({ broken: null })
  expect(read(`error: max search depth too small\n${end}`).complete).toBe(false)
  expect(() => read('pan: out of memory')).toThrow('the search did not end')
})
