import { describeFiles, parseFileFacts } from '../../commands/files.js'
import { composeConfig, imageIds } from '../../commands/observe.js'
import type { CandidateFacts, Facts } from '../../plan/facts.js'
import { StepbackError } from '../../plan/failure.js'
import type { Manifest, ManifestFile } from '../../plan/manifest.js'
import type { RollbackRequest } from '../../plan/request.js'
import { composeStack } from '../context.js'
import { observeDowns, observeExposure } from './database.js'
import { composeProblem, modelOf } from './facts.js'
import type { Look } from './look.js'

/** A restore point compared with what is there. Its checksums come first: a bad one costs nothing. */
export async function observeCandidate(
  look: Look,
  input: { readonly request: RollbackRequest; readonly facts: Facts; readonly manifest: Manifest },
): Promise<CandidateFacts> {
  const { manifest } = input
  await verifyFiles(look, manifest)
  const [model, changedFiles, images, exposure, downExposure] = await Promise.all([
    readModel(look, manifest),
    readChangedFiles(look, manifest),
    compareImages(look, manifest),
    input.request.strategy === 'migrate' ? null : observeExposure(look, manifest),
    observeDowns(look, appliedSince(input.facts, manifest)),
  ])
  return { manifest, model, changedFiles, ...images, exposure, downExposure }
}

function appliedSince(facts: Facts, manifest: Manifest): readonly string[] {
  const then = manifest.database?.migrations.map((migration) => migration.name)
  return then ? (facts.database?.applied.filter((name) => !then.includes(name)) ?? []) : []
}

async function verifyFiles(look: Look, manifest: Manifest): Promise<void> {
  const names = [...new Set(manifest.files.map((file) => file.name))]
  const found = parseFileFacts(await look.look(describeFiles(look.target.backups, names)), names)
  const broken = manifest.files.filter(isWhole).flatMap((file) => {
    const fact = found.find((it) => it.path === file.name)
    if (!fact || fact.kind !== 'file') return [`${file.name} is missing`]
    return fact.sha256 === file.sha256 ? [] : [`${file.name} has another checksum than the recorded one`]
  })
  if (broken.length === 0) return
  throw new StepbackError({
    type: 'Refused',
    message: `restore point "${manifest.id}" is not whole: ${broken.join('; ')}`,
    hint: 'choose another restore point with --to; nothing was changed.',
  })
}

/** A file of its own in the backups directory; the members of the archive carry the archive's name. */
function isWhole(file: ManifestFile): boolean {
  return file.path === undefined || !file.name.endsWith('.tar.gz')
}

async function readModel(look: Look, manifest: Manifest): Promise<CandidateFacts['model']> {
  const stack = composeStack(look.target)
  const { backups } = look.target
  const saved = (path: string) => manifest.files.find((file) => file.path === path && isWhole(file))
  const composeFile = saved(stack.files[0]!)
  const envFile = saved(stack.envFile)
  const config = await look.try(
    composeConfig({
      ...stack,
      files: [composeFile ? `${backups}/${composeFile.name}` : stack.files[0]!, ...stack.files.slice(1)],
      envFile: envFile ? `${backups}/${envFile.name}` : stack.envFile,
    }),
  )
  if (config.exitCode === 0) return modelOf(look, config)
  throw new StepbackError({
    type: 'Refused',
    message: `docker compose cannot read the compose file of restore point "${manifest.id}": ${composeProblem(config)}`,
    hint: 'choose another restore point with --to.',
  })
}

/** Managed files that are not as they were, and those that did not exist then. */
async function readChangedFiles(look: Look, manifest: Manifest): Promise<string[]> {
  const kept = manifest.files.filter((file) => file.path !== undefined)
  const paths = [...kept.map((file) => file.path!), ...manifest.absentPaths]
  const live = parseFileFacts(await look.look(describeFiles(look.target.directory, paths)), paths)
  return live
    .filter((fact) => {
      const then = kept.find((file) => file.path === fact.path)
      return then ? fact.sha256 !== then.sha256 : fact.kind !== 'absent'
    })
    .map((fact) => fact.path)
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
