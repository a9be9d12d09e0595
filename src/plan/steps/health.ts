import type { ActArgs, Step } from '../act.js'
import { list } from './services.js'

export function checkHealth(): Step {
  return look({ name: 'checkHealth', title: 'wait until every health check succeeds', args: {} })
}

export function checkVersion(input: { readonly version: string }): Step {
  return look({ name: 'checkVersion', title: `check that ${input.version} answers`, args: input })
}

export function watchHealth(): Step {
  return look({ name: 'watchHealth', title: 'watch the release', args: {} })
}

export function collectLogs(args: ActArgs['collectLogs'] = {}): Step {
  const { lines, services = [] } = args
  const title =
    lines === undefined ? 'keep the last log lines' : `keep the last ${lines} log lines of ${list(services)}`
  return look({ name: 'collectLogs', title, args })
}

/** Looking changes nothing, so there is nothing to undo. */
function look(act: Step['act']): Step {
  return { act, undo: [], commit: false }
}
