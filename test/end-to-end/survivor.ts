// A run whose worker is killed inside every step, and what must be so whatever the run was to do.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { creationsDuring } from './creations.js'
import { killInsideEveryStep } from './killer.js'
import { doneTwice, leftovers } from './leftovers.js'
import type { Operator } from './operator.js'

/** What every run begins with. */
export const beginning = 'plan acquireLease plan recordPlan'

/** One thing after the other, and no copy that would spare an undo its restore. */
export const oneByOne = { proof: { when: 'before', keep: 0 } }

/** Runs it with a death in every step; `hit` are the activities in which there was one. */
export async function survive(
  { operator, root }: { readonly operator: Operator; readonly root: string },
  type: 'deployWorkflow' | 'rollbackWorkflow',
  run: string,
  request: object,
) {
  const rowsAtFirst = await operator.rows()
  let hit: readonly string[] = []
  const created = await creationsDuring(root, async () => {
    // It begins where one looks: its first steps are over sooner than a command line ends.
    operator.killWorker('SIGSTOP')
    await operator.start(type, run, { target: 'aria', reason: 'a test', ...request })
    hit = await killInsideEveryStep(operator, run)
  })
  const ended = await operator.end(run)
  const activities = await operator.activities(run)
  expect(activities.filter(({ before }) => before !== 'TIMEOUT_TYPE_HEARTBEAT')).toEqual([])
  expect(activities.map(({ name }) => name).toSorted()).toEqual(hit.toSorted())
  expect(doneTwice(operator, await operator.runId(run))).toBe('')
  expect(await leftovers(operator)).toBe('')
  expect(await operator.rows()).toEqual(rowsAtFirst)
  expect(linesOf(operator, 'deploy.log').filter((line) => line.includes(` ${run} `))).toHaveLength(1)
  return { ...ended, hit: hit.join(' '), created }
}

/** Each container that was made at all was made so often, those of the release among them. */
export function expectCreations(created: Readonly<Record<string, number>>, times: number): void {
  expect(Object.keys(created)).toEqual(expect.arrayContaining(['aria-api', 'aria-brain', 'aria-web']))
  expect(Object.entries(created).filter(([, found]) => found !== times)).toEqual([])
}

/** A file of the stack. */
export function linesOf({ sandbox }: Operator, file: string): string[] {
  return readFileSync(join(sandbox.directory, file), 'utf8').split('\n')
}
