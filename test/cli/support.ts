import pico from 'picocolors'
import type { Io } from '../../src/cli/io.js'
import type { Progress, StepProgress } from '../../src/plan/progress.js'

export const plain = pico.createColors(false)

/** Where nobody looks: every line is kept. */
export function silentIo(env: NodeJS.ProcessEnv = {}): Io & { readonly said: string[]; readonly printed: string[] } {
  const said: string[] = []
  const printed: string[] = []
  return {
    said,
    printed,
    say: (line) => said.push(line),
    print: (line) => printed.push(line),
    colours: plain,
    live: false,
    env,
  }
}

export function step(changes: Partial<StepProgress> & { readonly title: string }): StepProgress {
  return {
    name: 'stopServices',
    state: 'pending',
    attempts: 0,
    startedAt: null,
    finishedAt: null,
    detail: null,
    ...changes,
  }
}

export const at = (seconds: number) => new Date(Date.UTC(2026, 10, 23, 14, 2, 0) + seconds * 1_000).toISOString()

export function progress(changes: Partial<Progress> = {}): Progress {
  return {
    target: 'aria',
    kind: 'rollback',
    scope: 'full',
    phase: 'running',
    plan: {
      digest: 'sha256:3fa94c2100000000',
      strategy: 'swap',
      because: 'a warm copy is kept',
      restorePoint: '20261123T140211Z-2.0.0',
      exposure: null,
    },
    steps: [],
    gate: null,
    startedAt: at(0),
    finishedAt: null,
    ...changes,
  }
}

export const lossGate: Partial<Progress> = {
  phase: 'waiting-for-approval',
  gate: { asks: 'approve', why: '412 rows would be lost', until: at(3_600) },
  plan: {
    ...progress().plan!,
    exposure: {
      total: 412,
      tables: [
        { table: 'messages', inserted: 400, updated: 9, deleted: 0, newest: at(-60), method: 'exact' },
        { table: 'jobs', inserted: 0, updated: 3, deleted: 0, newest: null, method: 'counters' },
      ],
    },
  },
}
