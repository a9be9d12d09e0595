import type { Facts } from './facts.js'
import { StepbackError } from './failure.js'
import { leftDeploy, mixedRestorePoints, openDeploy, releaseLine } from './ledger.js'
import type { Manifest } from './manifest.js'
import type { Plan } from './plan.js'
import type { RollbackRequest } from './request.js'
import { idsOn, restorePoint } from './shelf.js'

/** What decides over it: ledger and shelf alone. */
type Choosing = Pick<Facts, 'records' | 'manifests' | 'unreadable'>

/** Where a rollback goes: a restore point, or, for the database alone, a revision. */
export type Destination =
  | { readonly kind: 'restore-point'; readonly manifest: Manifest; readonly because: string }
  | { readonly kind: 'revision'; readonly to: string }

/**
 * Chooses from the ledger, never by file times; `Refused` lists what there is. `fixed` is what `latest` meant when it
 * was asked: another run may have ended since.
 */
export function chooseDestination(request: RollbackRequest, facts: Choosing, fixed?: string): Destination {
  if (request.to === 'latest') {
    const meant = restorePoint(facts, fixed)
    return meant ? destination(meant, 'before the current one when it was asked') : latest(request, facts)
  }
  const manifest = restorePoint(facts, request.to)
  if (manifest) return { kind: 'restore-point', manifest, because: `${request.to} was asked for` }
  const captured = request.scope === 'containers' ? ofVersion(facts, request.to) : undefined
  if (captured) {
    const because = `${captured.id} is the newest restore point that captured ${request.to}`
    return { kind: 'restore-point', manifest: captured, because }
  }
  if (request.scope === 'database') return { kind: 'revision', to: request.to }
  throw new StepbackError({
    type: 'Refused',
    message: `target "${request.target}" has no restore point "${request.to}"; there are: ${idsOn(facts)}`,
    hint: 'leave --to out for the newest one of the release before.',
  })
}

/** What a rollback of single containers left running is no version; such a restore point is taken where there is no other. */
function ofVersion({ manifests, records }: Choosing, version: string): Manifest | undefined {
  const captured = manifests.filter((it) => it.version === version).toSorted((a, b) => (a.id < b.id ? 1 : -1))
  const mixed = mixedRestorePoints(records)
  return captured.find((it) => !mixed.has(it.id)) ?? captured[0]
}

function latest(request: RollbackRequest, facts: Choosing): Destination {
  const open = openDeploy(facts.records) ?? leftDeploy(facts.records)
  if (open) return beforeOpen(request, facts, open)
  const current = releaseLine(facts.records).at(-1)
  const manifest = current && restorePoint(facts, current.restorePoint)
  if (manifest) return destination(manifest, `before ${current.version}`)
  throw new StepbackError({
    type: 'Refused',
    message: current
      ? `restore point "${current.restorePoint}" of the release before ${current.version} is gone`
      : `no release before the current one is recorded for target "${request.target}", so there is nothing to go back to`,
    hint: `name a restore point with --to; there are: ${idsOn(facts)}.`,
  })
}

/**
 * A deploy that is under way is pre-empted and undoes itself, and one that could not undo itself is what there is to go
 * back from; going back behind the release that it replaces is too far.
 */
function beforeOpen(request: RollbackRequest, facts: Choosing, open: Plan): Destination {
  const manifest = restorePoint(facts, open.safety)
  if (manifest) return destination(manifest, `before the deploy of ${open.version}`)
  throw new StepbackError({
    type: 'Refused',
    message: `a deploy of ${open.version} on target "${request.target}" has only begun, and has changed nothing yet`,
    hint: 'cancel that run, or name a restore point with --to.',
  })
}

function destination(manifest: Manifest, when: string): Destination {
  const because = `${manifest.id} is the newest restore point of ${manifest.version}, which was good ${when}`
  return { kind: 'restore-point', manifest, because }
}
