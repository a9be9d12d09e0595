// What going back to a restore point does to the project directory.

import type { Manifest, ManifestFile } from './manifest.js'

export interface WayBack {
  readonly files: readonly ManifestFile[]
  /** Paths that did not exist; a directory goes only where it is empty. */
  readonly absent: readonly string[]
  /** Files of the backups directory that are read, each with its checksum. */
  readonly sources: readonly { readonly name: string; readonly sha256: string }[]
}

/**
 * A path that the restore point does not speak of was brought by a later release, and was then as the first restore
 * point taken since says: what 2.1.1 brought anew is gone at 2.0.0, too. `before`: the id of the restore point that the
 * run itself takes, which knows only how things are now.
 */
export function wayBack(manifest: Manifest, all: readonly Manifest[], before: string): WayBack {
  const later = all.filter((it) => it.id > manifest.id && it.id < before).toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const files = new Map<string, ManifestFile>()
  const absent = new Set<string>()
  const used = new Set<ManifestFile>()
  for (const point of [manifest, ...later]) {
    const known = new Set([...files.keys(), ...absent])
    for (const file of point.files) {
      if (file.path === undefined || known.has(file.path)) continue
      files.set(file.path, file)
      used.add(sourceOf(file, point))
    }
    for (const path of point.absentPaths) if (!known.has(path)) absent.add(path)
  }
  return {
    // The outermost directory first, and last among those that go.
    files: [...files.values()].toSorted((a, b) => order(a.path!, b.path!)),
    absent: [...absent].toSorted((a, b) => order(b, a)),
    sources: [...used].filter((file) => file.kind === undefined).map(({ name, sha256 }) => ({ name, sha256 })),
  }
}

/** The same for some paths alone, and what lies below them; all of it without them. */
export function wayBackOf(way: WayBack, only: readonly string[] | undefined): WayBack {
  if (!only) return way
  const goes = (path: string) => only.some((it) => path === it || path.startsWith(`${it}/`))
  const files = way.files.filter((file) => goes(file.path!))
  const sources = way.sources.filter(({ name }) => files.some((file) => file.name === name))
  return { files, sources, absent: way.absent.filter(goes) }
}

/** The file of the backups directory that holds it: itself, or the archive that it is a member of. */
export function isWhole(file: ManifestFile): boolean {
  return file.path === undefined || !file.name.endsWith('.tar.gz')
}

function sourceOf(file: ManifestFile, point: Manifest): ManifestFile {
  if (isWhole(file)) return file
  return point.files.find((it) => it.path === undefined && it.name === file.name) ?? file
}

function order(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
