import { measureTrees, parseTrees } from '../../commands/file-facts.js'
import { composeConfig, databaseFreeBytes, freeBytes, parseBytes, writablePlaces } from '../../commands/observe.js'
import { missingPrograms } from '../../commands/hooks.js'
import { type ComposeModel, parseComposeModel, parseComposeVolumes } from '../../plan/compose.js'
import type { Target } from '../../config/schema.js'
import { durationMs } from '../../plan/duration.js'
import type { DatabaseFacts, Facts, Finding, MemoriesPolicy, NamedService, Stack } from '../../plan/facts.js'
import { managedFindings } from '../../plan/managed.js'
import { type Disk, type Place, preflight } from '../../plan/preflight.js'
import { withRehearsals } from '../../plan/rehearsal.js'
import { composeStack } from '../context.js'
import { readVersion } from '../health.js'
import { observeDatabase } from './database.js'
import { dataPlace, readContainers, readLabels, readVolumes, runningOf, unlessLost } from './containers.js'
import { readEngine } from './docker.js'
import type { Answer, Look } from './look.js'

/** All that a plan is made from, read in parallel over one connection. `versions`: those of programs are asked as well. */
export async function observe(
  look: Look,
  { release, versions = false }: { readonly release?: string | undefined; readonly versions?: boolean } = {},
): Promise<Facts> {
  const stack = stackOf(look)
  const composed = look.try(composeConfig(composeStack(look.target)))
  // The longest first, and what goes on with another question: a host is asked only so much at a time.
  const [
    space,
    database,
    config,
    engine,
    containers,
    labels,
    volumes,
    version,
    records,
    shelf,
    places,
    managed,
    missing,
  ] = await Promise.all([
    readSpace(look),
    observeDatabase(look, release),
    composed,
    readEngine(look, { config: composed, versions }),
    readContainers(look).catch(unlessLost),
    readLabels(look).catch(unlessLost),
    readVolumes(look).catch(unlessLost),
    readVersion(look.deps, look.target),
    look.records(),
    look.shelf(),
    readPlaces(look),
    readManaged(look),
    readMissingPrograms(look),
  ])
  const model = config.exitCode === 0 ? modelOf(look, config) : null
  const findings = preflight({
    docker: engine.docker,
    compose: engine.compose,
    composeFile: { error: config.exitCode === 0 ? null : composeProblem(config) },
    identity: { ...stack, containers: labels, volumes, ownVolumes: model ? parseComposeVolumes(config.stdout) : [] },
    target: stack.target,
    named: stack.named,
    services: model && Object.keys(model.services),
    places,
    disks:
      engine.docker.version === null ? [] : disksOf(look, { ...space, atDocker: engine.freeBytes }, database.facts),
    database: look.target.database
      ? {
          error: database.error,
          hint: database.hint,
          preparedTransactions: database.facts?.preparedTransactions ?? 0,
          unrecorded: (database.facts?.unrecorded ?? false) && database.facts!.known.length > 0,
          ...(typeof look.target.database.migrations === 'object' ? { release } : {}),
        }
      : null,
  })
  return {
    at: new Date().toISOString(),
    stack,
    findings: [...findings, ...managed],
    containers,
    model: model ?? { services: {} },
    version,
    database: database.facts && {
      ...database.facts,
      known: withRehearsals(database.facts.known, shelf.manifests),
    },
    missingPrograms: missing,
    records,
    ...shelf,
  }
}

export function modelOf(look: Look, config: Answer): ComposeModel {
  return parseComposeModel({ json: config.stdout, project: look.target.compose.project })
}

/** A program with a path of its own may come with the release. */
async function readMissingPrograms(look: Look): Promise<string[]> {
  const programs = look.target.hooks
    .map((hook) => hook.command[0]!)
    .filter((it) => !it.includes('/') || it.startsWith('/'))
  if (programs.length === 0) return []
  const { stdout } = await look.try(missingPrograms(look.target.directory, [...new Set(programs)]))
  return stdout.split('\n').filter((line) => line !== '')
}

function namedServices({ services, database, logs, health, emergency }: Target): NamedService[] {
  return [
    ...services.application.map((service) => ({ key: 'services.application', service })),
    ...(database ? [{ key: 'database.service', service: database.service }] : []),
    ...(logs ? [{ key: 'logs.service', service: logs.service }] : []),
    ...(emergency.memory?.services ?? []).map((service) => ({ key: 'emergency.memory.services', service })),
    ...health.checks.flatMap(({ name, service }) =>
      service === undefined ? [] : [{ key: `health check "${name}"`, service }],
    ),
  ]
}

