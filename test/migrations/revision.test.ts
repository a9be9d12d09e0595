import { describe, expect, it } from 'vitest'
import { describeMigrations } from '../../src/adapters/database.js'
import { migrations } from '../../src/migrations/index.js'
import { planMigrations, resolveRevision } from '../../src/plan/revision.js'

const known = await describeMigrations(migrations)
const names = known.map((it) => it.name)

describe('a revision', () => {
  it('is found by itself, by its full name, and by a beginning that only one has', () => {
    for (const asked of ['a002_messages', 'a002_messages1700000000002', 'a002', 'a002_m']) {
      expect(resolveRevision({ known, asked }).name).toBe(names[1])
    }
  })

  it('is refused, with the known ones, when none or several are meant', () => {
    for (const asked of ['a00', 'a009', '', 'messages']) {
      expect(() => resolveRevision({ known, asked })).toThrow(
        /"; |known: a001_sessions, a002_messages, .*a008_remove_openclaw\nhint: /,
      )
    }
    expect(() => resolveRevision({ known, asked: 'a00' })).toThrow('begins a001_sessions, a002_messages')
  })
})

describe('the migrations to run', () => {
  const plan = (applied: number, to: string) => {
    const { up, down, irreversible, unknown } = planMigrations({ known, applied: names.slice(0, applied), to })
    const numbers = (list: readonly { revision: string }[]) => list.map((it) => Number(it.revision.slice(3, 4)))
    return [numbers(up), numbers(down), numbers(irreversible), unknown]
  }

  it('lead forward, oldest first', () => {
    expect(plan(5, 'head')).toEqual([[6, 7, 8], [], [], []])
    expect(plan(0, 'a002')).toEqual([[1, 2], [], [], []])
    expect(plan(5, 'none')).toEqual([[], [], [], []])
  })

  it('lead back, newest first, and name what cannot be reverted', () => {
    expect(plan(7, '-1')).toEqual([[], [7], [], []])
    expect(plan(7, 'base')).toEqual([[], [7, 6, 5, 4, 3, 2, 1], [], []])
    expect(plan(7, 'a005_scheduler_history')).toEqual([[], [7, 6], [], []])
    expect(plan(8, '-2')).toEqual([[], [8, 7], [8], []])
  })

  it('do not go back further than they came', () => {
    expect(() => plan(2, '-3')).toThrow('should be between -1 and -2')
    expect(() => plan(2, '-0')).toThrow('should be between')
  })

  it('leave alone what is applied and not known, and say so', () => {
    const applied = [names[0]!, 'b001_other1800000000000']
    expect(planMigrations({ known, applied, to: 'head' }).unknown).toEqual(['b001_other1800000000000'])
  })
})
