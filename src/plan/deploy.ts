import type { ActArgs, Step } from './act.js'
import { ensureStartable } from './ahead.js'
import { approvalRule, deadlines, decideApproval } from './approval.js'
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
import { abandonedToDrop, keepsCopy, warmCopiesToDrop } from './copies.js'
import type { Facts, Hook, ReleaseFacts } from './facts.js'
import { StepbackError } from './failure.js'
import { broughtServices, goneServices } from './gone.js'
import { openDeploy, openRestorePoints, restorePointId } from './ledger.js'
import { ensureFit, findingsWith } from './preflight.js'
import type { Plan } from './plan.js'
import type { DeployRequest } from './request.js'
import { type MigrationInfo, planMigrations } from './revision.js'
import { isLossless, migrateUp } from './steps/database.js'
import { putFiles } from './steps/files.js'
import { runHook } from './steps/hooks.js'
import { checkHealth, checkVersion, collectLogs, watchHealth } from './steps/health.js'
import { buildImages } from './steps/images.js'
import { recreateBack, recreateDatabase } from './steps/recreate.js'
import { dropCopies, keepImages, keepMigrations, proveRestorePoint } from './steps/restore-point.js'
import { removeServices, restartServices, stopServices } from './steps/services.js'

/** The plan of a deploy, without its digest; throws `Refused` with the reason where it must not begin. */
export function planDeploy(request: DeployRequest, facts: Facts, release: ReleaseFacts | null): Omit<Plan, 'digest'> {
  ensureFit(
    request.target,
    release ? findingsWith(release.model, facts) : facts.findings,
    request.migrateTo === 'none' ? ['migrations'] : [],
  )
  ensureStartable(request.target, (release ?? facts).ahead)
  const current = currentVersion(facts)
  ensureNew(request, facts, current)
  ensureHooks(request, facts)
  const migrations = migrationsUp(request, facts, release)
  const mayLoseRows = request.mayLoseRows ?? facts.stack.mayLoseRows
  return {
    kind: 'deploy',
    target: request.target,
    version: request.version,
    because: `${request.version} replaces ${current}${request.hotfix ? '; a hotfix, so checks and proof are skipped' : ''}`,
    safety: restorePointId({ at: facts.at, version: current }),
    steps: deploySteps({ request, facts, release, migrations, mayLoseRows }),
    ...plannedChecks(request, facts, release),
    ...(release?.changes?.length ? { configuration: release.changes } : {}),
    ...(release?.environment ? { environment: release.environment } : {}),
    approval: deployApproval(request, facts, mayLoseRows),
    already: false,
    before: { version: facts.version, head: migrationHead(facts) },
    deadlines: deadlines(facts, 'deploy'),
  }
}

function deploySteps(input: {
  readonly request: DeployRequest
  readonly facts: Facts
  readonly release: ReleaseFacts | null
  readonly migrations: readonly MigrationInfo[]
  readonly mayLoseRows: number
}): Step[] {
  const { request, facts, release, migrations } = input
  const { application, databaseService } = facts.stack
  const model = release?.model ?? facts.model
  const recreation = (release ?? facts).ahead?.recreation
  const all = Object.keys(model.services).filter((service) => service !== databaseService)
  const builds = all.filter((service) => model.services[service]?.builds).toSorted()
  const before = runningImages(facts)
  const gone = goneServices(model, facts)
  const hooks = (when: Hook['when']) =>
    facts.stack.hooks.filter((hook) => hook.when === when).map((hook) => runHook(hook, request.version))
  return [
    takeNow(facts, { database: facts.database ? 'dump' : 'none', brought: release?.paths ?? [] }),
    ...proof(request, facts, { migrations, recreates: recreation !== null && recreation !== undefined, release }),
    ...keepCode(facts, release),
    keepImages({ images: withDatabase(before, recreation), levels: runningLevels(facts) }),
    ...hooks('before-deploy'),
    ...(release
      ? [
          putFiles({
            release: release.directory,
            sha256: release.sha256,
            paths: release.paths,
            madeFrom: recreateBack(recreation),
          }),
        ]
      : []),
    ...(builds.length > 0 ? [buildImages({ services: builds, before })] : []),
    ...(recreation ? [recreateDatabase({ service: recreation.service, image: null })] : []),
    ...(migrations.length > 0 || facts.database?.othersMigrate
      ? [migrateUp({ migrations, application, mayLoseRows: input.mayLoseRows })]
      : []),
    ...hooks('before-restart'),
    // Before the others start: one of them may be the same under another name, and want the same port.
    ...(gone.length > 0 ? [stopServices({ services: gone })] : []),
    restartServices({
      levels: startLevels({ model, services: all, scaled: scaledByHand(facts) }),
      application,
      brought: broughtServices(model, facts),
      commit: false,
    }),
    checkHealth(),
    ...(facts.stack.asksVersion ? [checkVersion({ version: request.version })] : []),
    ...hooks('after-healthy'),
    watchHealth(),
    ...(facts.stack.logs ? [collectLogs()] : []),
    ...hooks('after-deploy'),
    ...removeServices(gone),
    ...tidyCopies(request, facts),
  ]
}

