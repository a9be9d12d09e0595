import { containerIds } from '../../commands/compose.js'
import { labelledContainers, labelledVolumes } from '../../commands/observe.js'
import type { Container } from '../../plan/facts.js'
import type { Labelled, LabelledVolume } from '../../plan/identity.js'

/** Whoever can look at a host: an act, or the planner before there is a lease. */
export interface Looker {
  readonly target: { readonly compose: { readonly project: string } }
  look(script: string): Promise<string>
}

/** The containers of this project, running or not; those of one service in the order of their numbers. */
export async function readContainers(looker: Looker): Promise<Container[]> {
  const { project } = looker.target.compose
  const stdout = await looker.look(
    `${containerIds(project)} | xargs docker inspect --type container 2>/dev/null || true\n`,
  )
  const number = (raw: Inspected) => Number(raw.Config.Labels['com.docker.compose.container-number'] ?? 1)
  return parseInspect(stdout)
    .toSorted((a, b) => number(a) - number(b))
    .map((raw) => ({
      configHash: raw.Config.Labels['com.docker.compose.config-hash'] ?? '',
      id: raw.Id,
      service: raw.Config.Labels['com.docker.compose.service'] ?? '',
      imageId: raw.Image,
      imageRef: raw.Config.Image,
      running: raw.State.Running,
      health: raw.State.Health?.Status ?? null,
    }))
}

/** Every Compose container on the host by its labels: a stack under a wrong name shows itself by its files. */
export async function readLabels(looker: Looker): Promise<Labelled[]> {
  const rows = await readRows(looker, labelledContainers)
  return rows.map(([name = '', project = '', directory = '', composeFiles = '', envFile = '']) => ({
    name,
    project,
    directory,
    composeFiles,
    envFile,
  }))
}

/** Every volume on the host that Compose made. */
export async function readVolumes(looker: Looker): Promise<LabelledVolume[]> {
  const rows = await readRows(looker, labelledVolumes)
  return rows.map(([name = '', project = '', key = '']) => ({ name, project, key }))
}

async function readRows(looker: Looker, script: string): Promise<string[][]> {
  const lines = (await looker.look(script)).split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as string[])
}

interface Inspected {
  readonly Id: string
  readonly Image: string
  readonly Config: { readonly Image: string; readonly Labels: Readonly<Record<string, string>> }
  readonly State: { readonly Running: boolean; readonly Health?: { readonly Status: string } }
}

/** `docker inspect` of nothing prints nothing, or an empty list with an error. */
function parseInspect(stdout: string): Inspected[] {
  return stdout.trim() === '' ? [] : (JSON.parse(stdout) as Inspected[])
}
