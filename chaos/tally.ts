// The table at the end: what happened to how many runs, and how they ended.

export interface Told {
  readonly faults: readonly string[]
  /** How the run ended: `done`, or the type of its failure. */
  readonly outcome: string
  readonly state: string
  readonly violations: number
}

/** A line for each fault, a column for each end; those to which nothing happened are in a line of their own. */
export function renderTally(told: readonly Told[]): string {
  const outcomes = [...new Set(told.map((it) => it.outcome))].toSorted()
  const names = [...new Set(told.flatMap(namesOf))].toSorted()
  const head = ['fault', 'runs', ...outcomes, 'violations']
  const rows = names.map((name) =>
    line(
      name,
      told.filter((it) => namesOf(it).includes(name)),
      outcomes,
    ),
  )
  return aligned([head, ...rows, line('all', told, outcomes)])
}

function namesOf({ faults }: Told): readonly string[] {
  return faults.length === 0 ? ['nothing'] : [...new Set(faults)]
}

function line(name: string, told: readonly Told[], outcomes: readonly string[]): string[] {
  const counts = outcomes.map((outcome) => told.filter((it) => it.outcome === outcome).length)
  const violations = told.reduce((sum, it) => sum + it.violations, 0)
  return [name, ...[told.length, ...counts, violations].map(String)]
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const cell = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)
  return rows.map((row) => row.map(cell).join('  ').trimEnd()).join('\n')
}