/** Before the first change where a migration could only be undone by it, or its server would go away under it. */
function proof(
  request: DeployRequest,
  facts: Facts,
  {
    migrations,
    recreates,
    release,
  }: {
    readonly migrations: readonly MigrationInfo[]
    readonly recreates: boolean
    readonly release: ReleaseFacts | null
  },
): Step[] {
  if (!proves(request, facts)) return []
  const needed = recreates || facts.stack.proof.when === 'before' || migrations.some((it) => !isLossless(it))
  const keepCopy = keepsCopy(facts, null)
  return [proveRestorePoint({ from: 'safety', keepCopy, ...rehearsal(migrations, release), background: !needed })]
}

/** Up to the first one that is irreversible anyway; those behind it would have to be applied over it. */
function rehearsal(
  migrations: readonly MigrationInfo[],
  release: ReleaseFacts | null,
): Pick<ActArgs['proveRestorePoint'], 'rehearse' | 'release'> {
  const ordered = migrations.toSorted((a, b) => a.timestamp - b.timestamp)
  const end = ordered.findIndex((it) => !it.reversible)
  const rehearse = (end === -1 ? ordered : ordered.slice(0, end)).map((it) => it.name)
  return rehearse.length > 0 ? { rehearse, ...(release ? { release: release.directory } : {}) } : {}
}

function proves({ hotfix }: DeployRequest, { stack, database }: Facts): boolean {
  return database !== null && stack.proof.when !== 'off' && !hotfix
}

function tidyCopies(request: DeployRequest, facts: Facts): Step[] {
  const coming = proves(request, facts) && keepsCopy(facts, null) ? 1 : 0
  const copies = [
    ...warmCopiesToDrop(facts, { coming, held: openRestorePoints(facts.records) }),
    ...abandonedToDrop(facts),
  ]
  return copies.length > 0 ? [dropCopies(copies)] : []
}

/** A hook that is not there would fail behind the first change. */
function ensureHooks(request: DeployRequest, { missingPrograms }: Facts): void {
  if (missingPrograms.length === 0) return
  throw new StepbackError({
    type: 'Refused',
    message: `the host of target "${request.target}" has no ${missingPrograms.join(', ')}, which hooks run`,
    hint: 'install it there, or mend the hooks in the configuration.',
  })
}

function plannedChecks(
  { hotfix, version }: DeployRequest,
  { stack }: Facts,
  release: ReleaseFacts | null,
): Pick<Plan, 'checks'> {
  if (hotfix || stack.checks.length === 0) return {}
  const brought = release && { directory: release.directory, sha256: release.sha256 }
  return { checks: { names: stack.checks, version, release: brought } }
}

function keepCode(facts: Facts, release: ReleaseFacts | null): Step[] {
  const sha256 = facts.database?.code
  if (sha256 === undefined) return []
  return [keepMigrations({ sha256, ...(release ? { release: release.directory } : {}) })]
}

function ensureNew(request: DeployRequest, { records }: Facts, current: string): void {
  if (request.version !== current || request.redeploy) return
  // What runs was brought by a run that has no end, and is undone before this one begins.
  if (openDeploy(records)?.version === current) return
  throw new StepbackError({
    type: 'Refused',
    message: `version "${request.version}" already runs on target "${request.target}"`,
    hint: 'bump the version, or ask for it with --redeploy.',
  })
}

/** `head` is the release's own head where it says one: older code does not get a later release's migrations. */
function migrationsUp(request: DeployRequest, facts: Facts, release: ReleaseFacts | null): readonly MigrationInfo[] {
  if (!facts.database) return []
  const { known, applied, othersMigrate } = facts.database
  if (othersMigrate && ['head', 'none'].includes(request.migrateTo)) return []
  const to = request.migrateTo === 'head' ? (release?.migrateTo ?? 'head') : request.migrateTo
  const { up, down, unknown } = planMigrations({ known, applied, to })
  if (unknown.length > 0) {
    throw new StepbackError({
      type: 'Refused',
      message: `the database has migrations that are not known here: ${unknown.join(', ')}`,
      hint: 'name the migrations of the running release in database.migrations.',
    })
  }
  if (down.length > 0) {
    throw new StepbackError({
      type: 'Refused',
      message: `revision "${to}" lies behind what is applied, and a deploy never reverts migrations`,
      hint: `run \`stepback rollback ${request.target} --scope database --to ${to}\`.`,
    })
  }
  return up
}

function deployApproval(request: DeployRequest, facts: Facts, mayLoseRows: number): Plan['approval'] {
  const { stack } = facts
  const raised = mayLoseRows > stack.mayLoseRows
  const loss = raised ? `its undo may lose ${mayLoseRows} rows, more than the configured ${stack.mayLoseRows}` : null
  const configured = approvalRule(stack.approval, 'deploy')
  const rule = request.hotfix && !raised ? { ...configured, policy: 'never' as const } : configured
  const approval = decideApproval({ rule, signers: stack.signers, wish: request.approval, loss, asked: request })
  if (raised) return { ...approval, required: true, why: loss ?? approval.why }
  return request.hotfix && !approval.required ? { ...approval, why: 'a hotfix asks nobody' } : approval
}
