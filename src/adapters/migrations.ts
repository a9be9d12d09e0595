// Compiled migrations: read as one text, and run from a private copy of that text, never from where they were read. So
// what is kept on a host is what was run, and a module that was compiled anew is not mistaken for the one before.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Target } from '../config/schema.js'
import { StepbackError } from '../plan/failure.js'
import type { MigrationClass } from './database.js'
import { type Bundle, bundleOf, isModule, type MigrationCode, parseCode } from './migrations/bundle.js'
import { migrationClasses } from './migrations/classes.js'

export { codeLimitBytes, type MigrationCode } from './migrations/bundle.js'
export { nameOf } from './migrations/classes.js'

/** What the configuration names; null where it names nothing that is here: no database, or a file of an absent release. */
export async function read(target: Target, release?: string): Promise<MigrationCode | null> {
  const source = target.database?.migrations
  if (source === undefined || source === 'none') return null
  if (source === 'reference') return bundleOf(ownDirectory)
  if (typeof source === 'string') return guarded(source, () => bundleOf(source))
  if (release === undefined) return null
  const path = join(release, source.release)
  return guarded(path, () => bundleOf(path))
}

const loaded = new Map<string, Promise<readonly MigrationClass[]>>()

/** The classes of a code, loaded once; `Refused` where the text is not what its checksum says, before any of it runs. */
export async function load(code: MigrationCode): Promise<readonly MigrationClass[]> {
  const bundle = await guarded(code.sha256, () => parseCode(code))
  const known = loaded.get(code.sha256) ?? guarded(code.sha256, () => run(code.sha256, bundle))
  loaded.set(code.sha256, known)
  known.catch(() => loaded.delete(code.sha256))
  return await known
}

const ownDirectory = fileURLToPath(new URL('../migrations', import.meta.url))

async function run(sha256: string, bundle: Bundle): Promise<readonly MigrationClass[]> {
  // The package's own are here already; from the sources, in tests, a copy of them could not be run.
  if (sha256 === bundleOf(ownDirectory).sha256) return (await import('../migrations/index.js')).migrations
  const root = join(privateDirectory(), sha256)
  for (const [path, text] of Object.entries(bundle.files)) {
    const file = join(root, path)
    if (!file.startsWith(`${root}/`)) throw new TypeError(`"${path}" leads out of it`)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text, { mode: 0o600 })
  }
  const entry = join(root, bundle.entry)
  const modules = isModule(bundle.entry) ? [entry] : modulesIn(entry)
  return migrationClasses(
    await Promise.all(modules.map((module) => import(pathToFileURL(module).href) as Promise<object>)),
  )
}

function modulesIn(directory: string): string[] {
  const names = readdirSync(directory).filter((name) => isModule(name))
  return names.toSorted().map((name) => join(directory, name))
}

let directory: string | undefined

/** Only this process may write there, so nobody changes a text between its checksum and its run. */
function privateDirectory(): string {
  if (directory !== undefined) return directory
  const made = mkdtempSync(join(tmpdir(), 'stepback-migrations-'))
  process.once('exit', () => rmSync(made, { recursive: true, force: true }))
  mkdirSync(join(made, 'node_modules'))
  symlinkSync(dirname(createRequire(import.meta.url).resolve('typeorm')), join(made, 'node_modules', 'typeorm'))
  directory = made
  return made
}

async function guarded<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new StepbackError({
      type: 'Refused',
      message: `migrations "${what}" cannot be loaded: ${(cause as Error).message}`,
      hint:
        'database.migrations names a compiled module that exports its migrations, as a list `migrations` or as classes, or a ' +
        'directory of such modules; of packages they may import only typeorm.',
      cause,
    })
  }
}
