// The manifest of a restore point: written last and by rename, so a restore point without one never was.

import { StepbackError } from './failure.js'

export type RestorePointState = 'taken' | 'proven' | 'warm' | 'kept' | 'broken'

export interface Manifest {
  /** `<UTC time>-<version>`, e.g. `20261123T140211Z-2.0.0`. */
  readonly id: string
  readonly target: string
  /** The version that was captured. */
  readonly version: string
  readonly createdAt: string
  readonly run: { readonly workflowId: string; readonly runId: string }
  readonly state: RestorePointState
  /** Who holds it back from retention, and why; empty where nobody does. */
  readonly pins: readonly Pin[]
  /** Why nobody should rely on it, or why it is broken; missing where there is no such reason. */
  readonly doubt?: string
  /** Why its dump is suspiciously small. A proof does not settle that: it says that the dump is whole, not that the database was. */
  readonly small?: string
  readonly files: readonly ManifestFile[]
  /** Managed paths that did not exist; going back removes them. */
  readonly absentPaths: readonly string[]
  readonly images: readonly { readonly service: string; readonly id: string; readonly ref: string }[]
  /** The newest applied migration, also where the database itself is in no dump. */
  readonly migrationHead?: string
  readonly database?: DatabaseManifest
  /** The database that was live: the run that took this kept it itself, in place of a dump. */
  readonly kept?: BesideDatabase
  /** What came of trying the migrations that were to follow on a copy of it. */
  readonly rehearsed?: readonly Rehearsed[]
}

export interface Rehearsed {
  /** The full name. */
  readonly migration: string
  readonly verdict: 'reversible' | 'loses' | 'fails'
  /** What is lost, or what it failed with. */
  readonly detail?: string
}

export interface Pin {
  readonly by: string
  readonly reason?: string
}

export interface ManifestFile {
  /** In the backups directory. */
  readonly name: string
  /** In the project directory; absent for files that only the restore point has. */
  readonly path?: string
  readonly sha256: string
  readonly bytes: number
  /** Octal, as `0600`. */
  readonly mode: string
  /** Absent for a plain file. */
  readonly kind?: 'link' | 'directory'
  /** Of a link, its text. */
  readonly target?: string
}

export type DumpFormat = 'dump' | 'sql'

/** A database beside the live one, by both its names: a name can be taken by another, an oid cannot. */
export interface BesideDatabase {
  readonly name: string
  readonly oid: number
}

export interface DatabaseManifest extends DatabaseFacts {
  /** The live database's name. */
  readonly name: string
  /** The dump's name in the backups directory; absent for a kept database, which is its own copy. */
  readonly file?: string
  readonly format: DumpFormat
  readonly warm?: WarmCopy
}

/** The database that a proof left ready, closed to everybody. */
export interface WarmCopy extends BesideDatabase {
  /** Of all sessions that ever were in it, as the server counts them: whoever was in it since shows. */
  readonly visits: string
}

/** What was read in the snapshot that the dump was made at. */
export interface DatabaseFacts {
  readonly serverVersion: number
  readonly oid: number
  readonly systemIdentifier: string
  /** `pg_current_snapshot()`: xmin:xmax:xip, 64 bit, the epoch in the upper half. */
  readonly snapshot: string
  /** Transactions under way at the snapshot that may have open savepoints, whose rows a snapshot cannot tell. */
  readonly openSavepoints: boolean
  readonly migrations: readonly { readonly name: string; readonly timestamp: number }[]
  readonly alembic?: string
  readonly schemaSha256: string
  readonly tables: readonly TableFacts[]
  readonly sequences: readonly SequenceFacts[]
  readonly properties: DatabaseProperties
  readonly extensions: readonly { readonly name: string; readonly version: string }[]
  /** Roles that the dump names; they must exist before it is restored. */
  readonly roles: readonly string[]
  readonly counters: Counters
}

export interface TableFacts {
  readonly schema: string
  readonly name: string
  readonly rows: number
  /** The sum of the hashes of all rows as text under pinned settings, so the order of rows does not matter. */
  readonly hash: string
}

export interface SequenceFacts {
  readonly schema: string
  readonly name: string
  readonly value: string
  readonly called: boolean
}

export interface DatabaseProperties {
  readonly owner: string
  readonly encoding: string
  readonly collate: string
  readonly ctype: string
  /** `c` libc, `i` ICU, `b` builtin. */
  readonly localeProvider: string
  readonly locale: string | null
  readonly icuRules: string | null
  readonly connectionLimit: number
  readonly acl: readonly { readonly grantee: string; readonly privilege: string; readonly grantable: boolean }[]
  /** `name=value`, as PostgreSQL keeps them. */
  readonly settings: readonly string[]
  readonly roleSettings: readonly { readonly role: string; readonly settings: readonly string[] }[]
  readonly comment: string | null
}

/** Cumulative counts of writes. They start anew when the server crashes or someone resets them. */
export interface Counters {
  readonly oid: number
  readonly systemIdentifier: string
  readonly statsReset: string | null
  /** When the server last lost all counts, which a crash does; absent in restore points from before it was read. */
  readonly statsBegan?: string | null
  readonly postmasterStart: string
  readonly tables: readonly TableCounters[]
}

export interface TableCounters {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
}

