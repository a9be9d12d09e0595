// What an operator wants to hold before a deploy begins. It runs where the worker is, and changes nothing on the target.

import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Context } from '@temporalio/activity'
import type { ProgramEnd } from '../adapters/programs.js'
import { findTarget } from '../config/load.js'
import type { Config, DeployCheck } from '../config/schema.js'
import { durationMs } from '../plan/duration.js'
import { StepbackError } from '../plan/failure.js'
import type { PlannedChecks } from '../plan/plan.js'
import { beating } from './act.js'
import type { Deps } from './deps.js'

type ChecksInput = PlannedChecks & { readonly target: string }

export function checkActivities(deps: Deps) {
  return {
    /** Runs one behind the other; `Refused` by the first that fails. */
    async runChecks(input: ChecksInput): Promise<void> {
      return await beating(async () => {
        const { checks, release: limits } = findTarget(deps.config, input.target)
        const logs = await mkdtemp(join(tmpdir(), 'stepback-checks-'))
        for (const check of checks) await runCheck(deps, input, check, join(logs, `${check.name}.log`))
        await rm(logs, { recursive: true })
        if (!input.release) return
        const { directory, sha256 } = input.release
        const release = await deps.readRelease({ directory, limits })
        if (release.sha256 !== sha256) throw changedRelease(directory)
      })
    },
  }
}

async function runCheck(deps: Deps, input: ChecksInput, check: DeployCheck, log: string): Promise<void> {
  const end = await deps.programs.run({
    argv: check.command,
    directory: resolve(input.release?.directory ?? check.directory ?? '.'),
    environment: environmentOf(deps.config, input, check),
    timeoutMs: durationMs(check.timeout),
    signal: Context.current().cancellationSignal,
    log,
  })
  if (end.kind === 'exited' && end.status === 0) return
  throw new StepbackError({
    type: 'Refused',
    message: `check "${check.name}" ${words(end, check)}; nothing was changed. ${await whereItsOutputIs(log)}`,
    hint: 'mend what it found; or, where it cannot wait, deploy with --hotfix and a reason.',
  })
}

/** The worker's own, without what opens doors: every variable that the configuration refers to, and Temporal's. */
function environmentOf({ targets, notifications }: Config, input: ChecksInput, check: DeployCheck): NodeJS.ProcessEnv {
  const ofTargets = Object.values(targets).flatMap(({ ssh, database }) => [
    ssh.passphrase,
    database?.user,
    database?.password,
    database?.admin?.user,
    database?.admin?.password,
  ])
  const { webhook, grafana } = notifications
  const references = [...ofTargets, webhook?.url, webhook?.secret, grafana?.token]
  const secret = new Set(references.flatMap((it) => (typeof it === 'object' && 'env' in it ? [it.env] : [])))
  const own = Object.entries(process.env).filter(([name]) => !secret.has(name) && !name.startsWith('TEMPORAL_'))
  return {
    ...Object.fromEntries(own),
    STEPBACK_TARGET: input.target,
    STEPBACK_VERSION: input.version,
    ...check.env,
  }
}

function words(end: ProgramEnd, { timeout, command }: DeployCheck): string {
  switch (end.kind) {
    case 'exited':
      return `failed with exit status ${end.status}`
    case 'signalled':
      return `was ended by ${end.signal}`
    case 'late':
      return `took longer than ${timeout}`
    case 'not-started':
      return `cannot be run: no program "${command[0]}" in its directory or on the PATH of the worker`
  }
}

/** What a check printed may hold secrets, so it stays in a file beside the worker. */
async function whereItsOutputIs(log: string): Promise<string> {
  const output = await readFile(log)
  const lines = output.toString('utf8').split('\n').length - 1
  const sha256 = createHash('sha256').update(output).digest('hex').slice(0, 12)
  return `what it printed is beside the worker: ${log}, ${lines} lines, sha256 ${sha256}`
}

function changedRelease(directory: string): StepbackError {
  return new StepbackError({
    type: 'Refused',
    message: `the checks changed release "${directory}", whose files would all be deployed; nothing was changed on the target`,
    hint: 'let the checks write elsewhere, and remove what they left there.',
  })
}
