// What is read on the host by files alone: the chain of the ledger, and what was left.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Tail, begunAt, chainProblems, exchangedBack, ledgerEntries } from '../../chaos/chain.js'
import { leftoversIn, strayDatabases } from '../../chaos/leftovers.js'
import { processesOfJobs } from '../../chaos/strangers.js'

let state: string

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'stepback-chaos-files-'))
  for (const name of ['ledger', 'lease', 'jobs/one', 'staging']) mkdirSync(join(state, name), { recursive: true })
  write('lease/t.1', '{"token":1,"free":false}')
  write('lease/t.2', '{"token":2,"free":true}')
})

afterEach(() => rmSync(state, { recursive: true, force: true }))

const run = { workflowId: 'deploy', runId: 'r1' }
const kinds = [
  { kind: 'plan', run, plan: { steps: [] } },
  { kind: 'start', run, step: 0, act: 'takeRestorePoint', undo: false },
  { kind: 'finished', run, outcome: 'done' },
]

function write(path: string, text: string): void {
  writeFileSync(join(state, path), `${text}\n`)
}

/** A ledger of these entries, chained as the host chains it. */
function chain(entries: readonly object[]): void {
  let prev = '0'.repeat(64)
  for (const [index, entry] of entries.entries()) {
    const line = JSON.stringify({ number: index + 1, prev, high: 1, token: 1, id: `e${index}`, at: 'now', entry })
    write(file(index + 1), line)
    prev = createHash('sha256').update(`${line}\n`).digest('hex')
  }
}

const file = (number: number) => `ledger/${String(number).padStart(8, '0')}.json`

describe('a chain', () => {
  beforeEach(() => chain(kinds))

  test('that is whole has no problem', () => {
    expect(chainProblems(join(state, 'ledger'))).toEqual([])
    expect(ledgerEntries(state).map((it) => it.entry.kind)).toEqual(['plan', 'start', 'finished'])
  })

  test('is broken by an entry that was edited, removed, or is no JSON', () => {
    const whole = ledgerEntries(state)
    write(file(2), JSON.stringify({ ...whole[1], at: 'later' }))
    expect(chainProblems(join(state, 'ledger')).join()).toMatch(/00000003.json does not name the hash/)
    write(file(2), 'no JSON')
    expect(chainProblems(join(state, 'ledger')).join()).toMatch(/00000002.json does not say that it is entry 2/)
    rmSync(join(state, file(2)))
    expect(chainProblems(join(state, 'ledger')).join()).toMatch(/00000003.json does not say that it is entry 2/)
  })

  test('says when a run began an act, and of other runs and acts that they did not', () => {
    expect(begunAt(state, 'deploy', 'takeRestorePoint')).toBeGreaterThan(Date.now() - 60_000)
    expect(begunAt(state, 'rollback', 'takeRestorePoint')).toBeUndefined()
    expect(begunAt(state, 'deploy', 'putFiles')).toBeUndefined()
  })

  test('says from when to when another database was the live one, and nothing where none went back', () => {
    expect(exchangedBack(state, 'deploy')).toBeUndefined()
    const did = (kind: string, act: string, undo: boolean) => ({ kind, run, step: 4, act, undo })
    chain([did('start', 'swapDatabase', false), did('end', 'swapDatabase', false)])
    expect(exchangedBack(state, 'deploy')).toBeUndefined()
    chain([did('start', 'swapDatabase', false), did('end', 'swapDatabaseBack', true)])
    const { from, to } = exchangedBack(state, 'deploy')!
    expect(to).toBeGreaterThanOrEqual(from)
    expect(exchangedBack(state, 'rollback')).toBeUndefined()
  })

  test('is read as it grows, from where one began', () => {
    const tail = new Tail(state)
    expect(tail.of('deploy')).toEqual([])
    chain([...kinds, { kind: 'started', run }])
    expect(tail.of('deploy').map((it) => it.kind)).toEqual(['started'])
    expect(tail.of('rollback')).toEqual([])
  })
})

describe('left behind is', () => {
  test('nothing where all is over', () => {
    chain(kinds)
    write('jobs/one/claim.1', '1 1 x 1')
    write('jobs/one/exit.1', '0')
    expect(leftoversIn(state)).toEqual([])
  })

  test('a lease that is held', () => {
    write('lease/t.10', '{"token":10,"free":false}')
    expect(leftoversIn(state)).toEqual(['lease 10 is held'])
  })

  test('a job without an exit', () => {
    write('jobs/one/claim.1', '1 1 x 1')
    write('jobs/one/exit.1', '0')
    write('jobs/one/claim.2', '1 1 x 1')
    expect(leftoversIn(state)).toEqual(['job one 2'])
  })

  test('a process that a job started, whatever it is called, and none of a job that others have', async () => {
    const [own, other] = ['one/1/', 'two/1/'].map((job) => {
      return spawn('sleep', ['60'], { env: { ...process.env, STEPBACK_JOB: job }, stdio: 'ignore' })
    })
    await Promise.all([once(own!, 'spawn'), once(other!, 'spawn')])
    expect(processesOfJobs(state)).toEqual([`process ${own!.pid} of job one`])
    for (const child of [own!, other!]) child.kill('SIGKILL')
    await Promise.all([once(own!, 'exit'), once(other!, 'exit')])
    expect(processesOfJobs(state)).toEqual([])
  })

  test('what was being brought', () => {
    write('staging/release', '')
    expect(leftoversIn(state)).toEqual(['staging release'])
  })

  test('a plan without an end', () => {
    chain(kinds.slice(0, 2))
    expect(leftoversIn(state)).toEqual(['debt of deploy'])
  })

  test('a database that no restore point names', () => {
    expect(strayDatabases(['aria', 'aria__warm_1', 'aria__new_2'], ['aria'], ['aria__warm_1'])).toEqual([
      'database aria__new_2',
    ])
  })
})
