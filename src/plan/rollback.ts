import type { CarryArgs, ServiceImage, Step } from './act.js'
import { ensureStartable } from './ahead.js'
import { approvalRule, deadlines, decideApproval } from './approval.js'
import { carriesFrom, carrying, copyOf, rehearsalFor, rowsStay, withoutCarried } from './carrying.js'
import { startLevels } from './start-order.js'
import {
  currentVersion,
  migrationHead,
  runningImages,
  runningLevels,
  scaledByHand,
  takeNow,
  withDatabase,
} from './running.js'
import { amountOf } from './exposure.js'
import type { CandidateFacts, Facts, Finding, Recreation } from './facts.js'
import { StepbackError } from './failure.js'
import { broughtServices, goneServices } from './gone.js'
import { isOfOneVersion, restorePointId } from './ledger.js'
import { ensureFit, findingsWith } from './preflight.js'
import type { Manifest } from './manifest.js'
import { estimateMs, measured } from './measured.js'
import type { Exposure, Plan, StrategyVerdict } from './plan.js'
import type { RollbackRequest } from './request.js'
import { type MigrationInfo, planMigrations } from './revision.js'
import { unknownSince } from './shelf.js'
import { type Choice, chooseStrategy, describeIrreversible } from './strategy.js'
import { sideBySide } from './steps/beside.js'
import { carryForward } from './steps/carry.js'
import { migrateDown, restoreDatabase, swapDatabase } from './steps/database.js'
import { restoreFiles } from './steps/files.js'
import { checkHealth, checkVersion, collectLogs } from './steps/health.js'
import { restoreImages } from './steps/images.js'
import { recreateBack, recreateDatabase } from './steps/recreate.js'
import { keepImages } from './steps/restore-point.js'
import { list } from './steps/list.js'
import { removeServices, restartServices, stopForNow } from './steps/services.js'
import { partOf } from './undo.js'
import { isWhole } from './way-back.js'

/** The plan of a rollback to a restore point. */
export function planRollback(
  request: RollbackRequest,
  facts: Facts,
  candidate: CandidateFacts,
  because: string,
): Omit<Plan, 'digest'> {
  ensureSupported(request)
  // Without records only a dump can bring the database back, which the choice of the strategy says.
  ensureFit(request.target, findingsBehind(request, facts, candidate), [
    'migrations',
    ...(request.scope === 'full' ? [] : (['directory'] as const)),
  ])
  if (request.scope === 'full') {
    ensureKept(candidate)
    ensureStartable(request.target, candidate.ahead)
  }
  const { manifest } = candidate
  const rehearsed = rehearsalFor(request, facts, manifest)
  const counted = withoutCarried(candidate, rehearsed)
  const choice = facts.database
    ? chooseStrategy({
        asked: request.strategy,
        facts: facts.database,
        candidate: counted,
        took: measured(facts.records),
      })
    : null
  const full = request.scope === 'full'
  const already = isThere(request, facts, candidate, choice)
  const exposure = choice?.strategy === 'migrate' ? candidate.downExposure : counted.exposure
  const carries = exchanges(choice) ? carriesFrom(request, candidate) : undefined
  return {
    ...common(
      request,
      facts,
      choice?.strategy
        ? { exposure, loss: doubtIn(choice, candidate) ?? lostByDowns(choice.down) ?? lossOf(exposure) }
        : { exposure: null, loss: null },
    ),
    version: full ? manifest.version : currentVersion(facts),
    ...(full && !isOfOneVersion(facts.records, manifest) ? { answers: null } : {}),
    ...(choice?.strategy ? { strategy: choice.strategy, strategies: choice.verdicts } : {}),
    because: [
      because,
      choice?.because,
      carries ? undefined : rowsStay(request, candidate),
      full ? unknownSince(facts, manifest) : undefined,
    ]
      .filter((it) => it !== undefined)
      .join('; '),
    restorePoint: manifest.id,
    ...(exchanges(choice) ? countersOf(candidate) : {}),
    ...(choice?.strategy ? { mayGrowBy: facts.stack.mayLoseRows } : {}),
    ...(full && candidate.changes?.length ? { configuration: candidate.changes } : {}),
    ...(full && candidate.environment ? { environment: candidate.environment } : {}),
    ...(carries ? carrying(facts, carries, rehearsed, choice?.strategy === 'swap' ? choice.ready : null) : {}),
    already,
    steps: already ? [] : rollbackSteps({ request, facts, candidate, choice, carries }),
  }
}

