import { StepbackError } from './failure.js'
import type { ComposeModel } from './compose.js'
import type { Facts, Finding, NamedService } from './facts.js'
import { type Identity, identity } from './identity.js'

export interface Observed {
  readonly docker: { readonly version: string | null; readonly error: string }
  readonly compose: { readonly version: string | null; readonly error: string }
  readonly composeFile: { readonly error: string | null }
  readonly identity: Identity
  readonly named: readonly NamedService[]
  /** Those of the compose file; null where it cannot be read. */
  readonly services: readonly string[] | null
  readonly places: readonly Place[]
  readonly disks: readonly Disk[]
  readonly database: DatabaseFound | null
  readonly target: string
}

/** A directory that a run writes to. */
export interface Place {
  readonly check: 'directory' | 'backups'
  readonly path: string
  /** Whether the SSH user may write there, or make it where it is not there yet. */
  readonly writable: boolean
}

export interface DatabaseFound {
  readonly error: string | null
  readonly hint?: string | undefined
  readonly preparedTransactions: number
  /** It has tables and no record of a migration, and migrations are known. */
  readonly unrecorded?: boolean
  /** The one that they come with, where they come with releases. */
  readonly release?: string | undefined
}

export interface Disk {
  readonly what: string
  readonly path: string
  readonly freeBytes: number
  readonly neededBytes: number
}

/** Everything that a run needs of a host, one finding each; `doctor` prints them, a run refuses on the first bad one. */
export function preflight(observed: Observed): Finding[] {
  return [
    program('docker', 'Docker Engine', observed.docker, 'start Docker on the host, and let the SSH user use it.'),
    program('compose', 'Docker Compose', observed.compose, 'install the Compose plugin, version 2, on the host.'),
    composeFile(observed),
    ...(observed.services ? [services(observed.named, observed.services)] : []),
    identity(observed.identity),
    ...observed.places.map(place),
    ...observed.disks.map(disk),
    ...(observed.database ? [database(observed.database), ...records(observed.target, observed.database)] : []),
  ]
}

/** What some runs do without: knowing what is applied, or writing to the project directory. */
export type Needless = 'migrations' | 'directory'

/** Refuses with all that is not well, before the first change. */
export function ensureFit(target: string, findings: readonly Finding[], needless: readonly Needless[] = []): void {
  const bad = findings.filter(({ ok, check }) => !ok && !needless.some((it) => it === check))
  if (bad.length === 0) return
  throw new StepbackError({
    type: 'Refused',
    message: `target "${target}" is not fit for a run: ${bad.map((it) => `${it.check}: ${it.detail}`).join('; ')}`,
    hint: bad[0]?.hint ?? `run \`stepback doctor ${target}\`.`,
  })
}

function program(
  check: string,
  what: string,
  found: { readonly version: string | null; readonly error: string },
  hint: string,
): Finding {
  if (found.version !== null) return { check, ok: true, detail: `${what} ${found.version}` }
  return { check, ok: false, detail: `${what} does not answer: ${found.error}`, hint }
}

function composeFile(observed: Observed): Finding {
  const { error } = observed.composeFile
  const files = observed.identity.composeFiles.join(', ')
  if (error === null) return { check: 'compose file', ok: true, detail: files }
  return {
    check: 'compose file',
    ok: false,
    detail: `docker compose cannot read ${files}: ${error}`,
    hint: 'mend the file, or compose.files and compose.envFile in the configuration.',
  }
}

/** A name that no service has would never be stopped, asked or read, and nobody would notice before it counts. */
function services(named: readonly NamedService[], known: readonly string[]): Finding {
  const unknown = named.filter(({ service }) => !known.includes(service))
  if (unknown.length === 0) return { check: 'services', ok: true, detail: `${known.length} in the compose file` }
  return {
    check: 'services',
    ok: false,
    detail: unknown.map(({ key, service }) => `${key} names "${service}", which is not in the compose file`).join('; '),
    hint: `mend the names in the configuration; the compose file has ${known.toSorted().join(', ')}.`,
  }
}

/** The findings of now for the files that a run brings: services that the configuration names may come with them. */
export function findingsWith({ services: brought }: ComposeModel, { findings, stack }: Facts): readonly Finding[] {
  const found = services(stack.named, Object.keys(brought))
  return findings.map((finding) => (finding.check === found.check ? found : finding))
}

function place({ check, path, writable }: Place): Finding {
  if (writable) return { check, ok: true, detail: `${path} can be written to` }
  const key = check === 'backups' ? '`backups`' : '`directory`'
  return {
    check,
    ok: false,
    detail: `the SSH user may not write to ${path}`,
    hint: `log in as its owner, or give it to the SSH user (\`ls -ld ${path}\` shows whose it is), or mend ${key} in the configuration.`,
  }
}

function disk(it: Disk): Finding {
  const detail = `${gigabytes(it.freeBytes)} free for ${it.what} at ${it.path}, ${gigabytes(it.neededBytes)} needed`
  if (it.freeBytes >= it.neededBytes) return { check: 'disk', ok: true, detail }
  return { check: 'disk', ok: false, detail, hint: 'free some space on the host.' }
}

function database(it: DatabaseFound): Finding {
  if (it.error !== null) {
    return {
      check: 'database',
      ok: false,
      detail: it.error,
      hint: it.hint ?? 'start the database, or mend its section in the configuration.',
    }
  }
  if (it.preparedTransactions > 0) {
    return {
      check: 'database',
      ok: false,
      detail: `${it.preparedTransactions} prepared transactions would block a rename`,
      hint: 'commit them or roll them back; pg_prepared_xacts lists them.',
    }
  }
  return { check: 'database', ok: true, detail: 'accepts connections' }
}

function records(target: string, it: Pick<DatabaseFound, 'unrecorded' | 'release'>): Finding[] {
  if (!it.unrecorded) return []
  return [
    {
      check: 'migrations',
      ok: false,
      detail: 'the database has tables and no record of a migration, so nobody knows where it stands',
      hint: `take it over: stepback migrations ${target} --baseline <revision>${it.release === undefined ? '' : ` --release ${it.release}`}`,
    },
  ]
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`
}
