import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { describeCase, draw, matrix } from '../../chaos/draw.js'
import { faults, kinds } from '../../chaos/faults/index.js'
import { Random } from '../../chaos/random.js'
import { scenarios } from '../../chaos/scenarios.js'

describe('a seed', () => {
  test('draws the same trial each time, and another one than its neighbour', () => {
    const drawn = Array.from({ length: 50 }, (_, seed) => JSON.stringify(draw(seed, kinds)))
    expect(Array.from({ length: 50 }, (_, seed) => JSON.stringify(draw(seed, kinds)))).toEqual(drawn)
    expect(new Set(drawn).size).toBe(50)
  })

  test('gives the numbers that it gave on other machines', () => {
    const random = new Random(7)
    expect([random.between(0, 999), random.between(0, 999), random.between(0, 999)]).toMatchInlineSnapshot(`
      [
        680,
        306,
        133,
      ]
    `)
  })
})

describe('many seeds', () => {
  const drawn = Array.from({ length: 3_000 }, (_, seed) => draw(seed, kinds))

  test('leave out no scenario and no fault, and let nothing happen at all now and then', () => {
    expect(new Set(drawn.map((it) => it.scenario.name)).size).toBe(scenarios.length)
    const happened = drawn.flatMap((it) => it.faults.map(({ fault }) => fault))
    expect([...new Set(happened)].toSorted()).toEqual(faults.map(({ name }) => name).toSorted())
    expect(drawn.some((it) => it.faults.length === 0)).toBe(true)
  })

  test('have as many faults as they are asked for', () => {
    const ten = Array.from({ length: 50 }, (_, seed) => draw(seed, kinds, 10))
    expect(new Set(ten.map((it) => it.faults.length))).toEqual(new Set([10]))
  })

  test('bring two faults of the run itself into no trial', () => {
    const many = Array.from({ length: 200 }, (_, seed) => draw(seed, kinds, 10))
    const twice = [...drawn, ...many].filter(
      (it) => it.faults.filter(({ fault }) => kinds.ofRun.includes(fault)).length > 1,
    )
    expect(twice).toEqual([])
  })

  test('name only steps that their scenario has', () => {
    const strange = drawn.flatMap(({ scenario, faults: all }) =>
      all.flatMap(({ point }) => {
        if (point.when === 'later') return []
        const names = point.when === 'undoing' ? scenario.undos! : scenario.steps
        return names.includes(point.step) ? [] : [point.step]
      }),
    )
    expect(strange).toEqual([])
  })
})

describe('the matrix', () => {
  const rows = matrix(kinds)
  const cells = rows.flatMap((row) => row.faults.map((it) => ({ ...row, faults: [it] })))

  test('has every fault during every step of every scenario, and each scenario once without any', () => {
    const steps = scenarios.reduce((sum, { steps: all, undos = [] }) => sum + all.length + undos.length, 0)
    expect(cells).toHaveLength(steps * faults.length)
    expect(new Set(cells.map(describeCase)).size).toBe(cells.length)
    expect(rows.filter((it) => it.faults.length === 0).map((it) => it.scenario)).toEqual(scenarios)
  })

  test('has one fault in a row, and the same row under the same number each time', () => {
    expect(rows.every((it) => new Set(it.faults.map(({ fault }) => fault)).size <= 1)).toBe(true)
    expect(new Set(rows.map(describeCase)).size).toBe(rows.length)
    expect(matrix(kinds)).toEqual(rows)
  })
})

test('no two faults share a name', () => {
  expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length)
})

test('the document says of every fault what happens', () => {
  const document = readFileSync(fileURLToPath(new URL('../../docs/chaos.md', import.meta.url)), 'utf8')
  const rows = document.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))
  const said = rows.flatMap(([, name, about]) => (name && about ? [`${name}: ${about}`] : []))
  expect(faults.map(({ name, about }) => `${name}: ${about}`).filter((it) => !said.includes(it))).toEqual([])
})
