import { readEnvFile } from '../../commands/observe.js'
import { command } from '../../commands/shell.js'
import type { ConfigurationFacts, Facts } from '../../plan/facts.js'
import type { Manifest } from '../../plan/manifest.js'
import type { FileChange } from '../../plan/plan.js'
import type { RollbackRequest } from '../../plan/request.js'
import { type WayBack, isWhole, wayBack, wayBackOf } from '../../plan/way-back.js'
import { together } from '../together.js'
import { observeAhead } from './ahead.js'
import { modelWith, readChangedFiles, recordedFiles, verifyFiles } from './candidate.js'
import { observeEnvironment } from './environment.js'
import { changeOnWayBack } from './file-changes.js'
import type { Look } from './look.js'
import { type Replaced, askWith } from './resulting.js'

/** The configured files of a restore point beside those of now; their contents are read and dropped. */
export async function observeConfiguration(
  look: Look,
  input: { readonly request: RollbackRequest; readonly facts: Facts; readonly manifest: Manifest },
): Promise<ConfigurationFacts> {
  const { request, facts, manifest } = input
  const { composeFiles, envFile, managed, databaseService } = facts.stack
  const way = wayBackOf(wayBack(manifest, facts.manifests, '~'), [...composeFiles, envFile, ...managed])
  const replaced = recordedFiles(look, way, request.secrets)
  const [, model, changes, kept] = await together([
    verifyFiles(look, manifest, way.sources),
    modelWith(look, replaced, manifest),
    readChanges(look, way, replaced),
    readKept(look, request, manifest, way),
  ])
  const hashes = await readHashes(look, replaced, Object.keys(model.services))
  const hash = hashes[databaseService ?? '']?.[0] ?? null
  const ahead = await observeAhead(look, { model, containers: facts.containers, hash, recorded: [] })
  const own = facts.containers.find((it) => it.service === databaseService)?.configHash
  const same = own !== undefined && hashes[databaseService ?? '']?.includes(own)
  return { manifest, model, hashes, changes, kept, ahead: same ? { ...ahead, recreation: null } : ahead }
}

/** An `up` that leaves dependencies alone, as those of a run do, hashes a service without them. */
async function readHashes(
  look: Look,
  replaced: readonly Replaced[],
  services: readonly string[],
): Promise<Record<string, readonly string[]>> {
  const lines = services.map((service) => `${JSON.stringify(service)}: { depends_on: !reset {} }`)
  const print = command('printf', '%s', `services: { ${lines.join(', ')} }`)
  const [whole, single] = await together([
    askWith(look, replaced, hashAll),
    askWith(look, replaced, hashAll, { path: 'alone.yml', print }),
  ])
  const [first, second] = [whole, single].map(({ stdout }) => hashesIn(stdout))
  return Object.fromEntries(services.map((it) => [it, [first!.get(it) ?? [], second!.get(it) ?? []].flat()]))
}

const hashAll = ['config', '--hash', '*']

function hashesIn(stdout: string): ReadonlyMap<string, string> {
  return new Map(
    stdout.split('\n').flatMap((line) => {
      const [service, hash] = line.trim().split(' ')
      return service !== undefined && hash !== undefined ? [[service, hash] as const] : []
    }),
  )
}

async function readKept(
  look: Look,
  { secrets }: RollbackRequest,
  manifest: Manifest,
  { files }: WayBack,
): Promise<readonly string[]> {
  const saved = files.find((file) => file.path === look.target.compose.envFile && isWhole(file))
  if (!saved) return []
  const text = await look.look(readEnvFile(look.target.backups, saved.name))
  const keep = secrets === 'keep' ? look.target.secrets : []
  const change = await observeEnvironment(look, { text, keep, whose: `restore point "${manifest.id}"` })
  return change?.kept ?? []
}

/** With the live lines of kept secrets the environment file may be as it is. */
async function readChanges(look: Look, way: WayBack, replaced: readonly Replaced[]): Promise<FileChange[]> {
  const paths = await readChangedFiles(look, way)
  const changes = await Promise.all(paths.map((path) => changeOnWayBack(look, way, replaced, path)))
  return changes.filter((it) => it !== null)
}
