import type { ServiceLevel } from './act.js'
import { StepbackError } from './failure.js'

/** What a plan needs of `docker compose config --format json`; values of the environment are left out. */
export interface ComposeModel {
  readonly services: Readonly<Record<string, ComposeService>>
}

export interface ComposeService {
  readonly image: string
  readonly builds: boolean
  readonly dependsOn: readonly Dependency[]
  /** How many containers the file asks for; absent for one. */
  readonly scale?: number
}

export interface Dependency {
  readonly service: string
  readonly healthy: boolean
  /** It is a job: whoever needs it waits until it has ended well. */
  readonly completed?: true
  /** Started again whenever the one that it needs was. */
  readonly restart?: true
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
        ...(how.condition === 'service_completed_successfully' ? { completed: true } : {}),
        ...(how.restart === true ? { restart: true } : {}),
      })),
      ...scaleOf(service),
    },
  ])
  return { services: Object.fromEntries(entries) as ComposeModel['services'] }
}

/** The profiles of each service that has some. */
export function parseComposeProfiles(json: string): ReadonlyMap<string, readonly string[]> {
  const { services = {} } = JSON.parse(json) as { services?: Record<string, { profiles?: readonly string[] }> }
  return new Map(Object.entries(services).flatMap(([name, { profiles }]) => (profiles ? [[name, profiles]] : [])))
}

/** Volumes that the files name and would make, by what they are called on the host. */
export function parseComposeVolumes(
  json: string,
  also: { readonly external?: boolean } = {},
): { readonly key: string; readonly name: string }[] {
  const { volumes = {} } = JSON.parse(json) as {
    volumes?: Record<string, { name?: string; external?: boolean } | null>
  }
  return Object.entries(volumes).flatMap(([key, volume]) =>
    (volume?.external && !also.external) || volume?.name === undefined ? [] : [{ key, name: volume.name }],
  )
}

/**
 * Levels in dependency order: what a service needs stands in an earlier level than itself; names sorted within. Jobs
 * have levels of their own, since they are waited for until they have ended, and never until they are healthy.
 */
export function startLevels(input: {
  readonly model: ComposeModel
  readonly services: readonly string[]
  /** Services that somebody scaled by hand, and to how many containers: `up` would take the others away. */
  readonly scaled?: Readonly<Record<string, number>>
}): ServiceLevel[] {
  const { model, scaled = {} } = input
  const levels: ServiceLevel[] = []
  let left = [...new Set(input.services)].filter((service) => model.services[service] !== undefined)
  while (left.length > 0) {
    const ready = left.filter((service) => dependencies(model, service).every((it) => !left.includes(it.service)))
    if (ready.length === 0) {
      throw new StepbackError({
        type: 'Refused',
        message: `services depend on each other in a circle: ${left.join(', ')}`,
      })
    }
    left = left.filter((service) => !ready.includes(service))
    const [jobs, lasting] = [ready.filter((it) => isJob(model, it)), ready.filter((it) => !isJob(model, it))]
    const wait = left.some((service) => needsHealthy(model, service, lasting))
    if (lasting.length > 0) levels.push(levelOf(model, lasting, { wait, scaled }))
    if (jobs.length > 0) levels.push({ ...levelOf(model, jobs, { wait: false, scaled: {} }), completes: true })
  }
  return levels
}

/** A service that others need to have ended, a migration or an init container, does not run when all is well. */
export function isJob(model: ComposeModel, service: string): boolean {
  return Object.values(model.services).some((it) =>
    it.dependsOn.some((dependency) => dependency.service === service && dependency.completed === true),
  )
}

function levelOf(
  model: ComposeModel,
  services: readonly string[],
  { wait, scaled }: { readonly wait: boolean; readonly scaled: Readonly<Record<string, number>> },
): ServiceLevel {
  const restarts = services.toSorted().flatMap((service) => {
    const after = dependencies(model, service).filter((it) => it.restart === true)
    return after.length > 0 ? [{ service, after: after.map((it) => it.service).toSorted() }] : []
  })
  const counts = Object.entries(scaled).filter(([service]) => services.includes(service))
  return {
    services: services.toSorted(),
    wait,
    ...(restarts.length > 0 ? { restarts } : {}),
    ...(counts.length > 0 ? { scale: Object.fromEntries(counts) } : {}),
  }
}

function dependencies(model: ComposeModel, service: string): readonly Dependency[] {
  return model.services[service]?.dependsOn ?? []
}

function needsHealthy(model: ComposeModel, service: string, ready: readonly string[]): boolean {
  return dependencies(model, service).some((dependency) => dependency.healthy && ready.includes(dependency.service))
}

function scaleOf(service: RawService): { readonly scale?: number } {
  const scale = service.scale ?? service.deploy?.replicas ?? 1
  return scale === 1 ? {} : { scale }
}

interface RawService {
  readonly image?: string
  readonly build?: unknown
  readonly depends_on?: Record<string, { readonly condition?: string; readonly restart?: boolean }>
  readonly scale?: number
  readonly deploy?: { readonly replicas?: number }
}
