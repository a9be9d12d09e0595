import { expect, test } from 'vitest'
import { parseCron } from '../../src/plan/cron.js'
import { type Times, changesBetween, scheduleIdsOf, schedulesOf, timeInWords } from '../../src/plan/schedules.js'

const times: Times = {
  restorePoint: 'off',
  memories: '15 3 * * *',
  drill: '30 4 * * 0',
  prune: '45 3 * * *',
  timeZone: 'UTC',
  overlap: 'wait',
  catchUp: '24h',
}
const of = (changes: Partial<Times> = {}, has = { database: true, memories: true }) =>
  schedulesOf({ target: 'shop', taskQueue: 'stepback', times: { ...times, ...changes }, ...has })

test.each(['15 3 * * *', '*/5 8-18 * * 1-5', '0,30 0 1,15 */3 *', '0 6-23/2 * * *'])(
  '%s is read as cron does',
  (text) => {
    expect(timeInWords(parseCron(text))).toBe(text)
  },
)

test.each([
  ['* * * *', 'five fields'],
  ['60 * * * *', '"60" is not in 0-59'],
  ['5-1 * * * *', '"5-1"'],
  ['*/0 * * * *', '"*/0"'],
  ['0 3 * * mon', '"mon" is no number'],
  ['0 3 1 * 1', 'both limited'],
])('%s is refused by name', (text, why) => {
  expect(() => parseCron(text)).toThrow(why)
})

test('a target has no schedule for what it has not, or what is off', () => {
  expect(of().map((it) => it.what)).toEqual(['memories', 'drill', 'prune'])
  expect(of({ prune: 'off' }, { database: false, memories: false })).toEqual([])
})

test('what differs is named; what comes and goes, too', () => {
  const berlin = of(
    { timeZone: 'Europe/Berlin', drill: 'off', prune: '0 5 * * *' },
    { database: true, memories: false },
  )
  expect(changesBetween(of(), of())).toEqual([])
  expect(changesBetween(of({ prune: 'off' }), [...berlin, ...of().slice(1, 2)])).toEqual([
    { does: 'delete', id: 'stepback-shop-memories', differs: [] },
    { does: 'create', id: 'stepback-shop-prune', differs: [] },
  ])
  expect(changesBetween(of(), berlin)[2]).toEqual({
    does: 'update',
    id: 'stepback-shop-prune',
    differs: ['calendar: 45 3 * * * to 0 5 * * *', 'timeZone: UTC to Europe/Berlin'],
  })
})

test("another target's schedules are none of this one's, whatever it is called", () => {
  expect(scheduleIdsOf('shop')).toContain('stepback-shop-prune')
  expect(scheduleIdsOf('shop')).not.toContain('stepback-shop-two-prune')
})
