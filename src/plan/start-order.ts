// In which order services start, and what is waited for in between.

import type { ServiceLevel } from './act.js'
import { type ComposeModel, type Dependency, isJob } from './compose.js'
import { StepbackError } from './failure.js'

/**
 * Levels in dependency order: what a service needs stands in an earlier level than itself; names sorted within. That one
 * is healthy is waited for only when nothing is left that could start meanwhile. Jobs have levels of their own, since
 * they are waited for until they have ended, and never until they are healthy.
 */
export function startLevels(input: {
  readonly model: ComposeModel
  readonly services: readonly string[]
  /** Services that somebody scaled by hand, and to how many containers: `up` would take the others away. */
  readonly scaled?: Readonly<Record<string, number>>
}): ServiceLevel[] {
  const { model, scaled = {} } = input
  const own = [...new Set(input.services)].filter((service) => model.services[service] !== undefined)
  const levels: ServiceLevel[] = []
  const healthy: string[] = []
  let awaits: string[] = []
  for (let left = own; left.length > 0;) {
    const reached = left.filter((service) => dependencies(model, service).every((it) => !left.includes(it.service)))
    if (reached.length === 0) throw inACircle(left)
    const unwell = (service: string) => needed(model, service).filter((it) => own.includes(it) && !healthy.includes(it))
    const ready = reached.filter((service) => unwell(service).length === 0)
    if (ready.length === 0) {
      const all = [...new Set(reached.flatMap(unwell))].toSorted()
      healthy.push(...all)
      awaits = waitsItself(levels, all) ? [] : all
    } else {
      levels.push(...levelsOf(model, ready, { awaits, scaled }))
      left = left.filter((service) => !ready.includes(service))
      awaits = []
    }
  }
  return levels
}

function inACircle(services: readonly string[]): StepbackError {
  return new StepbackError({
    type: 'Refused',
    message: `services depend on each other in a circle: ${services.join(', ')}`,
  })
}

/** Where exactly the last level has to be healthy, its own start waits for it, which saves a call. */
function waitsItself(levels: ServiceLevel[], services: readonly string[]): boolean {
  const last = levels.at(-1)
  if (!last || last.completes || last.services.join('\n') !== services.join('\n')) return false
  levels[levels.length - 1] = { ...last, wait: true }
  return true
}

/** One that lasts, and one of jobs, as far as there are any. */
function levelsOf(
  model: ComposeModel,
  services: readonly string[],
  { awaits, scaled }: { readonly awaits: readonly string[]; readonly scaled: Readonly<Record<string, number>> },
): ServiceLevel[] {
  const [jobs, lasting] = [services.filter((it) => isJob(model, it)), services.filter((it) => !isJob(model, it))]
  const first = awaits.length > 0 ? { awaits } : {}
  return [
    ...(lasting.length > 0 ? [{ ...levelOf(model, lasting, scaled), ...first }] : []),
    ...(jobs.length > 0
      ? [{ ...levelOf(model, jobs, {}), completes: true as const, ...(lasting.length > 0 ? {} : first) }]
      : []),
  ]
}

function levelOf(
  model: ComposeModel,
  services: readonly string[],
  scaled: Readonly<Record<string, number>>,
): ServiceLevel {
  const restarts = services.toSorted().flatMap((service) => {
    const after = dependencies(model, service).filter((it) => it.restart === true)
    return after.length > 0 ? [{ service, after: after.map((it) => it.service).toSorted() }] : []
  })
  const counts = Object.entries(scaled).filter(([service]) => services.includes(service))
  return {
    services: services.toSorted(),
    wait: false,
    ...(restarts.length > 0 ? { restarts } : {}),
    ...(counts.length > 0 ? { scale: Object.fromEntries(counts) } : {}),
  }
}

function dependencies(model: ComposeModel, service: string): readonly Dependency[] {
  return model.services[service]?.dependsOn ?? []
}

function needed(model: ComposeModel, service: string): string[] {
  return dependencies(model, service).flatMap((it) => (it.healthy ? [it.service] : []))
}
