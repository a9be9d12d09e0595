import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { Tail } from '../../chaos/chain.js'
import { changedByHand } from '../../chaos/faults/host.js'
import { Happening } from '../../chaos/happening.js'
import type { World } from '../../chaos/world.js'

const state = mkdtempSync(join(tmpdir(), 'stepback-chaos-happening-'))
mkdirSync(join(state, 'ledger'))
writeFileSync(join(state, changedByHand), '')
mkdirSync(join(state, 'jobs/one'), { recursive: true })
afterAll(() => rmSync(state, { recursive: true, force: true }))

const point = { when: 'later', lateMs: 0 } as const

const world = { ground: { state, sandbox: { directory: state } }, run: 'deploy', point: undefined }

function happening(): Happening {
  return new Happening(world as unknown as World, new Tail(state))
}

test('what finds nothing that it could happen to has not come, and the trial says so', async () => {
  const trial = happening()
  await trial.happen({ fault: 'rollback beside it', point, holdMs: 0, seed: 1 })
  expect(trial.came).toEqual([])
  expect(trial.notes).toEqual(['rollback beside it (0 ms behind the start): there was nothing for it to happen to'])
})

test('jobs are killed when there are some: a step begins before its job does', async () => {
  const job = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
  await once(job, 'spawn')
  const ended = once(job, 'exit')
  const trial = happening()
  const happened = trial.happen({ fault: 'host jobs killed', point, holdMs: 0, seed: 1 })
  await sleep(50)
  writeFileSync(join(state, 'jobs/one/claim.1'), `${job.pid} ${job.pid} x 1\n`)
  await happened
  expect(trial.came.map((it) => it.fault)).toEqual(['host jobs killed'])
  expect((await ended)[1]).toBe('SIGKILL')
})

test('in turn each comes while its step is under way, whatever the order, and what was missed is told', async () => {
  const trial = happening()
  const points = ['putFiles', 'takeRestorePoint', 'keepImages'].map(
    (step) => ({ when: 'during', step, lateMs: 0 }) as const,
  )
  const planned = points.map((it, seed) => ({ fault: 'file changed by hand', point: it, holdMs: 0, seed }))
  const happened = trial.happenInTurn(planned)
  append({ kind: 'start', act: 'takeRestorePoint' })
  await until(() => trial.came.length === 1)
  append({ kind: 'end', act: 'takeRestorePoint' }, { kind: 'start', act: 'putFiles' })
  await until(() => trial.came.length === 2)
  trial.over()
  await happened
  expect(trial.came.map((it) => it.seed)).toEqual([1, 0])
  expect(trial.notes).toEqual([
    'file changed by hand (during keepImages): its step was not under way while nothing else was broken',
  ])
  expect(readFileSync(join(state, changedByHand), 'utf8')).toBe('# changed by hand\n# changed by hand\n')
})

test('of what changes the run itself only one comes', async () => {
  const trial = happening()
  const cancelled: string[] = []
  const workflow = { getHandle: (run: string) => ({ cancel: async () => cancelled.push(run) }) }
  Object.assign(world.ground, { temporal: { workflow } })
  append({ kind: 'start', act: 'takeRestorePoint' }, { kind: 'start', act: 'keepImages' })
  const planned = ['takeRestorePoint', 'keepImages'].map((step, seed) => {
    return { fault: 'run cancelled', point: { when: 'during', step, lateMs: 0 } as const, holdMs: 0, seed }
  })
  await trial.happenInTurn(planned)
  expect(trial.came).toEqual([planned[0]])
  expect(cancelled).toEqual(['deploy'])
})

let entries = 0

function append(...all: readonly object[]): void {
  for (const it of all) {
    const entry = { run: { workflowId: 'deploy', runId: 'r' }, step: 0, undo: false, ...it }
    const file = join(state, 'ledger', `${String(++entries).padStart(8, '0')}.json`)
    writeFileSync(`${file}.new`, JSON.stringify({ number: entries, entry }))
    renameSync(`${file}.new`, file)
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5)
}