/** The plan of a rollback of the database to a revision, by its migrations' downs. */
export function planRevert(
  request: RollbackRequest,
  facts: Facts,
  to: string,
  exposure: Exposure | null,
): Omit<Plan, 'digest'> {
  ensureSupported(request)
  ensureFit(request.target, facts.findings, ['directory'])
  if (!facts.database) throw refusedRevert(`target "${request.target}" has no database`)
  if (request.strategy !== 'auto' && request.strategy !== 'migrate') {
    throw refusedRevert(`strategy "${request.strategy}" needs a restore point, and "${to}" is a revision`)
  }
  const { known, applied } = facts.database
  const { up, down, irreversible, unknown } = planMigrations({ known, applied, to })
  if (up.length > 0) throw refusedRevert(`revision "${to}" lies ahead of what is applied; a deploy goes forward`)
  ensureRevertible({ irreversible, unknown })
  return {
    ...common(request, facts, { exposure, loss: lostByDowns(down) ?? lossOf(exposure) }),
    version: currentVersion(facts),
    strategy: 'migrate',
    strategies: [revertVerdict(facts, exposure), ...needRestorePoint(to)],
    because: [`${to} was asked for, which reverts ${list(down.map((it) => it.revision))}`, rowsStay(request) ?? []]
      .flat()
      .join('; '),
    already: down.length === 0,
    steps: down.length === 0 ? [] : revertSteps(facts, down),
  }
}

/** A service that is missing now may be what going back brings; one that is missing behind it is no reason to stay. */
function findingsBehind(
  { scope }: RollbackRequest,
  facts: Facts,
  { model, manifest }: CandidateFacts,
): readonly Finding[] {
  if (scope !== 'full') return facts.findings
  const behind = findingsWith(model, facts)
  return facts.findings.map((finding, index) => (finding.ok ? finding : byHand(behind[index]!, facts, manifest)))
}

/** Files that stop every run stop the one that would put them back, too: its own steps need them. */
function byHand(finding: Finding, { stack }: Facts, manifest: Manifest): Finding {
  if (!['compose file', 'database'].includes(finding.check)) return finding
  const own = [stack.composeFiles[0]!, stack.envFile]
  const copies = manifest.files.filter((it) => it.path !== undefined && own.includes(it.path) && isWhole(it))
  const words = copies.map(({ name, path }) => `"${name}" over "${path}"`).join(', ')
  return { ...finding, hint: `${finding.hint} Those of ${manifest.id} are in the backups directory: copy ${words}.` }
}

/** Whether the live database makes way for another one, and is kept. */
function exchanges(choice: Choice | null): boolean {
  return choice?.strategy === 'restore' || choice?.strategy === 'swap'
}

function countersOf({ counters }: CandidateFacts): Pick<Plan, 'counters'> {
  return counters ? { counters } : {}
}

