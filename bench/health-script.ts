// The health checks of a configuration as shell lines: what the product asks, asked by curl.

import { insideService } from '../src/commands/compose.js'
import { quote } from '../src/commands/shell.js'
import type { Target } from '../src/config/schema.js'
import { durationMs } from '../src/plan/duration.js'

/** Asks every check again and again, in the configured interval, until all succeed as often in a row as is configured. */
export function untilHealthy(target: Target): string {
  const { checks, successes, interval } = target.health
  const once = checks.map((check) => one(target, check)).join(' && ')
  return [
    `healthy() { ${once}; }`,
    'good=0',
    'while :; do',
    `  if healthy; then good=$((good + 1)); else good=0; fi`,
    `  [ "$good" -lt ${successes} ] || break`,
    `  sleep ${durationMs(interval) / 1_000}`,
    'done',
  ].join('\n')
}

export function versionAnswers(target: Target, version: string): string {
  const { url, field } = target.version!
  return answers(url, `"${field}": *"${version}"`)
}

function one(target: Target, check: Target['health']['checks'][number]): string {
  const { url, json, contains, service, command } = check
  if (url === undefined) {
    return insideService(target.compose.project, service!, command!)
  }
  const fields = Object.entries(json ?? {}).map(([name, value]) => `"${name}": *"${value}"`)
  return answers(url, fields[0] ?? contains ?? '')
}

function answers(url: string, pattern: string): string {
  return `curl -fsS ${quote(url)} 2>/dev/null | grep -q ${quote(pattern)}`
}
