// What came of trying migrations up and down on a copy: it says more than their code does.

import type { Manifest, Rehearsed } from './manifest.js'
import type { MigrationInfo } from './revision.js'

/** One column of a table, and how many values are in it. */
export interface ColumnValues {
  readonly schema: string
  readonly table: string
  readonly rows: number
  readonly values: Readonly<Record<string, number>>
}

/** A database as a rehearsal sees it: the lines that a restored one must have alike, and the values by column. */
export interface Sight {
  readonly lines: readonly string[]
  readonly columns: readonly ColumnValues[]
}

/** What was another before a migration and its down than behind them, in words; nothing where all is as it was. */
export function lossesBetween(before: Sight, after: Sight): string[] {
  const changed = before.lines.filter((line) => !after.lines.includes(line))
  const tables = changed.flatMap((line) => tableIn(line) ?? [])
  const schema = changed.some((line) => line.startsWith('schema ')) ? ['leaves another schema behind'] : []
  return [...schema, ...tables.flatMap((it) => lossesOfTable(it, before, after))]
}

/** The newest verdict of all restore points on each migration. */
export function withRehearsals(known: readonly MigrationInfo[], manifests: readonly Manifest[]): MigrationInfo[] {
  const newestFirst = manifests.toSorted((a, b) => (a.id < b.id ? 1 : -1)).flatMap((it) => it.rehearsed ?? [])
  return known.map((migration) =>
    informed(
      migration,
      newestFirst.find((it) => it.migration === migration.name),
    ),
  )
}

function informed(migration: MigrationInfo, rehearsed: Rehearsed | undefined): MigrationInfo {
  if (!migration.reversible || !rehearsed || rehearsed.verdict === 'reversible') return migration
  const detail = rehearsed.detail ?? 'nobody knows why'
  if (rehearsed.verdict === 'loses') return { ...migration, loses: detail }
  return { ...migration, reversible: false, irreversible: `its down failed on a copy: ${detail}` }
}

/** `table 12 -345 "public" "messages"`. The table of the records has its own way of going back. */
function tableIn(line: string): { schema: string; table: string } | undefined {
  const [, names] = /^table \d+ -?\d+ (.*)$/.exec(line) ?? []
  if (names === undefined) return undefined
  const [schema, table] = JSON.parse(`[${names.replace('" "', '","')}]`) as [string, string]
  return table === 'migrations' ? undefined : { schema, table }
}

function lossesOfTable({ schema, table }: { schema: string; table: string }, before: Sight, after: Sight): string[] {
  const place = schema === 'public' ? table : `${schema}.${table}`
  const [then, now] = [before, after].map((sight) =>
    sight.columns.find((it) => it.schema === schema && it.table === table),
  )
  if (!then || !now) return [`loses table ${place} (${then?.rows ?? 0} rows)`]
  const lost = Object.entries(then.values).flatMap(([column, values]) => {
    const fewer = values - (now.values[column] ?? 0)
    return fewer > 0 ? [`loses column ${place}.${column} (${fewer} ${fewer === 1 ? 'value' : 'values'})`] : []
  })
  return lost.length > 0 ? lost : [`changes values of ${place}`]
}
