import type { Counted } from '../../adapters/database.js'
import { type FileFact, describeFiles, parseFileFacts } from '../../commands/file-facts.js'
import { mergedEnv } from '../../commands/files.js'
import { imageIds, readEnvFile } from '../../commands/observe.js'
import { command } from '../../commands/shell.js'
import type { ComposeModel } from '../../plan/compose.js'
import type { CandidateFacts, Facts } from '../../plan/facts.js'
import { StepbackError } from '../../plan/failure.js'
import { countedSince } from '../../plan/exposure.js'
import type { Manifest, ManifestFile } from '../../plan/manifest.js'
import type { RollbackRequest } from '../../plan/request.js'
import { type WayBack, isWhole, wayBack } from '../../plan/way-back.js'
import { composeStack } from '../context.js'
import { together } from '../together.js'
import { observeAhead } from './ahead.js'
import { observeCarryable, observeDowns, observeExposure, observeSchemaChange } from './database.js'
import { observeEnvironment } from './environment.js'
import { composeProblem, modelOf } from './facts.js'
import { changeOnWayBack, isAmong } from './file-changes.js'
import type { Look } from './look.js'
import { type Replaced, askWith, hashWith } from './resulting.js'

/** What a restore point holds, compared with what is there. */
type Held = Pick<
  CandidateFacts,
  'manifest' | 'model' | 'paths' | 'changedFiles' | 'changes' | 'environment' | 'changedImages' | 'missingImages'
> & {
  /** Of the database's definition in its files; null where nobody can tell. */
  readonly hash: string | null
  readonly loses: Loses
}

/** What bringing its database in would lose, and the restore point since which that is counted. */
interface Loses {
  readonly since: Manifest | undefined
  readonly counted: Counted | null
}

/**
 * All that can be asked with nothing known but ledger and shelf, beside the look at the target. Of all that is wrong
 * with it, a wrong checksum is said first.
 */
export async function observeHeld(
  look: Look,
  input: Pick<Facts, 'records' | 'manifests'> & { readonly request: RollbackRequest; readonly manifest: Manifest },
): Promise<Held> {
  const { manifest, manifests, request } = input
  const way = wayBack(manifest, manifests, '~')
  const full = request.scope === 'full'
  const replaced = recordedFiles(look, way, request.secrets)
  const since = countedSince(input, manifest)
  const [, model, hash, { changedFiles, changes }, images, environment, counted] = await together([
    verifyFiles(look, manifest, [...manifest.files.filter(isWhole), ...way.sources]),
    modelWith(look, replaced, manifest),
    hashWith(look, replaced),
    readChanges(look, way, full ? request.secrets : null),
    compareImages(look, manifest),
    full ? readEnvironment(look, manifest, request.secrets) : null,
    request.strategy === 'migrate' ? null : observeExposure(look, since, manifest.kept !== undefined),
  ])
  const paths = [...way.files.map((file) => file.path!), ...way.absent]
  const loses = { since, counted }
  return { manifest, model, hash, loses, paths, changedFiles, changes, environment, ...images }
}

/** What going back to it would meet, and lose. */
export async function observeCandidate(
  look: Look,
  input: { readonly request: RollbackRequest; readonly facts: Facts; readonly held: Held },
): Promise<CandidateFacts> {
  const { request, facts } = input
  const { hash, loses, ...held } = input.held
  const { manifest, model } = held
  const [ahead, downExposure, other, carryable] = await together([
    observeAhead(look, { model, containers: facts.containers, hash, recorded: manifest.images }),
    observeDowns(look, appliedSince(facts, manifest)),
    facts.database?.othersMigrate ? observeSchemaChange(look, manifest) : false,
    request.carryForward === undefined ? null : observeCarryable(look),
  ])
  const { exposure = null, counters } = loses.counted ?? {}
  const since = loses.since && loses.since.id !== manifest.id ? { since: loses.since.id } : {}
  const lost = { exposure, ...(counters ? { counters } : {}), downExposure }
  const schema = other ? { schemaChanged: true as const } : {}
  const tables = carryable ? { carryable } : {}
  return { ...held, ahead, ...lost, ...since, ...schema, ...tables }
}

/** Which files change, and how those do that have keys; the environment file is looked at by itself. */
async function readChanges(look: Look, way: WayBack, secrets: RollbackRequest['secrets'] | null) {
  const changedFiles = await readChangedFiles(look, way)
  if (secrets === null) return { changedFiles, changes: [] }
  const { compose, managed } = look.target
  const configured = changedFiles.filter((path) => isAmong(path, [...compose.files, ...managed]))
  const replaced = recordedFiles(look, way, secrets)
  const read = configured.slice(0, most).map((path) => changeOnWayBack(look, way, replaced, path))
  return { changedFiles, changes: (await Promise.all(read)).filter((it) => it !== null) }
}

/** As many as a person reads; a managed directory may hold thousands. */
const most = 20

