import type { ServiceImage } from '../plan/act.js'
import { command } from './shell.js'

/** Keeps images from being pruned: by the restore point's id, and under the name that operators know. */
export function keep(input: {
  readonly target: string
  readonly restorePoint: string
  readonly images: readonly ServiceImage[]
}): string[] {
  return input.images.flatMap(({ service, id }) => [
    command('docker', 'tag', id, keptTag({ ...input, service })),
    command('docker', 'tag', id, `${repository(service)}:backup`),
  ])
}

/** Gives the references that Compose uses back to the recorded images. */
export function restore(images: readonly ServiceImage[]): string[] {
  // A reference by digest means one image for ever, and cannot be given to any.
  const movable = images.filter(({ ref }) => !/@sha256:|^sha256:/.test(ref))
  return movable.map(({ id, ref }) => command('docker', 'tag', id, ref))
}

/** `stepback/<target>-<service>:<id>`; a tag knows no `+`, and repositories are lower case. */
export function keptTag(input: {
  readonly target: string
  readonly restorePoint: string
  readonly service: string
}): string {
  return `stepback/${repository(`${input.target}-${input.service}`)}:${input.restorePoint.replaceAll(/[^A-Za-z0-9_.-]/g, '_')}`
}

/** Docker wants lower case, and one separator at a time between letters and digits. */
function repository(name: string): string {
  const lower = name.toLowerCase().replaceAll(/[^a-z0-9._-]/g, '-')
  return lower.replaceAll(/[._-]{2,}/g, '-').replaceAll(/^[._-]|[._-]$/g, '')
}
