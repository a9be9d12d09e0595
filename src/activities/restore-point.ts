// Everything that is needed to come back to one moment. The manifest is written last: without it there was no restore point.

import { describeFiles, type FileFact, parseFileFacts } from '../commands/file-facts.js'
import { captureFiles } from '../commands/files.js'
import { writeManifest } from '../commands/manifest.js'
import { writeRestoreScript } from '../commands/restore-script.js'
import { command } from '../commands/shell.js'
import { parseFacts } from '../commands/database/facts.js'
import { againAfterRestart } from '../commands/database/restart.js'
import { parseTaken, takeDump } from '../commands/database/take.js'
import type { ActArgs } from '../plan/act.js'
import { StepbackError } from '../plan/failure.js'
import { restorePointTime } from '../plan/ledger.js'
import type { Container } from '../plan/facts.js'
import type { BesideDatabase, DatabaseManifest, Manifest, ManifestFile } from '../plan/manifest.js'
import { parentsOf } from '../plan/release.js'
import { smallness } from '../plan/retention.js'
import { isWhole } from '../plan/way-back.js'
import type { ActDefinition } from './act.js'
import { besideNames, reserveOf } from './beside.js'
import { type ActContext, doneAgain } from './context.js'
import { databaseAccess, withJournal } from './database-access.js'
import { readContainers } from './observe/containers.js'
import { readManifests } from './observe/manifests.js'
import { observeStanding, scriptOf } from './restore-script.js'
import { together } from './together.js'

export const takeRestorePoint: ActDefinition<'takeRestorePoint'> = {
  jobs: ['files', 'dump', 'manifest'],
  looksFirst: true,
  run: async (context, args) => {
    const containers = readContainers(context)
    const [files, database, kept, images, standing, earlier] = await together([
      captureAll(context, args),
      args.database === 'dump' ? dump(context) : null,
      args.database === 'kept' ? willBeKept(context) : null,
      containers.then(recordedImages),
      observeStanding(context, { containers, levels: args.levels }),
      args.database === 'dump' ? earlierPoints(context) : [],
    ])
    const manifest = manifestOf(context, args, { files, database, kept, images, earlier })
    // The manifest comes last: what has one is whole.
    const script = writeRestoreScript(scriptOf(context, manifest, standing))
    const writes = [script, writeManifest({ backups: context.backups, manifest })]
    await context.job('manifest', writes.join(''), { holds: doneAgain })
    const dumped = database ? `, dump of ${database.file.bytes} bytes` : ''
    return `${context.safety}${manifest.small === undefined ? dumped : `; ${manifest.small}`}`
  },
}

interface Captured {
  readonly files: readonly ManifestFile[]
  readonly absent: readonly string[]
}

interface Dumped {
  readonly file: ManifestFile
  readonly manifest: DatabaseManifest
}

async function captureAll(context: ActContext, args: ActArgs['takeRestorePoint']): Promise<Captured> {
  const { compose, directory, managed } = context.target
  const own = { composeFile: compose.files[0]!, envFile: compose.envFile }
  const id = context.safety
  // Directories that a release makes on the way go with it, so what is there of them is recorded, too.
  const paths = [...new Set([own.composeFile, own.envFile, ...args.paths, ...args.paths.flatMap(parentsOf)])]
  const names = [`docker-compose_${id}.yml`, `env_${id}`, `config_${id}.tar.gz`]
  const trees = managed.filter((path) => args.paths.includes(path))
  const capture = captureFiles({ directory, backups: context.backups, id, ...own, paths: args.paths, trees })
  // The job is named after what it copies, so one of unknown end is simply done again.
  const live = describeFiles(directory, paths, trees)
  const stdout = await context.job(
    'files',
    [capture, live, 'echo COPIES', describeFiles(context.backups, names)].join('\n'),
    {
      holds: doneAgain,
    },
  )
  const [first = '', second = ''] = stdout.split('COPIES\n')
  return captured(parseFileFacts(first, paths), parseFileFacts(second, names))
}

