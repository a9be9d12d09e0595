import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Result } from './measurement.js'

/** One row a result, in columns as wide as they need to be. */
export function renderTable(results: readonly Result[]): string {
  const head = ['name', 'unit', 'ours', 'peer', 'against', 'ratio', 'goal', 'holds', 'runs']
  const rows = results.map((it) => [
    it.name,
    it.unit,
    it.ours.toFixed(2),
    it.peer.toFixed(2),
    it.against,
    it.ratio.toFixed(2),
    it.goal,
    it.holds ? 'yes' : 'NO',
    String(it.runs),
  ])
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd()
  const notes = results.map((it) => `${it.name}, ${it.against}: ${it.note}`)
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line), '', ...notes].join('\n')
}

/** Replaces what was measured anew, and keeps the rest of an earlier file. */
export function writeResults(file: string, measured: readonly Result[]): void {
  const names = new Set(measured.map((it) => it.name))
  const earlier = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Result[]) : []
  const all = [...earlier.filter((it) => !names.has(it.name)), ...measured]
  writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`)
}
