import type { ServiceImage, ServiceLevel, Step } from '../act.js'
import { checkHealth } from './health.js'
import { list, startServices } from './services.js'

/** Records all that is needed to come back to this moment. It stays whatever happens, so there is nothing to undo. */
export function takeRestorePoint(input: {
  readonly version: string
  readonly database: 'dump' | 'none'
  readonly head: string | null
  readonly paths: readonly string[]
}): Step {
  const what = input.database === 'dump' ? 'files, images and database' : 'files and images'
  return {
    act: { name: 'takeRestorePoint', title: `take a restore point of ${what} at ${input.version}`, args: input },
    undo: [],
    commit: false,
  }
}

/** Tags what runs, so that it can be started again; its undo is the last of all and starts it. */
export function keepImages(input: {
  readonly images: readonly ServiceImage[]
  readonly levels: readonly ServiceLevel[]
}): Step {
  const services = input.images.map((image) => image.service)
  return {
    act: { name: 'keepImages', title: `keep the images of ${list(services)}`, args: { images: input.images } },
    undo: [
      { ...startServices({ levels: input.levels }).act, title: 'start the services as they were' },
      { ...checkHealth().act, title: 'check that they are healthy again' },
    ],
    commit: false,
  }
}

/** Keeps the compiled migrations on the host: their downs are needed when the release is gone. Content stays, nothing is undone. */
export function keepMigrations(args: { readonly sha256: string; readonly release?: string }): Step {
  return {
    act: { name: 'keepMigrations', title: 'keep the compiled migrations on the host', args },
    undo: [],
    commit: false,
  }
}
