// Runs that bring nothing new: restore points on demand, what holds them back, and what retention lets go.

import { planMemories, planRestoreMemories } from './archives.js'
import type { Facts } from './facts.js'
import { StepbackError } from './failure.js'
import {
  abandonedToDrop,
  keepsCopy,
  keptDatabasesToDrop,
  putAsideToDrop,
  keptRestorePoints,
  warmCopiesOf,
  warmCopiesToDrop,
} from './copies.js'
import { currentVersion, migrationHead, takeNow } from './running.js'
import { deadlines } from './approval.js'
import { heldRestorePoints, openRestorePoints, restorePointId } from './ledger.js'
import type { Manifest, Pin } from './manifest.js'
import type { Plan } from './plan.js'
import { ensureFit } from './preflight.js'
import type { BackupRequest } from './request.js'
import { leftovers, retired } from './retention.js'
import { type Shelf, idsOn, restorePoint } from './shelf.js'
import type { DroppedCopy, Step } from './act.js'
import { dropCopies, proveRestorePoint, pruneRestorePoints, setPins } from './steps/restore-point.js'

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
    deadlines: deadlines(facts, 'backup'),
  }
}

type Decision = Pick<Plan, 'because' | 'steps'>

function decide(request: BackupRequest, facts: Facts, shelf: readonly string[]): Decision {
  switch (request.what) {
    case 'restore-point':
      return take(request, facts)
    case 'prove':
      return prove(request.id === undefined ? newest(request, facts) : named(request, facts), facts, request)
    case 'drill':
      return prove(newest(request, facts), facts, request)
    case 'prune':
      return prune(facts, shelf)
    case 'pin':
    case 'unpin':
      return pin(request, facts)
    case 'memories':
      return planMemories(request, facts, shelf)
    case 'restore-memories':
      return planRestoreMemories(request, facts, shelf)
  }
}

function take(request: BackupRequest, facts: Facts): Decision {
  ensureFit(request.target, facts.findings, ['migrations', 'directory'])
  const step = takeNow(facts, { database: facts.database ? 'dump' : 'none' })
  const proves = request.prove && facts.database !== null && facts.stack.proof.when !== 'off'
  const proof = proves ? [proveRestorePoint({ from: 'safety', keepCopy: keepsCopy(facts, null) })] : []
  const tidy = tidyWarm(facts, proves && keepsCopy(facts, null) ? 1 : 0)
  return { because: 'a restore point was asked for', steps: [step, ...proof, ...tidy] }
}

/** A reason that somebody gives for the one that they name is a word on what is the matter with it; a drill has none. */
function prove(manifest: Manifest, facts: Facts, { target, what, id, reason }: BackupRequest): Decision {
  ensureFit(target, facts.findings, ['migrations', 'directory'])
  if (manifest.database?.file === undefined) {
    throw new StepbackError({
      type: 'Refused',
      message: `restore point "${manifest.id}" has no dump that could be proven`,
      hint: `choose another one: stepback restore-points ${target}.`,
    })
  }
  const keepCopy = keepsCopy(facts, manifest)
  const accepts = what === 'prove' && id !== undefined && reason !== undefined && manifest.small !== undefined
  const proof = proveRestorePoint({ from: manifest.id, keepCopy, ...(accepts ? { accept: true } : {}) })
  const steps = [proof, ...tidyWarm(facts, keepCopy ? 1 : 0)]
  return { because: `${manifest.id} is ${manifest.state}, and is restored once more beside the live database`, steps }
}

function tidyWarm(facts: Facts, coming: number): Step[] {
  const copies = warmCopiesToDrop(facts, { coming, held: openRestorePoints(facts.records) })
  return copies.length > 0 ? [dropCopies(copies)] : []
}

function prune(facts: Facts, shelf: readonly string[]): Decision {
  const { manifests, stack, records } = facts
  const open = openRestorePoints(records)
  const held = [...heldRestorePoints(records), ...keptRestorePoints(facts, open)]
  const old = retired({ manifests, retention: stack.retention, held })
  const unfinished = leftovers(shelf, held).map((id) => ({ id, services: [] }))
  const points = [...unfinished, ...old.map(({ id, images }) => ({ id, services: images.map((it) => it.service) }))]
  const copies = copiesToDrop(facts, old, open)
  const steps = [
    ...(copies.length > 0 ? [dropCopies(copies)] : []),
    ...(points.length > 0 ? [pruneRestorePoints(points)] : []),
  ]
  const gone = [...points.map((it) => it.id), ...copies.map((it) => it.name)]
  const keeps = `retention keeps ${stack.retention.keep}`
  return { because: gone.length > 0 ? `${keeps}: ${gone.join(', ')} go` : `${keeps}, and there are no more`, steps }
}

/** By age and number; and those of restore points that go. */
function copiesToDrop(facts: Facts, old: readonly Manifest[], held: readonly string[]): DroppedCopy[] {
  const aged = [
    ...warmCopiesToDrop(facts, { coming: 0, held }),
    ...keptDatabasesToDrop(facts, held),
    ...abandonedToDrop(facts),
    ...putAsideToDrop(facts, old, held),
  ]
  const theirs = warmCopiesOf(old, facts)
  return [...aged, ...theirs.filter((it) => !aged.some(({ name }) => name === it.name))]
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

function newest({ target }: BackupRequest, { manifests }: Facts): Manifest {
  const [manifest] = manifests
    .filter((it) => it.database?.file !== undefined)
    .toSorted((a, b) => (a.id < b.id ? 1 : -1))
  if (manifest) return manifest
  throw new StepbackError({
    type: 'Refused',
    message: `target "${target}" has no restore point with a dump`,
    hint: `take one: stepback restore-points ${target} take.`,
  })
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
