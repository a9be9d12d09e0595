// Runs that bring nothing new: restore points on demand, what holds them back, and what retention lets go.

import type { Facts } from './facts.js'
import { StepbackError } from './failure.js'
import { capturedPaths, currentVersion, deadlines, migrationHead } from './deploy.js'
import { heldRestorePoints, restorePointId } from './ledger.js'
import type { Manifest, Pin } from './manifest.js'
import type { Plan } from './plan.js'
import { ensureFit } from './preflight.js'
import type { BackupRequest } from './request.js'
import { leftovers, retired } from './retention.js'
import { type Shelf, idsOn, restorePoint } from './shelf.js'
import type { Step } from './act.js'
import { pruneRestorePoints, setPins, takeRestorePoint } from './steps/restore-point.js'

/** The plan of a backup; nobody is asked, since nothing that anyone could go back to by itself is lost. */
export function planBackup(request: BackupRequest, facts: Facts, shelf: readonly string[]): Omit<Plan, 'digest'> {
  const { because, steps } = decide(request, facts, shelf)
  return {
    kind: 'backup',
    target: request.target,
    version: currentVersion(facts),
    because,
    safety: restorePointId({ at: facts.at, version: currentVersion(facts) }),
    steps,
    approval: { required: false, dataLoss: false, why: 'a backup asks nobody' },
    already: steps.length === 0,
    before: { version: facts.version, head: migrationHead(facts) },
    deadlines: deadlines(facts),
  }
}

type Decision = Pick<Plan, 'because' | 'steps'>

function decide(request: BackupRequest, facts: Facts, shelf: readonly string[]): Decision {
  switch (request.what) {
    case 'restore-point':
      return take(request, facts)
    case 'prune':
      return prune(facts, shelf)
    case 'pin':
    case 'unpin':
      return pin(request, facts)
    default:
      throw new StepbackError({
        type: 'Refused',
        message: `"${request.what}" is not supported by this version of stepback`,
      })
  }
}

function take(request: BackupRequest, facts: Facts): Decision {
  ensureFit(request.target, facts.findings, { records: false })
  const step = takeRestorePoint({
    version: currentVersion(facts),
    database: facts.database ? 'dump' : 'none',
    head: migrationHead(facts),
    paths: capturedPaths(facts, []),
  })
  return { because: 'a restore point was asked for', steps: [step] }
}

function prune(facts: Facts, shelf: readonly string[]): Decision {
  const { manifests, stack, records } = facts
  const held = heldRestorePoints(records)
  const old = retired({ manifests, retention: stack.retention, held })
  const unfinished = leftovers(shelf, held).map((id) => ({ id, services: [] }))
  const points = [...unfinished, ...old.map(({ id, images }) => ({ id, services: images.map((it) => it.service) }))]
  const keeps = `retention keeps ${stack.retention.keep}`
  if (points.length === 0) return { because: `${keeps}, and there are no more`, steps: [] }
  return { because: `${keeps}: ${points.map((it) => it.id).join(', ')} go`, steps: [pruneRestorePoints(points)] }
}

function pin(request: BackupRequest, facts: Facts): Decision {
  const manifest = named(request, facts)
  const { id, pins: before } = manifest
  const own: Pin = { by: request.requestedBy ?? 'somebody', ...(request.reason ? { reason: request.reason } : {}) }
  if (request.what === 'unpin') return pinned({ id, before, pins: [] })
  return pinned({ id, before, pins: before.some((it) => it.by === own.by) ? before : [...before, own] })
}

function pinned(input: {
  readonly id: string
  readonly before: readonly Pin[]
  readonly pins: readonly Pin[]
}): Decision {
  const { id, before, pins } = input
  const steps: Step[] = pins.length === before.length ? [] : [setPins(input)]
  return { because: pins.length > 0 ? `retention leaves ${id} alone` : `retention may remove ${id}`, steps }
}

function named({ target, id }: BackupRequest, shelf: Shelf): Manifest {
  const manifest = restorePoint(shelf, id)
  if (manifest) return manifest
  throw new StepbackError({
    type: 'Refused',
    message: `target "${target}" has no restore point "${id}"; there are: ${idsOn(shelf)}`,
    hint: `stepback restore-points ${target}.`,
  })
}