/** Reads a manifest. Whatever is wrong with it is said at once, path first; keys of a later version are let through. */
export function parseManifest(text: string): Manifest {
  const value = readJson(text)
  const problems = mismatches(manifestShape, value, '')
  if (problems.length === 0) return value as Manifest
  throw refused(problems.join('; '))
}

type Shape =
  | 'string'
  | 'number'
  | 'boolean'
  | { readonly oneOf: readonly string[] }
  | { readonly each: Shape }
  | { readonly maybe: Shape }
  | { readonly nullable: Shape }
  | { readonly keys: Readonly<Record<string, Shape>> }

const beside: Shape = { keys: { name: 'string', oid: 'number' } }

const propertiesShape: Shape = {
  keys: {
    owner: 'string',
    encoding: 'string',
    collate: 'string',
    ctype: 'string',
    localeProvider: { oneOf: ['c', 'i', 'b'] },
    locale: { nullable: 'string' },
    icuRules: { nullable: 'string' },
    connectionLimit: 'number',
    acl: { each: { keys: { grantee: 'string', privilege: 'string', grantable: 'boolean' } } },
    settings: { each: 'string' },
    roleSettings: { each: { keys: { role: 'string', settings: { each: 'string' } } } },
    comment: { nullable: 'string' },
  },
}

const tableCounters: Shape = {
  keys: { oid: 'number', schema: 'string', name: 'string', inserted: 'number', updated: 'number', deleted: 'number' },
}

const databaseShape: Shape = {
  keys: {
    name: 'string',
    file: { maybe: 'string' },
    format: { oneOf: ['dump', 'sql'] },
    warm: { maybe: { keys: { name: 'string', oid: 'number', visits: 'string' } } },
    serverVersion: 'number',
    oid: 'number',
    systemIdentifier: 'string',
    snapshot: 'string',
    openSavepoints: 'boolean',
    migrations: { each: { keys: { name: 'string', timestamp: 'number' } } },
    alembic: { maybe: 'string' },
    schemaSha256: 'string',
    tables: { each: { keys: { schema: 'string', name: 'string', rows: 'number', hash: 'string' } } },
    sequences: { each: { keys: { schema: 'string', name: 'string', value: 'string', called: 'boolean' } } },
    properties: propertiesShape,
    extensions: { each: { keys: { name: 'string', version: 'string' } } },
    roles: { each: 'string' },
    counters: {
      keys: {
        oid: 'number',
        systemIdentifier: 'string',
        statsReset: { nullable: 'string' },
        statsBegan: { maybe: { nullable: 'string' } },
        postmasterStart: 'string',
        tables: { each: tableCounters },
      },
    },
  },
}

const manifestShape: Shape = {
  keys: {
    id: 'string',
    target: 'string',
    version: 'string',
    createdAt: 'string',
    run: { keys: { workflowId: 'string', runId: 'string' } },
    state: { oneOf: ['taken', 'proven', 'warm', 'kept', 'broken'] },
    pins: { each: { keys: { by: 'string', reason: { maybe: 'string' } } } },
    doubt: { maybe: 'string' },
    small: { maybe: 'string' },
    files: {
      each: {
        keys: {
          name: 'string',
          path: { maybe: 'string' },
          sha256: 'string',
          bytes: 'number',
          mode: 'string',
          kind: { maybe: { oneOf: ['link', 'directory'] } },
          target: { maybe: 'string' },
        },
      },
    },
    absentPaths: { each: 'string' },
    images: { each: { keys: { service: 'string', id: 'string', ref: 'string' } } },
    migrationHead: { maybe: 'string' },
    database: { maybe: databaseShape },
    kept: { maybe: beside },
    rehearsed: {
      maybe: {
        each: {
          keys: {
            migration: 'string',
            verdict: { oneOf: ['reversible', 'loses', 'fails'] },
            detail: { maybe: 'string' },
          },
        },
      },
    },
  },
}

function mismatches(shape: Shape, value: unknown, path: string): readonly string[] {
  if (typeof shape === 'string') return typeof value === shape ? [] : [wrong(path, shape, value)]
  if ('oneOf' in shape)
    return shape.oneOf.includes(value as string) ? [] : [wrong(path, shape.oneOf.join(' or '), value)]
  if ('maybe' in shape) return value === undefined ? [] : mismatches(shape.maybe, value, path)
  if ('nullable' in shape) return value === null ? [] : mismatches(shape.nullable, value, path)
  if ('each' in shape) {
    if (!Array.isArray(value)) return [wrong(path, 'a list', value)]
    return value.flatMap((item, index) => mismatches(shape.each, item, `${path}[${index}]`))
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [wrong(path, 'an object', value)]
  return Object.entries(shape.keys).flatMap(([key, inner]) =>
    mismatches(inner, (value as Record<string, unknown>)[key], path === '' ? key : `${path}.${key}`),
  )
}

function wrong(path: string, expected: string, value: unknown): string {
  return `${path || 'the manifest'}: expected ${expected}, found ${JSON.stringify(value)?.slice(0, 60) ?? 'nothing'}`
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw refused(`not JSON: ${(cause as Error).message}`)
  }
}

function refused(message: string): StepbackError {
  return new StepbackError({ type: 'Refused', message, hint: 'choose another restore point.' })
}
