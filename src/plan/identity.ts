import type { Finding } from './facts.js'

/** What the configuration calls the stack, and what is on the host. */
export interface Identity {
  readonly project: string
  readonly directory: string
  readonly composeFiles: readonly string[]
  readonly envFile: string
  readonly containers: readonly Labelled[]
  /** Volumes that the compose files name, as they would be called on the host. */
  readonly ownVolumes: readonly { readonly key: string; readonly name: string }[]
  readonly volumes: readonly LabelledVolume[]
}

/** A container by Compose's labels, as they are. */
export interface Labelled {
  readonly name: string
  readonly project: string
  readonly directory: string
  /** Paths with commas between them, which a path may hold as well: compared as a whole, never taken apart. */
  readonly composeFiles: string
  /** Empty where Compose was left to find its own. */
  readonly envFile: string
}

export interface LabelledVolume {
  readonly name: string
  readonly project: string
  readonly key: string
}

/** The wrong project name starts a second stack with an empty database, so what runs must be what is configured. */
export function identity(it: Identity): Finding {
  const configured = { files: it.composeFiles.map((file) => inside(it, file)), envFile: inside(it, it.envFile) }
  const said =
    `the configuration says project "${it.project}" in ${it.directory} from ${configured.files.join(', ')} ` +
    `with ${configured.envFile}`
  const container = it.containers.find((other) => differs(it, other, configured))
  if (container) {
    const envFile = container.envFile === '' ? '' : ` with ${container.envFile}`
    const its = `project "${container.project}" in ${container.directory} from ${container.composeFiles}${envFile}`
    return refused(`container "${container.name}" belongs to ${its}, but ${said}`, container.project)
  }
  const volume = volumeOfAnother(it)
  if (volume) {
    const would = 'so these files would start with an empty one'
    return refused(
      `volume "${volume.name}" belongs to project "${volume.project}", but ${said}, ${would}`,
      volume.project,
    )
  }
  return { check: 'project', ok: true, detail: `${it.project} in ${it.directory}` }
}

function differs(
  it: Identity,
  other: Labelled,
  configured: { readonly files: readonly string[]; readonly envFile: string },
): boolean {
  const sameFiles = other.composeFiles === configured.files.join(',')
  if (other.project !== it.project) return sameFiles
  const sameEnvFile = other.envFile === '' || other.envFile === configured.envFile
  return !sameFiles || !sameEnvFile || other.directory !== it.directory
}

/**
 * A stack whose containers are gone shows itself by its volumes. Only where the configured project has nothing at all,
 * and the other one no container: keys like `data` are many stacks' own.
 */
function volumeOfAnother(it: Identity): LabelledVolume | undefined {
  const owns = (project: string) => it.containers.some((container) => container.project === project)
  if (owns(it.project) || it.volumes.some((volume) => volume.project === it.project)) return undefined
  const keys = it.ownVolumes.map((volume) => volume.key)
  const names = it.ownVolumes.map((volume) => volume.name)
  return it.volumes.find(
    (volume) => !owns(volume.project) && (keys.includes(volume.key) || names.includes(volume.name)),
  )
}

function inside(it: Identity, path: string): string {
  return `${it.directory}/${path}`
}

function refused(detail: string, project: string): Finding {
  const mend = 'make compose.project, directory, compose.files and compose.envFile name the stack that is there'
  const look = `\`docker compose ls --all\` and \`docker volume ls --filter label=com.docker.compose.project=${project}\` show it`
  const other = 'where they are two stacks, make this one by hand once: `docker compose up --no-start`'
  return { check: 'project', ok: false, detail, hint: `${mend}; ${look}; ${other}.` }
}
