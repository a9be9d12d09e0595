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
    command('docker', 'tag', id, `${service}:backup`),
  ])
}

/** Gives the references that Compose uses back to the recorded images. */
export function restore(images: readonly ServiceImage[]): string[] {
  return images.map(({ id, ref }) => command('docker', 'tag', id, ref))
}

/** `stepback/<target>-<service>:<id>`; a tag knows no `+`, and repositories are lower case. */
export function keptTag(input: {
  readonly target: string
  readonly restorePoint: string
  readonly service: string
}): string {
  const repository = `${input.target}-${input.service}`.toLowerCase().replaceAll(/[^a-z0-9._-]/g, '-')
  return `stepback/${repository}:${input.restorePoint.replaceAll(/[^A-Za-z0-9_.-]/g, '_')}`
}
