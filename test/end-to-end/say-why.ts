// What a sandbox's worker complained of last, where a test on it failed: `npm test` shows it with the failure.

import { readFileSync } from 'node:fs'
import { afterEach } from 'vitest'
import { operators } from './operator.js'

const lines = 12

// Thrown, and so one of the failure's own messages.
afterEach(({ task }) => {
  if (task.result?.state !== 'fail' || operators.length === 0) return
  throw new Error(operators.map(({ sandbox }) => complaints(sandbox.processes.worker!.log)).join('\n'))
})

function complaints(log: string): string {
  try {
    const all = readFileSync(log, 'utf8').split('\n')
    return all
      .filter((line) => line !== '' && !line.includes('"level":"info"'))
      .slice(-lines)
      .map(inShort)
      .join('\n')
  } catch (error) {
    return String(error)
  }
}

interface Complaint {
  readonly time: string
  readonly msg: string
  readonly workflowId?: string
  readonly act?: string
  readonly why?: string
  readonly error?: { readonly message: string }
}

function inShort(line: string): string {
  try {
    const { time, workflowId = '', act = '', msg, error, why = '' } = JSON.parse(line) as Complaint
    return [time, workflowId, act, msg, error?.message ?? why].join(' ').slice(0, 400)
  } catch {
    return line.slice(0, 400)
  }
}
