import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { Tail } from '../../chaos/chain.js'
import { Happening } from '../../chaos/happening.js'
import type { World } from '../../chaos/world.js'

const state = mkdtempSync(join(tmpdir(), 'stepback-chaos-happening-'))
mkdirSync(join(state, 'ledger'))
mkdirSync(join(state, 'jobs/one'), { recursive: true })
afterAll(() => rmSync(state, { recursive: true, force: true }))

const point = { when: 'later', lateMs: 0 } as const

function happening(): Happening {
  const world = { ground: { state, sandbox: { directory: state } }, run: 'deploy', point: undefined }
  return new Happening(world as unknown as World, new Tail(state))
}

test('what finds nothing that it could happen to has not come, and the trial says so', async () => {
  const trial = happening()
  await trial.happen({ fault: 'rollback beside it', point, holdMs: 0, seed: 1 })
  expect([trial.came, trial.notes]).toEqual([[], ['rollback beside it: there was nothing for it to happen to']])
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
  expect(trial.came).toEqual(['host jobs killed'])
  expect((await ended)[1]).toBe('SIGKILL')
})
