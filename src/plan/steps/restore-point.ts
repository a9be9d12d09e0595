import type {
  Act,
  ActArgs,
  DroppedCopy,
  PrunedPoint,
  RestorePointRef,
  ServiceImage,
  ServiceLevel,
  Step,
} from '../act.js'
import type { Pin } from '../manifest.js'
import { list } from './list.js'
import { startAgain } from './services.js'

/** Records all that is needed to come back to this moment. It stays whatever happens, so there is nothing to undo. */
export function takeRestorePoint(input: ActArgs['takeRestorePoint']): Step {
  const whats = { dump: 'files, images and database', kept: 'files and images', none: 'files and images' }
  const what = whats[input.database]
  return {
    act: { name: 'takeRestorePoint', title: `take a restore point of ${what} at ${input.version}`, args: input },
    undo: [],
    commit: false,
  }
}

/**
 * Really restores it, into a database beside the live one, and compares all. What it wrote into the manifest is true
 * whatever becomes of the run; its undo only clears away a copy that was not finished.
 */
export function proveRestorePoint(input: {
  readonly from: RestorePointRef
  readonly keepCopy: boolean
  readonly rehearse?: readonly string[]
  readonly release?: string
  readonly accept?: true
  readonly background?: boolean
}): Step {
  const { background, ...args } = input
  const { from, accept } = args
  const title = `prove ${from === 'safety' ? 'the restore point' : from}${accept ? ', and accept how small it is' : ''}`
  return {
    act: { name: 'proveRestorePoint', title, args },
    undo: [{ name: 'dropUnprovenCopy', title: 'drop the copy where it is not whole', args: { from } }],
    commit: false,
    ...(background ? { background } : {}),
  }
}

/** Cannot be undone, so it comes last, and nothing cancels it. */
export function dropCopies(copies: readonly DroppedCopy[]): Step {
  const title = `drop ${list(copies.map(({ name }) => name))}`
  return { act: { name: 'dropCopies', title, args: { copies } }, undo: [], commit: false }
}

/** Holds a restore point back from retention, or no longer. */
export function setPins(input: {
  readonly id: string
  readonly pins: readonly Pin[]
  readonly before: readonly Pin[]
}): Step {
  const { id, pins, before } = input
  const act = (title: string, to: readonly Pin[]): Act => ({ name: 'setPins', title, args: { id, pins: to } })
  return {
    act: act(pins.length > before.length ? `pin ${id}` : `take the pins off ${id}`, pins),
    undo: [act(`give ${id} its pins back`, before)],
    commit: false,
  }
}

/** Cannot be undone, so it comes last, and nothing cancels it. */
export function pruneRestorePoints(points: readonly PrunedPoint[]): Step {
  const { length } = points
  const title = `remove ${length} ${length === 1 ? 'restore point' : 'restore points'}`
  return { act: { name: 'pruneRestorePoints', title, args: { points } }, undo: [], commit: false }
}

/** Tags what runs, so that it can be started again. With `levels` its undo, the last of all, starts it. */
export function keepImages(input: {
  readonly images: readonly ServiceImage[]
  readonly levels?: readonly ServiceLevel[]
}): Step {
  const { images, levels } = input
  const services = images.map((image) => image.service)
  return {
    act: { name: 'keepImages', title: `keep the images of ${list(services)}`, args: { images } },
    undo: levels ? startAgain(levels) : [],
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