function appliedSince(facts: Facts, manifest: Manifest): readonly string[] {
  const then = manifest.database?.migrations.map((migration) => migration.name)
  return then ? (facts.database?.applied.filter((name) => !then.includes(name)) ?? []) : []
}

/** Looks at files of the backups directory: `Refused` where one is not as recorded. */
export async function verifyFiles(
  look: Look,
  manifest: Manifest,
  files: readonly { readonly name: string; readonly sha256: string }[],
): Promise<void> {
  const recorded = new Map(files.map((it) => [it.name, it.sha256]))
  const names = [...recorded.keys()]
  const found = parseFileFacts(await look.look(describeFiles(look.target.backups, names)), names)
  const broken = found.flatMap((fact) => {
    if (fact.kind !== 'file') return [`${fact.path} is missing`]
    return fact.sha256 === recorded.get(fact.path)
      ? []
      : [`${fact.path} has another checksum than the recorded one (${fact.bytes} bytes)`]
  })
  if (broken.length === 0) return
  throw new StepbackError({
    type: 'Refused',
    message: `restore point "${manifest.id}" is not whole: ${broken.join('; ')}`,
    hint: 'choose another restore point with --to; nothing was changed.',
  })
}

/** The stack with files of a restore point; `Refused` where Compose cannot read it. */
export async function modelWith(look: Look, replaced: readonly Replaced[], { id }: Manifest): Promise<ComposeModel> {
  const config = await askWith(look, replaced)
  if (config.exitCode === 0) return modelOf(look, config)
  throw new StepbackError({
    type: 'Refused',
    message: `docker compose cannot read the compose file of restore point "${id}": ${composeProblem(config)}`,
    hint: 'choose another restore point with --to.',
  })
}

/** Every file of the stack that the restore point holds; further compose files lie in its archive. */
export function recordedFiles(look: Look, way: WayBack, secrets: RollbackRequest['secrets']): Replaced[] {
  const { directory, backups, secrets: keys } = look.target
  const { files, envFile } = composeStack(look.target)
  return [...files, envFile].flatMap((path) => {
    const saved = way.files.find((file) => file.path === path && file.kind === undefined)
    if (!saved) return []
    const name = `${backups}/${saved.name}`
    if (!isWhole(saved)) return [{ path, print: command('tar', '-xzOf', name, `./${path}`) }]
    if (path !== envFile || secrets === 'restore' || keys.length === 0) return [{ path, print: command('cat', name) }]
    const live = `${directory}/${envFile}`
    return [{ path, print: mergedEnv({ live, saved: name, liveKeys: keys }) }]
  })
}

async function readEnvironment(
  look: Look,
  manifest: Manifest,
  secrets: RollbackRequest['secrets'],
): Promise<CandidateFacts['environment']> {
  const saved = manifest.files.find((file) => file.path === look.target.compose.envFile && isWhole(file))
  if (!saved) return null
  const text = await look.look(readEnvFile(look.target.backups, saved.name))
  const keep = secrets === 'keep' ? look.target.secrets : []
  return await observeEnvironment(look, { text, keep, whose: `restore point "${manifest.id}"` })
}

/** Managed files that are not as they were, and those that did not exist then. */
export async function readChangedFiles(look: Look, way: WayBack): Promise<string[]> {
  const then = new Map(way.files.map((file) => [file.path!, file]))
  const paths = [...then.keys(), ...way.absent]
  const live = parseFileFacts(await look.look(describeFiles(look.target.directory, paths)), paths)
  return live.filter((fact) => !isAsThen(fact, then.get(fact.path))).map((fact) => fact.path)
}

/** A directory that did not exist may be left over, with what is not ours in it: no reason to go back. */
function isAsThen(fact: FileFact, then: ManifestFile | undefined): boolean {
  if (!then) return fact.kind === 'absent' || fact.kind === 'directory'
  if (then.kind === 'link') return fact.kind === 'link' && fact.target === then.target
  if (then.kind === 'directory') return fact.kind === 'directory'
  return fact.kind === 'file' && fact.sha256 === then.sha256 && Number(fact.mode) === Number(then.mode)
}

async function compareImages(
  look: Look,
  manifest: Manifest,
): Promise<{ readonly changedImages: string[]; readonly missingImages: string[] }> {
  if (manifest.images.length === 0) return { changedImages: [], missingImages: [] }
  const references = manifest.images.flatMap((image) => [image.ref, image.id])
  const lines = (await look.look(imageIds(references))).trimEnd().split('\n')
  const pairs = manifest.images.map((image, index) => ({ image, byRef: lines[index * 2], byId: lines[index * 2 + 1] }))
  return {
    changedImages: pairs.filter(({ image, byRef }) => byRef !== image.id).map(({ image }) => image.service),
    missingImages: pairs.filter(({ byId }) => byId === '-').map(({ image }) => `${image.service} ${image.id}`),
  }
}
