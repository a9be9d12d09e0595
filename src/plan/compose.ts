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

/** A service that others need to have ended, a migration or an init container, does not run when all is well. */
export function isJob(model: ComposeModel, service: string): boolean {
  return Object.values(model.services).some((it) =>
    it.dependsOn.some((dependency) => dependency.service === service && dependency.completed === true),
  )
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
