import type { ServiceLevel } from './act.js'
import { StepbackError } from './failure.js'

/** What a plan needs of `docker compose config --format json`; values of the environment are left out. */
export interface ComposeModel {
  readonly services: Readonly<Record<string, ComposeService>>
}

export interface ComposeService {
  readonly image: string
  readonly builds: boolean
  readonly dependsOn: readonly { readonly service: string; readonly healthy: boolean }[]
}

/** Reads Compose's own JSON. A service that only builds gets the reference that Compose would give it. */
export function parseComposeModel(input: { readonly json: string; readonly project: string }): ComposeModel {
  const { services = {} } = JSON.parse(input.json) as { services?: Record<string, RawService> }
  const entries = Object.entries(services).map(([name, service]) => [
    name,
    {
      image: service.image ?? `${input.project}-${name}`,
      builds: service.build !== undefined,
      dependsOn: Object.entries(service.depends_on ?? {}).map(([needed, how]) => ({
        service: needed,
        healthy: how.condition === 'service_healthy',
      })),
    },
  ])
  return { services: Object.fromEntries(entries) as ComposeModel['services'] }
}

/** Levels in dependency order: what a service needs stands in an earlier level than itself; names sorted within. */
export function startLevels(input: {
  readonly model: ComposeModel
  readonly services: readonly string[]
}): ServiceLevel[] {
  const levels: ServiceLevel[] = []
  let left = input.services.filter((service) => input.model.services[service] !== undefined)
  while (left.length > 0) {
    const ready = left.filter((service) => needs(input.model, service).every((needed) => !left.includes(needed)))
    if (ready.length === 0) {
      throw new StepbackError({
        type: 'Refused',
        message: `services depend on each other in a circle: ${left.join(', ')}`,
      })
    }
    left = left.filter((service) => !ready.includes(service))
    levels.push({ services: ready.toSorted(), wait: left.some((service) => needsHealthy(input.model, service, ready)) })
  }
  return levels
}

function needs(model: ComposeModel, service: string): string[] {
  return model.services[service]?.dependsOn.map((dependency) => dependency.service) ?? []
}

function needsHealthy(model: ComposeModel, service: string, ready: readonly string[]): boolean {
  const dependsOn = model.services[service]?.dependsOn ?? []
  return dependsOn.some((dependency) => dependency.healthy && ready.includes(dependency.service))
}

interface RawService {
  readonly image?: string
  readonly build?: unknown
  readonly depends_on?: Record<string, { readonly condition?: string }>
}
