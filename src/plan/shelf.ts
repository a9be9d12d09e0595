// What lies in the backups directory under a manifest, whether or not that can be read.

import { StepbackError } from './failure.js'
import type { Manifest } from './manifest.js'

export interface Shelf {
  readonly manifests: readonly Manifest[]
  readonly unreadable?: readonly Unreadable[]
}

/** A restore point whose manifest cannot be read: nobody goes back to it, and retention leaves it alone. */
export interface Unreadable {
  readonly id: string
  /** The file, and what is wrong with it. */
  readonly why: string
}

/** The restore point of that id; undefined where there is none, `Refused` where it is there and cannot be read. */
export function restorePoint(shelf: Shelf, id: string | undefined): Manifest | undefined {
  const broken = shelf.unreadable?.find((it) => it.id === id)
  if (broken) throw unreadable(broken)
  return shelf.manifests.find((it) => it.id === id)
}

/** Those that can be gone back to, newest first, for a message. */
export function idsOn({ manifests }: Shelf): string {
  return manifests.map((manifest) => manifest.id).join(', ') || 'none'
}

/** What going back to `manifest` cannot know, in words; undefined where it knows all. */
export function unknownSince(shelf: Shelf, manifest: Manifest): string | undefined {
  const later = shelf.unreadable?.filter((it) => it.id > manifest.id).map((it) => it.id) ?? []
  if (later.length === 0) return undefined
  return `the manifest of ${later.join(', ')} cannot be read, so files that only it speaks of stay as they are`
}

export function unreadable({ why }: Unreadable): StepbackError {
  return new StepbackError({
    type: 'Refused',
    message: why,
    hint: 'put a good copy of it back, or choose another restore point; nothing was changed.',
  })
}
