import { describeMs } from '../../plan/duration.js'
import { outcomeOf } from '../history/render.js'
import { visible, visibleLines } from '../view/visible.js'
import { type Bar, type Report, type Table, factsOf, tablesOf } from './report.js'
import { style } from './style.js'

/** One file with everything in it: no script, nothing from the network. */
export function renderHtml(report: Report): string {
  const { past, bars } = report
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${text(past.run)}</title>
<style>${style}</style>
</head>
<body>
<h1>${text(past.run)} <span class="outcome ${shade(past.ended?.outcome)}">${text(outcomeOf(past))}</span></h1>
${past.ended?.message ? `<p class="why">${text(past.ended.message, true)}</p>` : ''}
<dl>${factsOf(report)
    .map(([key, value]) => `<dt>${key}</dt><dd>${text(value)}</dd>`)
    .join('\n')}</dl>
${bars.length > 0 ? timelines(bars) : ''}
${tablesOf(report).map(renderTable).join('\n')}
</body>
</html>
`
}

function shade(outcome: string | undefined): string {
  if (outcome === 'done') return 'done'
  if (outcome === 'undone') return 'undone'
  return outcome === undefined || ['rejected', 'cancelled', 'refused'].includes(outcome) ? '' : 'bad'
}

const key =
  '<p class="key"><b style="background:var(--done)"></b>step <b style="background:var(--around)"></b>around it ' +
  '<b style="background:var(--undo)"></b>undo <b style="background:var(--gate)"></b>waits for a person ' +
  '<b style="background:var(--failed)"></b>failed; striped: earlier attempts</p>'

/** To scale; where a person was waited for longer than worked, the work once more by itself, else it could not be seen. */
function timelines(bars: readonly Bar[]): string {
  const work = bars.filter((it) => it.kind !== 'gate')
  const span = (some: readonly Bar[]) =>
    Math.max(...some.map((it) => it.endMs)) - Math.min(...some.map((it) => it.startMs))
  const waited = bars.filter((it) => it.kind === 'gate').map((it) => it.endMs)
  const behind = work.filter((it) => it.startMs >= Math.max(...waited))
  const again = waited.length > 0 && behind.length > 0 && span(behind) < span(bars) / 2
  return [timeline('Timeline', bars), key, ...(again ? [timeline('Behind the last gate', behind)] : [])].join('\n')
}

function timeline(title: string, bars: readonly Bar[]): string {
  const from = Math.min(...bars.map((it) => it.startMs))
  const span = Math.max(1, Math.max(...bars.map((it) => it.endMs)) - from)
  const percent = (ms: number) => `${((ms / span) * 100).toFixed(3)}%`
  const ticks = [0, 0.25, 0.5, 0.75].map(
    (part) => `<span style="left:${part * 100}%">${part === 0 ? '0' : describeMs(Math.round(span * part))}</span>`,
  )
  const rows = bars.map((bar) => renderBar(bar, (ms) => percent(ms - from), percent))
  return `<h2>${title}, ${describeMs(span)}</h2>
<div class="bar axis"><div></div><div class="track">${ticks.join('')}</div><div class="took"></div></div>
${rows.join('\n')}`
}

function renderBar(bar: Bar, at: (ms: number) => string, wide: (ms: number) => string): string {
  const { label, kind, startMs, endMs, lastMs, attempts, outcome, note } = bar
  const tries =
    lastMs > startMs ? `<i class="tries" style="left:${at(startMs)};width:${wide(lastMs - startMs)}"></i>` : ''
  const took = `${describeMs(endMs - startMs)}${attempts > 1 ? `, ${attempts} attempts` : ''}`
  return `<div class="bar ${kind} ${outcome}"><div>${text(label)}</div>
<div class="track">${tries}<i style="left:${at(lastMs)};width:${wide(endMs - lastMs)}"></i></div>
<div class="took">${took}</div>${note === '' ? '' : `<div class="note">${text(note)}</div>`}</div>`
}

function renderTable({ title, head, rows }: Table): string {
  const cells = (row: readonly string[], tag: 'th' | 'td') => row.map((it) => `<${tag}>${text(it)}</${tag}>`).join('')
  return `<h2>${title}</h2>
<div class="table"><table><thead><tr>${cells(head, 'th')}</tr></thead>
<tbody>${rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('\n')}</tbody></table></div>`
}

/** Text of hosts and people, shown and never obeyed. */
function text(value: string, lines = false): string {
  const shown = lines ? visibleLines(value) : visible(value)
  return shown.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
