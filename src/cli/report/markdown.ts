import { describeMs } from '../../plan/duration.js'
import { escape } from '../../plan/describe.js'
import { outcomeOf } from '../history/render.js'
import { type Bar, type Report, type Table, factsOf, tablesOf } from './report.js'

/** For an issue, a wiki or a terminal; the timeline is a column of characters to scale. */
export function renderMarkdown(report: Report): string {
  const { past, bars } = report
  return [
    `# ${escape(past.run)}: ${escape(outcomeOf(past))}`,
    '',
    ...(past.ended?.message ? [`> ${escape(past.ended.message)}`, ''] : []),
    ...factsOf(report).map(([key, value]) => `- ${key}: ${escape(value)}`),
    ...(bars.length > 0 ? ['', '## Timeline', '', ...timeline(bars)] : []),
    ...tablesOf(report).flatMap(renderTable),
    '',
  ].join('\n')
}

const width = 40

function timeline(bars: readonly Bar[]): string[] {
  const from = Math.min(...bars.map((it) => it.startMs))
  const span = Math.max(1, Math.max(...bars.map((it) => it.endMs)) - from)
  const at = (ms: number) => Math.round(((ms - from) / span) * width)
  return [
    '| | what | took | |',
    '| --- | --- | ---: | --- |',
    ...bars.map((bar) => {
      const start = Math.min(at(bar.startMs), width - 1)
      const last = Math.max(start, Math.min(at(bar.lastMs), width - 1))
      const drawn =
        '░'.repeat(last - start) + (bar.kind === 'gate' ? '╌' : '█').repeat(Math.max(1, at(bar.endMs) - last))
      const tries = bar.attempts > 1 ? `, ${bar.attempts} attempts` : ''
      const track = `${'·'.repeat(start)}${drawn}`.padEnd(width, '·')
      return `| \`${track}\` | ${escape(bar.label)} | ${describeMs(bar.endMs - bar.startMs)} | ${bar.outcome}${tries} |`
    }),
  ]
}

function renderTable({ title, head, rows }: Table): string[] {
  return [
    '',
    `## ${title}`,
    '',
    `| ${head.join(' | ')} |`,
    `|${' --- |'.repeat(head.length)}`,
    ...rows.map((row) => `| ${row.map(escape).join(' | ')} |`),
  ]
}