/** What each live path was, and which copy holds it; the archive is listed once for itself, and for each of its members. */
function captured(live: readonly FileFact[], copies: readonly FileFact[]): Captured {
  const special = live.find((fact) => fact.kind === 'special')
  if (special) {
    throw new StepbackError({
      type: 'StepFailed',
      message: `"${special.path}" is neither a file, a link nor a directory, so no restore point can hold it`,
      hint: 'move it out of the managed paths.',
    })
  }
  const archive = copies[2]!
  const files = live.flatMap((fact, index) => {
    // Below a managed directory comes again what has a copy of its own.
    const again = live.findIndex((it) => it.path === fact.path) < index
    return fact.kind === 'absent' || again ? [] : [member(fact, copies[index < 2 ? index : 2]!)]
  })
  const whole = archive.kind === 'file' ? [entry(archive)] : []
  return { files: [...files, ...whole], absent: live.filter((it) => it.kind === 'absent').map((it) => it.path) }
}

function member(fact: FileFact, copy: FileFact): ManifestFile {
  const { path, sha256, bytes, target } = fact
  const file = { name: copy.path, path, sha256, bytes, mode: octal(fact.mode) }
  if (fact.kind === 'directory') return { ...file, kind: 'directory' }
  if (fact.kind !== 'link') return file
  // Of a compose or environment file that is a link, the copy holds what it leads to.
  const content = copy.kind === 'file' && isWhole(file) ? { sha256: copy.sha256, bytes: copy.bytes } : {}
  return { ...file, ...content, kind: 'link', target: target ?? '' }
}

function entry(fact: FileFact): ManifestFile {
  return { name: fact.path, sha256: fact.sha256, bytes: fact.bytes, mode: octal(fact.mode) }
}

function octal(mode: string): string {
  return mode.padStart(4, '0')
}

async function dump(context: ActContext): Promise<Dumped> {
  const { database } = context.target
  if (!database) throw new StepbackError({ type: 'StepFailed', message: 'the configuration has no database' })
  const { access, applicationName } = await databaseAccess(context, `${context.run8}.dump`)
  const name = `db_${context.safety}.${database.dumpFormat}`
  const factsFile = `${context.backups}/db_${context.safety}.facts`
  const job = takeDump({
    ...access,
    database: database.name,
    outFile: `${context.backups}/${name}`,
    factsFile,
    format: database.dumpFormat,
    applicationName,
    reserveBytes: reserveOf(context.target),
  })
  const { script, ending } = againAfterRestart({ ...access, locksIn: database.name }, job)
  const { sha256, bytes } = parseTaken(await context.job('dump', script, { ending, holds: doneAgain }))
  const [text] = await together([
    context.look(`${command('cat', factsFile)}\n`),
    withJournal(context, 'taken', (journal) =>
      journal.memory.rememberTaken({ ...context.operation, id: context.safety }),
    ),
  ])
  return {
    file: { name, sha256, bytes, mode: '0600' },
    manifest: { ...parseFacts(text), name: database.name, file: name, format: database.dumpFormat },
  }
}

interface Taken {
  readonly files: Captured
  readonly database: Dumped | null
  readonly kept: BesideDatabase | null
  readonly images: Manifest['images']
  readonly earlier: readonly Manifest[]
}

function manifestOf(context: ActContext, args: ActArgs['takeRestorePoint'], taken: Taken): Manifest {
  const { files, database, kept, images } = taken
  const small = database && smallness(database.file.bytes, taken.earlier)
  return {
    id: context.safety,
    target: context.target.name,
    version: args.version,
    createdAt: restorePointTime(context.safety),
    run: context.origin,
    state: kept ? 'kept' : 'taken',
    pins: [],
    ...(small ? { small } : {}),
    files: [...files.files, ...(database ? [database.file] : [])],
    absentPaths: files.absent,
    images,
    ...(args.head === null ? {} : { migrationHead: args.head }),
    ...(database ? { database: database.manifest } : {}),
    ...(kept ? { kept } : {}),
  }
}

/** The live database, under the name that this run's swap will give it. */
async function willBeKept(context: ActContext): Promise<BesideDatabase> {
  const { liveName, beforeName } = besideNames(context)
  // Not through the live database itself, which may be what is damaged.
  const oid = await withJournal(context, 'kept', (journal) => journal.oidOf(liveName))
  return { name: beforeName, oid }
}

async function earlierPoints(context: ActContext): Promise<Manifest[]> {
  return (await readManifests(context)).filter((it) => it.id < context.safety)
}

/** The images by id, and the reference by which Compose finds each. */
function recordedImages(containers: readonly Container[]): Manifest['images'] {
  return containers
    .filter((it, index) => containers.findIndex((other) => other.service === it.service) === index)
    .map(({ service, imageId, imageRef }) => ({ service, id: imageId, ref: imageRef }))
    .toSorted((a, b) => (a.service < b.service ? -1 : 1))
}
