import type { SshConnection } from '../../adapters/ssh.js'
import { inspectedContainers, labelledVolumes } from '../../commands/observe.js'
import { type Inspected as Reachable, variable } from '../../plan/endpoint.js'
import type { Container } from '../../plan/facts.js'
import { StepbackError } from '../../plan/failure.js'
import type { Labelled, LabelledVolume } from '../../plan/identity.js'

/** Whoever can look at a host: an act, or the planner before there is a lease. */
export interface Looker {
  readonly target: { readonly compose: { readonly project: string } }
  look(script: string): Promise<string>
  /** Of whoever sees all at one moment: the containers as Docker described them then. */
  readonly inspected?: (() => Promise<readonly InspectedContainer[]>) | undefined
}

/** What Docker says of the containers of this project, running or not; those of one service in the order of their numbers. */
export async function inspectContainers(looker: Looker): Promise<InspectedContainer[]> {
  return inspectedOf(await looker.look(inspectedContainers(looker.target.compose.project)))
}

/** What `docker inspect` printed. */
export function inspectedOf(stdout: string): InspectedContainer[] {
  const number = (raw: InspectedContainer) => Number(raw.Config.Labels['com.docker.compose.container-number'] ?? 1)
  return parseInspect(stdout).toSorted((a, b) => number(a) - number(b))
}

/** The same in our words. */
export async function readContainers(looker: Looker): Promise<Container[]> {
  return (await (looker.inspected?.() ?? inspectContainers(looker))).map((raw) => ({
    configHash: raw.Config.Labels['com.docker.compose.config-hash'] ?? '',
    id: raw.Id,
    service: serviceOf(raw),
    imageId: raw.Image,
    imageRef: raw.Config.Image,
    running: raw.State.Running,
    ...(raw.State.Status === undefined ? {} : { state: raw.State.Status }),
    health: raw.State.Health?.Status ?? null,
    volumes: (raw.Mounts ?? []).flatMap((it) => (it.Type === 'volume' ? [it.Name ?? ''] : [])),
    binds: (raw.Mounts ?? []).flatMap((it) => (it.Type === 'bind' ? [onHost(it)] : [])),
  }))
}

/** A container of the host, whoever made it; its labels are empty where Compose did not. */
export interface Listed extends Labelled {
  readonly id: string
  readonly state: string
  /** Names of volumes, and paths. */
  readonly mounts: readonly string[]
  /** What of Compose made it; null for what was started by hand, if from an image that has labels of Compose. */
  readonly madeBy: 'up' | 'run' | null
}

/** What the look at every container printed. */
export function listedOf(stdout: string): Listed[] {
  return rowsOf(stdout).map((row) => {
    const [id = '', state = '', mounts = '', name = '', project = '', oneoff, ...files] = row
    const [directory = '', composeFiles = '', envFile = ''] = files
    const madeBy = oneoff === 'True' ? 'run' : oneoff === 'False' ? 'up' : null
    return { id, state, mounts: mounts.split(','), madeBy, name, project, directory, composeFiles, envFile }
  })
}

/** Every Compose container on the host by its labels: a stack under a wrong name shows itself by its files. */
export async function readLabels(look: { readonly listed: () => Promise<readonly Listed[]> }): Promise<Labelled[]> {
  return (await look.listed()).filter((it) => it.madeBy !== null)
}

/** Every volume on the host that Compose made. */
export async function readVolumes(looker: Looker): Promise<LabelledVolume[]> {
  return rowsOf(await looker.look(labelledVolumes)).map(([name = '', project = '', key = '']) => ({
    name,
    project,
    key,
  }))
}

/** Where Docker does not answer, its finding says so. What was lost on the way would be a stack without containers. */
export function unlessLost(error: unknown): [] {
  if (error instanceof StepbackError && error.type === 'Unreachable') throw error
  return []
}

function rowsOf(stdout: string): string[][] {
  const lines = stdout.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as string[])
}

/** Ids of containers that were found, for as long as a connection lasts: an id is never another container's. */
export function foundBefore(ssh: SshConnection): Map<string, string> {
  const found = remembered.get(ssh) ?? new Map<string, string>()
  remembered.set(ssh, found)
  return found
}

const remembered = new WeakMap<SshConnection, Map<string, string>>()

/** The first container of a service that runs. */
export function runningOf(containers: readonly InspectedContainer[], service: string): InspectedContainer | undefined {
  return containers.find((it) => serviceOf(it) === service && it.State.Running)
}

export function serviceOf(raw: InspectedContainer): string {
  return raw.Config.Labels['com.docker.compose.service'] ?? ''
}

export interface InspectedContainer extends Reachable {
  readonly Id: string
  readonly Image: string
  /** `<where Docker keeps its data>/containers/<id>/resolv.conf`; empty where it never ran. */
  readonly ResolvConfPath?: string
  readonly Config: Reachable['Config'] & {
    readonly Image: string
    readonly Labels: Readonly<Record<string, string>>
    readonly Healthcheck?: { readonly Test?: readonly string[] | null } | null
  }
  readonly Mounts?: readonly InspectedMount[] | null
  readonly State: { readonly Running: boolean; readonly Status?: string; readonly Health?: { readonly Status: string } }
}

export interface InspectedMount {
  readonly Type: string
  readonly Source: string
  readonly Destination: string
  readonly RW: boolean
  readonly Name?: string
}

/**
 * Where a database's data lies on the host, as Docker knows it; undefined where that is no mount. Not every user may look
 * there, and with Docker Desktop nobody.
 */
export function dataPlace(container: InspectedContainer): string | undefined {
  const data = variable(container, 'PGDATA')
  if (data === undefined) return undefined
  const around = (container.Mounts ?? []).filter((it) => `${data}/`.startsWith(`${it.Destination}/`))
  const nearest = around.toSorted((a, b) => b.Destination.length - a.Destination.length)[0]
  return nearest && ['bind', 'volume'].includes(nearest.Type) ? onHost(nearest) : undefined
}

/** Docker Desktop sees the host's files below a directory of its own. */
export function onHost({ Source }: InspectedMount): string {
  return Source.replace(/^\/host_mnt(?=\/)/, '')
}

/** `docker inspect` of nothing prints nothing, or an empty list with an error. */
export function parseInspect(stdout: string): InspectedContainer[] {
  return stdout.trim() === '' ? [] : (JSON.parse(stdout) as InspectedContainer[])
}