function rollbackSteps(input: {
  readonly request: RollbackRequest
  readonly facts: Facts
  readonly candidate: CandidateFacts
  readonly choice: Choice | null
  readonly carries: CarryArgs | undefined
}): Step[] {
  const { request, facts, candidate, choice, carries } = input
  const { manifest, model } = candidate
  const { application, databaseService } = facts.stack
  const full = request.scope === 'full'
  const services = Object.keys(model.services).filter((service) => service !== databaseService)
  const levels = full ? startLevels({ model, services, scaled: scaledByHand(facts) }) : runningLevels(facts)
  const images = manifest.images.filter((image) => image.service !== databaseService)
  const [gone, brought] = full ? [goneServices(model, facts), broughtServices(model, facts)] : [[], []]
  const recreation = full ? candidate.ahead?.recreation : null
  const madeFrom = recreateBack(recreation)
  const files = full ? [restoreFiles({ from: manifest.id, secrets: request.secrets, madeFrom })] : []
  const database = databaseSteps(choice, candidate, carries)
  return [
    ...sideBySide([
      takeNow(facts, {
        database: exchanges(choice) ? 'kept' : choice?.strategy === 'migrate' ? 'dump' : 'none',
        brought: candidate.paths,
      }),
      keepImages({ images: withDatabase(runningImages(facts), recreation) }),
      ...(choice?.strategy === 'restore' ? [restoreDatabase({ from: manifest.id })] : []),
      ...(choice?.strategy === 'swap' && carries
        ? [restoreDatabase({ from: manifest.id, ...copyOf(choice.ready) })]
        : []),
    ]),
    ...sideBySide([
      stopForNow({ services: [...new Set([...application, ...gone])], levels: runningLevels(facts) }),
      ...(full ? [restoreImages({ images, before: runningImages(facts) })] : []),
    ]),
    ...(recreation || exchanges(choice)
      ? [
          ...files,
          ...(recreation ? [recreateDatabase({ service: recreation.service, image: imageOf(recreation) })] : []),
          ...(carries ? [carryForward(carries)] : []),
          ...database,
        ]
      : sideBySide([...files, ...database])),
    restartServices({ levels, application, brought, commit: true }),
    checkHealth(),
    ...(full && facts.stack.asksVersion && isOfOneVersion(facts.records, manifest)
      ? [checkVersion({ version: manifest.version })]
      : []),
    ...(facts.stack.logs ? [collectLogs()] : []),
    ...removeServices(gone),
  ]
}

/** The recorded image goes back to its reference first: another one may have it by now. */
function imageOf({ service, after }: Recreation): ServiceImage | null {
  return after.id === null ? null : { service, id: after.id, ref: after.ref }
}

function databaseSteps(
  choice: Choice | null,
  { manifest, since }: CandidateFacts,
  carries: CarryArgs | undefined,
): Step[] {
  if (!choice?.strategy) return []
  const { strategy, down, ready } = choice
  if (strategy === 'migrate') return [migrateDown({ migrations: down, schemaOf: manifest.id })]
  const standing = strategy === 'swap' && ready && !carries ? { ready: { name: ready.name, oid: ready.oid } } : {}
  const counted = since === undefined ? {} : { since }
  const carried = carries ? { carries: carries.tables } : {}
  return [swapDatabase({ from: manifest.id, mayLoseRows: null, ...standing, ...counted, ...carried })]
}

function revertSteps(facts: Facts, down: readonly MigrationInfo[]): Step[] {
  const { application, logs } = facts.stack
  return [
    ...sideBySide([takeNow(facts, { database: 'dump' }), keepImages({ images: runningImages(facts) })]),
    stopForNow({ services: application, levels: runningLevels(facts) }),
    migrateDown({ migrations: down }),
    restartServices({ levels: runningLevels(facts), application, commit: true }),
    checkHealth(),
    ...(logs ? [collectLogs()] : []),
  ]
}

function revertVerdict({ records }: Facts, exposure: Exposure | null): StrategyVerdict {
  const reason = 'every migration behind it can be reverted, and rows are kept'
  return {
    strategy: 'migrate',
    verdict: 'chosen',
    reason,
    estimateMs: estimateMs('migrate', measured(records)),
    exposure,
  }
}

function needRestorePoint(to: string): StrategyVerdict[] {
  const reason = `it needs a restore point, and "${to}" is a revision`
  const cannot = { verdict: 'impossible', reason, estimateMs: null, exposure: null } as const
  return [
    { strategy: 'swap', ...cannot },
    { strategy: 'restore', ...cannot },
  ]
}

type Common = Pick<
  Plan,
  'kind' | 'target' | 'scope' | 'safety' | 'undo' | 'approval' | 'before' | 'deadlines' | 'exposure'
>

