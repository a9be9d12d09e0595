// Taking a database over that another tool migrated: which migrations it is said to have, and whether it does.

import type { Step } from './act.js'
import { StepbackError } from './failure.js'
import type { Plan } from './plan.js'
import { type MigrationInfo, resolveRevision } from './revision.js'

export interface Baseline {
  readonly revision: string
  /** Full names, oldest first. */
  readonly migrations: readonly string[]
  /** The records say so already. */
  readonly already: boolean
}

/** What is to be recorded; `Refused` where that is unclear, or contradicts what is recorded. */
export function chooseBaseline(input: {
  readonly target: string
  readonly known: readonly MigrationInfo[]
  readonly applied: readonly string[]
  /** What `alembic_version` holds. */
  readonly alembic: string | null
  /** Alembic's revisions by ours, where the names differ. */
  readonly alembicNames: Readonly<Record<string, string>>
  /** A revision, its full name or a beginning; without one Alembic's is meant. */
  readonly asked: string | null
  /** Migrations come with releases. */
  readonly inReleases: boolean
}): Baseline {
  const { known, applied } = input
  const last = wanted(input)
  const migrations = known.filter((it) => it.timestamp <= last.timestamp).map((it) => it.name)
  const already = migrations.every((name) => applied.includes(name))
  if (applied.length > 0 && (!already || applied.length !== migrations.length)) throw disagrees(input, last)
  return { revision: last.revision, migrations, already }
}

/** The one step, as the ledger keeps it: who finds it without an end drops the database that it compared with. */
export function planAdoption(input: {
  readonly target: string
  readonly baseline: Baseline
  readonly head: string | null
}): Plan {
  const { target, baseline } = input
  const { revision, migrations } = baseline
  return {
    digest: '',
    kind: 'adoption',
    target,
    version: 'unknown',
    because: `${revision} was named as what the database has`,
    safety: '',
    steps: [adoptMigrations({ revision, migrations })],
    approval: { required: false, dataLoss: false, why: 'records alone are written' },
    already: false,
    before: { version: null, head: input.head },
    deadlines: { approvalMs: 0, operatorMs: 0 },
  }
}

/** Lines of two schemas that the other does not have. */
export function schemaDifferences(input: { readonly expected: readonly string[]; readonly found: readonly string[] }): {
  readonly missing: readonly string[]
  readonly extra: readonly string[]
} {
  const [expected, found] = [new Set(input.expected), new Set(input.found)]
  return {
    missing: input.expected.filter((line) => !found.has(line)),
    extra: input.found.filter((line) => !expected.has(line)),
  }
}

/** Refuses with the differences, as many as one can read. */
export function ensureSameSchema(
  target: string,
  revision: string,
  differences: { readonly missing: readonly string[]; readonly extra: readonly string[] },
): void {
  const lines = [
    ...differences.missing.map((line) => `  is missing: ${line}`),
    ...differences.extra.map((line) => `  is extra: ${line}`),
  ]
  if (lines.length === 0) return
  const more = lines.length > shownLines ? [`  and ${lines.length - shownLines} more`] : []
  throw new StepbackError({
    type: 'Refused',
    message: [
      `the schema of target "${target}" is not what the migrations up to ${revision} produce; nothing was recorded`,
      ...lines.slice(0, shownLines),
      ...more,
    ].join('\n'),
    hint: 'name another revision, make the schemas equal, or name what is meant to differ in database.ignore.',
  })
}

const shownLines = 30

function adoptMigrations(args: { readonly revision: string; readonly migrations: readonly string[] }): Step {
  return {
    act: { name: 'adoptMigrations', title: `record the migrations up to ${args.revision} as applied`, args },
    undo: [{ name: 'dropNewDatabase', title: 'drop the database that was compared with', args: {} }],
    commit: false,
  }
}

function wanted(input: Parameters<typeof chooseBaseline>[0]): MigrationInfo {
  const { target, known, alembic, asked, inReleases } = input
  if (known.length === 0 && inReleases)
    throw refused(
      `the migrations of target "${target}" come with its releases, and none is known here`,
      `name the directory of one: stepback migrations ${target} --baseline ${asked ?? '<revision>'} --release <directory>`,
    )
  if (known.length === 0) throw refused('no migrations are known', 'name them in database.migrations.')
  const theirs = alembic === null ? null : fromAlembic(input, alembic)
  if (asked === null) {
    if (theirs) return theirs
    const says =
      alembic === null ? 'there is no alembic_version' : `alembic_version says "${alembic}", which is none of ours`
    throw refused(
      `which revision the database of target "${input.target}" has is not known: ${says}`,
      'name it with --baseline <revision>, or map it in database.alembic.',
    )
  }
  const named = resolveRevision({ known, asked })
  if (!theirs || theirs.name === named.name) return named
  throw refused(
    `alembic_version says "${alembic}", which is ${theirs.revision}, and ${named.revision} was named`,
    'name the same, or map it in database.alembic.',
  )
}

function fromAlembic(
  { known, alembicNames }: Parameters<typeof chooseBaseline>[0],
  alembic: string,
): MigrationInfo | null {
  const mapped = Object.hasOwn(alembicNames, alembic) ? alembicNames[alembic]! : null
  if (mapped !== null) return resolveRevision({ known, asked: mapped })
  return known.find((it) => it.revision === alembic || it.name === alembic) ?? null
}

function disagrees(
  { target, applied }: { target: string; applied: readonly string[] },
  last: MigrationInfo,
): StepbackError {
  return refused(
    `the database of target "${target}" has records of other migrations than those up to ${last.revision}: ${applied.join(', ')}`,
    `\`stepback migrations ${target}\` lists them; a deploy or a rollback goes from there.`,
  )
}

function refused(message: string, hint: string): StepbackError {
  return new StepbackError({ type: 'Refused', message, hint })
}
