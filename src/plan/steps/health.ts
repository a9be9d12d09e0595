import type { ActArgs, Step } from '../act.js'
import { list } from './list.js'

export function checkHealth(): Step {
  return look({ name: 'checkHealth', title: 'wait until every health check succeeds', args: {} })
}

export function checkVersion(input: { readonly version: string }): Step {
  return look({ name: 'checkVersion', title: `check that ${input.version} answers`, args: input })
}

export function watchHealth(): Step {
  return look({ name: 'watchHealth', title: 'watch the release', args: {} })
}

/** Nothing waits for what is kept to be read later, and nothing is undone where it could not be kept. */
export function collectLogs(): Step {
  return { ...look({ name: 'collectLogs', title: 'keep the last log lines', args: {} }), background: true }
}

/** The same where the lines are what is asked for: the next steps read on with them at hand. */
export function keepLines(args: Required<ActArgs['collectLogs']>): Step {
  const title = `keep the last ${args.lines} log lines of ${list(args.services)}`
  return look({ name: 'collectLogs', title, args })
}

/** Looking changes nothing, so there is nothing to undo. */
function look(act: Step['act']): Step {
  return { act, undo: [], commit: false }
}
