// A guard as people read it, in the Web UI and on the command line.

import type { GuardView } from './guard.js'

/** A few lines; the first one is enough where all is well. */
export function guardLines(view: GuardView): string[] {
  const { verdict, since, sources, pause, calls, acted, policy, reports } = view
  const last = acted.at(-1)
  return [
    `${pause ? `waits: ${pause}` : `${verdict} since ${since}`}${policy ? `, policy ${policy}` : ''}`,
    ...sources.map((it) => `${it.source}: ${it.verdict}, ${it.detail}`),
    ...(last ? [`started ${last.run}: ${last.outcome ?? (last.asks ? 'waits for an approval' : 'goes back')}`] : []),
    ...(calls ? [`calls a person: ${calls}`] : []),
    ...(reports.refused ? [`a report was refused: ${reports.refused}`] : []),
  ]
}

/** The same as Markdown; what others reported stays text. */
export function describeGuard(view: GuardView): string {
  return guardLines(view)
    .map((line) => `- ${line.replaceAll(/[\\|#<>[\]()`*_]/g, '\\$&')}`)
    .join('\n')
}