/** A dump that nobody should rely on is brought in only where a person says so; how small it is, no proof settles. */
function doubtIn({ strategy }: Choice, { manifest }: CandidateFacts): string | null {
  if (strategy !== 'swap' && strategy !== 'restore') return null
  return manifest.small ?? (strategy === 'restore' && manifest.state === 'taken' ? (manifest.doubt ?? null) : null)
}

/** What the rehearsal of these migrations lost on a copy. */
function lostByDowns(down: readonly MigrationInfo[]): string | null {
  const lost = down.flatMap(({ revision, loses }) => (loses === undefined ? [] : [`${revision} ${loses}`]))
  return lost.length > 0 ? `going there and back loses what a copy lost: ${lost.join('; ')}` : null
}

/** Why data would be lost; what nobody could count counts as a loss. */
function lossOf(exposure: Exposure | null): string | null {
  if (exposure === null) return 'nobody could count the rows that would be lost'
  return exposure.total > 0 ? `${amountOf(exposure)} would be lost` : null
}

export function common(
  request: RollbackRequest,
  facts: Facts,
  { exposure, loss }: { readonly exposure: Exposure | null; readonly loss: string | null },
): Common {
  return {
    kind: 'rollback',
    target: request.target,
    scope: request.scope,
    safety: restorePointId({ at: facts.at, version: currentVersion(facts) }),
    undo: partOf(request),
    ...(exposure ? { exposure } : {}),
    approval: decideApproval({
      rule: approvalRule(facts.stack.approval, request.scope),
      signers: facts.stack.signers,
      wish: request.approval,
      loss,
      asked: request,
    }),
    before: { version: facts.version, head: migrationHead(facts) },
    deadlines: deadlines(facts, request.scope),
  }
}

/** Nothing differs from the restore point. A database is there when its migrations are: rows are no reason to go back. */
function isThere(request: RollbackRequest, facts: Facts, candidate: CandidateFacts, choice: Choice | null): boolean {
  const database = !choice || choice.strategy === null
  if (request.scope === 'database') return database
  const { manifest, changedFiles, changedImages } = candidate
  const sameVersion = !facts.stack.asksVersion || facts.version === manifest.version
  return database && sameVersion && changedFiles.length === 0 && changedImages.length === 0
}

/** The database alone goes back under the images of now. */
function ensureKept(candidate: CandidateFacts): void {
  if (candidate.missingImages.length === 0) return
  throw new StepbackError({
    type: 'Refused',
    message: `images of restore point "${candidate.manifest.id}" are gone from the host: ${candidate.missingImages.join(', ')}`,
    hint: 'choose another restore point with --to.',
  })
}

function ensureRevertible(found: {
  readonly irreversible: readonly MigrationInfo[]
  readonly unknown: readonly string[]
}): void {
  if (found.irreversible.length > 0) {
    throw refusedRevert(found.irreversible.map(describeIrreversible).join('; '))
  }
  if (found.unknown.length > 0) throw refusedRevert(`the code of ${found.unknown.join(', ')} is not known here`)
}

function refusedRevert(message: string): StepbackError {
  return new StepbackError({
    type: 'Refused',
    message,
    hint: 'go back to a restore point: leave --to out, or name one.',
  })
}

/** What means nothing here, or what later versions bring, is refused by name rather than half done. */
export function ensureSupported({ scope, services, strategy, carryForward }: RollbackRequest): void {
  if (services && scope !== 'containers') {
    throw new StepbackError({
      type: 'Refused',
      message: `scope "${scope}" goes back as a whole, and services were named: ${services.join(', ')}`,
      hint: 'name them with --scope containers, or leave --services out.',
    })
  }
  if (strategy !== 'auto' && (scope === 'containers' || scope === 'config')) {
    throw new StepbackError({
      type: 'Refused',
      message: `strategy "${strategy}" is one for the database, which scope "${scope}" leaves alone`,
      hint: 'leave --strategy out.',
    })
  }
  if (carryForward === undefined || (scope !== 'containers' && scope !== 'config')) return
  throw new StepbackError({
    type: 'Refused',
    message: `rows are carried forward where the database goes back, and scope "${scope}" leaves it alone`,
    hint: 'leave --carry-forward out.',
  })
}
