// The states that a run may leave behind, made of what was seen before it and of what it was asked for.

import { readdirSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import { fileText } from './look.js'
import type { Scenario } from './scenarios.js'
import type { Seen, Wish } from './seen.js'

/** What is known of a release and of the restore point of 2.0.0. */
export interface Known {
  readonly releases: Readonly<Record<string, string>>
  /** Schema and migrations of a release, where they were seen. */
  readonly schemas: ReadonlyMap<string, Pick<Seen, 'schema' | 'migrations'>>
  /** What was seen when the deploy of 2.1.0 began, and when that took its restore point; ms since 1970. */
  readonly point: { readonly id: string; readonly seen: Seen; readonly takenAt: number } | undefined
}

export function asBefore(before: Seen): Wish {
  const { files, images, references, schema, migrations, tables, version } = before
  return {
    name: 'as before',
    files,
    images,
    references,
    schema,
    migrations,
    tables,
    version,
    ...stoppedIn(before),
    takenAt: Infinity,
  }
}

export function asPlanned({ wanted, request, steps }: Scenario, before: Seen, known: Known): Wish {
  const name = 'as planned'
  if (wanted === 'the same') return { ...asBefore(before), name }
  if ('release' in wanted) {
    const { schema, migrations } = before
    const unmigrated = steps.includes('migrateUp') ? {} : { schema, migrations }
    return { ...released(wanted.release, before, known), ...unmigrated, name }
  }
  if ('stopped' in wanted) {
    const { version: _, ...rest } = asBefore(before)
    return { ...rest, name, stopped: wanted.stopped }
  }
  const carries = request['carryForward'] === undefined ? {} : { takenAt: Infinity }
  return { ...back(wanted, before, known), name, ...carries }
}

/** What is written while rows are carried is counted by the run, and may be lost up to its bound; what was there comes. */
export function carriedFrom(wish: Wish, begunAt: number | undefined): Wish {
  return begunAt === undefined ? wish : { ...wish, takenAt: Math.min(wish.takenAt, begunAt) }
}

/** A release over what was there: its files, its migrations, its images; which ids these have nobody knows before. */
export function released(version: string, before: Seen, { releases, schemas }: Known): Wish {
  const brought = filesOf(releases[version]!)
  return {
    name: `at ${version}`,
    files: { ...before.files, ...brought },
    tables: before.tables,
    version,
    ...schemas.get(version),
    takenAt: Infinity,
    keepsRows: true,
  }
}

function back(wanted: Exclude<Scenario['wanted'], string>, before: Seen, { point }: Known): Wish {
  const whole = asBefore(before)
  if (!point || !('back' in wanted)) return whole
  const then = { ...asBefore(point.seen), takenAt: point.takenAt }
  switch (wanted.back) {
    case 'full':
      return then
    case 'database':
      return {
        ...whole,
        schema: then.schema!,
        migrations: then.migrations!,
        tables: then.tables!,
        takenAt: point.takenAt,
      }
    case 'config':
      return { ...whole, files: { ...whole.files, ...only(then.files!, configured) } }
    case 'containers':
      return {
        ...whole,
        images: { ...whole.images, ...only(then.images!, wanted.services) },
        references: { ...whole.references, ...only(then.images!, wanted.services) },
      }
  }
}

const configured = ['stacks/brain/docker-compose.yml', '.env', 'models.yaml']

function only(record: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => names.includes(name)))
}

function stoppedIn({ services }: Seen): Pick<Wish, 'stopped'> {
  const stopped = Object.keys(services).filter((it) => !services[it]!.startsWith('running'))
  return stopped.length === 0 ? {} : { stopped }
}

function filesOf(directory: string, below = ''): Record<string, string> {
  const found = readdirSync(join(directory, below)).flatMap((name) => {
    const path = join(below, name)
    if (lstatSync(join(directory, path)).isDirectory()) return Object.entries(filesOf(directory, path))
    return [[path, fileText(join(directory, path))] as const]
  })
  return Object.fromEntries(found)
}
