// The public workflow types. Their names are what operators type.

import type { RunResult } from '../plan/progress.js'
import { type Carried, guard } from './guard.js'
import { type Telling, notify } from './notices.js'
import { run } from './run.js'

export async function deployWorkflow(request: unknown): Promise<RunResult> {
  return await run('deploy', request)
}

export async function rollbackWorkflow(request: unknown): Promise<RunResult> {
  return await run('rollback', request)
}

export async function backupWorkflow(request: unknown): Promise<RunResult> {
  return await run('backup', request)
}

export async function emergencyWorkflow(request: unknown): Promise<RunResult> {
  return await run('emergency', request)
}

/** `carried` is its own, from run to run. */
export async function guardWorkflow(request: unknown, carried?: Carried): Promise<void> {
  return await guard(request, carried)
}

/** One notice of another run, started by it. */
export async function notifyWorkflow(telling: Telling): Promise<void> {
  return await notify(telling)
}