/** Compose's complaint names files, lines and variables, and never a value. */
export function composeProblem(config: Answer): string {
  const lines = config.stderr.split('\n').filter((line) => line.trim() !== '' && !line.includes('level=warning'))
  return lines.at(-1)?.slice(0, 300) ?? `exit status ${config.exitCode}`
}

async function readManaged(look: Look): Promise<Finding[]> {
  const { directory, managed, protected: protectedPaths } = look.target
  const { stdout } = await look.try(measureTrees(directory, managed))
  return managedFindings(parseTrees(stdout, managed), protectedPaths)
}

/** Room for a dump where backups lie, for a second database where the first lies, and to spare on each. */
function disksOf(look: Look, space: Space, database: DatabaseFacts | null): Disk[] {
  const { backups, disk } = look.target
  const spare = disk.freeBytes
  const size = database?.sizeBytes ?? 0
  const { atBackups, atDocker } = space
  const atDatabase = database ? space.atDatabase : Number.NaN
  const disks = [
    { what: 'a dump', path: backups, freeBytes: atBackups, neededBytes: spare + size },
    // Docker Desktop keeps its data in a virtual machine, where the host's df finds nothing to read.
    { what: 'images', path: 'the Docker root directory', freeBytes: atDocker, neededBytes: spare },
    { what: 'a second database', path: 'the data directory', freeBytes: atDatabase, neededBytes: spare + size * 1.2 },
  ]
  return disks.filter((it) => !Number.isNaN(it.freeBytes))
}

/** Free bytes; NaN where nobody can tell. */
interface Space {
  readonly atBackups: number
  readonly atDocker: number
  readonly atDatabase: number
}

async function readSpace(look: Look): Promise<Omit<Space, 'atDocker'>> {
  const { backups, database } = look.target
  const [atDatabase, atBackups] = await Promise.all([
    database ? readDatabaseSpace(look, database.service) : Number.NaN,
    readBytes(look, freeBytes(backups)),
  ])
  return { atBackups, atDatabase }
}

async function readDatabaseSpace(look: Look, service: string): Promise<number> {
  const running = runningOf(await look.inspected().catch(unlessLost), service)
  return running ? await readBytes(look, databaseFreeBytes(running.Id, dataPlace(running))) : Number.NaN
}

async function readBytes(look: Look, script: string): Promise<number> {
  return parseBytes((await look.try(script)).stdout)
}

async function readPlaces(look: Look): Promise<Place[]> {
  const { directory, backups } = look.target
  const { stateDirectory } = look.host
  const { stdout } = await look.try(writablePlaces({ directory, backups, stateDirectory }))
  const may = stdout.split('\n')
  return [
    { check: 'directory', path: directory, writable: may.includes('directory') },
    { check: 'backups', path: backups, writable: may.includes('backups') },
  ]
}

export function stackOf(look: Look): Stack {
  const { target } = look
  return {
    target: target.name,
    project: target.compose.project,
    directory: target.directory,
    composeFiles: target.compose.files,
    envFile: target.compose.envFile,
    managed: target.managed,
    protected: target.protected,
    application: target.services.application,
    databaseService: target.database?.service ?? null,
    named: namedServices(target),
    checks: target.checks.map((check) => check.name),
    hooks: target.hooks,
    logs: target.logs !== undefined,
    ...(target.logs ? { logService: target.logs.service } : {}),
    asksVersion: target.version !== undefined,
    mayLoseRows: target.undo.mayLoseRows,
    approval: target.approval,
    signers: Object.keys(look.deps.config.people),
    operatorDeadlineMs: durationMs(target.operatorDeadline),
    freeBytes: target.disk.freeBytes,
    retention: {
      keep: target.retention.restorePoints,
      counts: (target.database?.proof.when ?? 'off') === 'off' ? 'taken' : 'proven',
    },
    proof: proofOf(target),
    ...(target.memories ? { memories: memoriesOf(target.memories) } : {}),
  }
}

function memoriesOf({ path, keep }: NonNullable<Target['memories']>): MemoriesPolicy {
  return { path, keepMs: durationMs(keep) }
}

function proofOf({ database }: Target): Stack['proof'] {
  if (!database) return { when: 'off', keep: 0, warmMs: 0, keptMs: 0 }
  const { proof, keepFormer } = database
  return { when: proof.when, keep: proof.keep, warmMs: durationMs(proof.for), keptMs: durationMs(keepFormer) }
}
