// What TypeORM's users have: a list that is exported, classes that are exported, ES modules and CommonJS.

import type { MigrationClass } from '../database.js'

/** The migrations of these modules, each once; throws with all that is wrong with them. */
export function migrationClasses(modules: readonly object[]): readonly MigrationClass[] {
  const found = [...new Set(modules.flatMap((module) => listed(module) ?? exported(module)))]
  if (found.length === 0) throw new TypeError('it exports no migration')
  const problems = found.map(problemOf).filter((it) => it !== null)
  if (problems.length > 0) throw new TypeError(problems.join('; '))
  const classes = found as readonly MigrationClass[]
  const names = classes.map(nameOf)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new TypeError(`two migrations have the name "${twice}"`)
  return classes
}

/** As TypeORM records it. */
export function nameOf(it: MigrationClass): string {
  return new it().name ?? it.name
}

type Exports = Readonly<Record<string, unknown>>

function listed(module: object): readonly unknown[] | undefined {
  const own = module as Exports
  const standard = own['default'] as Exports | undefined
  return [own['migrations'], standard?.['migrations'], standard].find((it) => Array.isArray(it))
}

function exported(module: object): readonly unknown[] {
  const { default: standard, ...named } = module as Exports
  const whole = typeof standard === 'object' && standard !== null ? Object.values(standard) : [standard]
  return [...Object.values(named), ...whole].filter((it) => isMigration(it) || isMeantAsOne(it))
}

/** One that was left out unseen would be missing in the database of a release that needs it. */
function isMeantAsOne(it: unknown): boolean {
  return typeof it === 'function' && /\d{13}$/.test(it.name)
}

function isMigration(it: unknown): boolean {
  return typeof it === 'function' && typeof (it.prototype as Exports | undefined)?.['up'] === 'function'
}

function problemOf(it: unknown): string | null {
  if (!isMigration(it))
    return `${typeof it === 'function' ? `"${it.name}"` : `a ${typeof it}`} is no class with a method \`up\``
  const name = nameOf(it as MigrationClass)
  return /\d{13}$/.test(name) ? null : `the name of migration "${name}" should end in a 13-digit time`
}
