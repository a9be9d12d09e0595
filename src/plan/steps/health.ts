import type { Step } from '../act.js'

export function checkHealth(): Step {
  return look({ name: 'checkHealth', title: 'wait until every health check succeeds', args: {} })
}

export function checkVersion(input: { readonly version: string }): Step {
  return look({ name: 'checkVersion', title: `check that ${input.version} answers`, args: input })
}

export function watchHealth(): Step {
  return look({ name: 'watchHealth', title: 'watch the release', args: {} })
}

export function collectLogs(): Step {
  return look({ name: 'collectLogs', title: 'keep the last log lines', args: {} })
}

/** Looking changes nothing, so there is nothing to undo. */
function look(act: Step['act']): Step {
  return { act, undo: [], commit: false }
}
