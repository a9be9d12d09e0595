// A release as the worker reads it: a directory whose files replace those of the same name in the project directory.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { StepbackError } from '../plan/failure.js'
import type { ReleaseEntry } from '../plan/release.js'

export interface ReleaseFile extends ReleaseEntry {
  /** Of a file its content's, of a link its text's. */
  readonly sha256: string
  readonly bytes: number
  /** Octal, as `0644`; what would run as somebody else (setuid, setgid) is left out. */
  readonly mode: string
}

export interface Release {
  readonly directory: string
  readonly sha256: string
  readonly files: readonly ReleaseFile[]
}

/** A release carries configuration and code, not data: what is beyond these was put there by mistake. */
export interface ReleaseLimits {
  readonly fileBytes: number
  readonly files: number
}

/** Reads every file of the directory; `Refused` where it cannot be read, or holds more than a release may. */
export async function readRelease(input: {
  readonly directory: string
  readonly limits: ReleaseLimits
}): Promise<Release> {
  const { directory, limits } = input
  const entries = (await list(directory, '')).toSorted((a, b) => (a.path < b.path ? -1 : 1))
  if (entries.length > limits.files) {
    throw refused(directory, `it holds ${entries.length} files, more than release.files (${limits.files})`)
  }
  const files: ReleaseFile[] = []
  for (const entry of entries) files.push(await describe(directory, entry, limits))
  const sum = createHash('sha256').update(JSON.stringify(files)).digest('hex')
  return { directory, sha256: sum, files }
}

async function list(root: string, inner: string): Promise<ReleaseEntry[]> {
  const directory = join(root, inner)
  const entries = await readdir(directory, { withFileTypes: true, encoding: 'buffer' }).catch((cause: Error) => {
    throw refused(root, `"${directory}" cannot be read: ${cause.message}`)
  })
  if (entries.length === 0 && inner !== '') return [{ path: inner, kind: 'directory' }]
  const lists = entries.map(async (entry): Promise<ReleaseEntry[]> => {
    const name = decode(root, inner, entry.name as unknown as Buffer)
    const path = inner === '' ? name : `${inner}/${name}`
    if (entry.isDirectory()) return await list(root, path)
    if (entry.isFile()) return [{ path, kind: 'file' }]
    if (entry.isSymbolicLink()) return [{ path, kind: 'link', target: await readlink(join(root, path)) }]
    throw refused(root, `"${path}" is neither a file, a link nor a directory`)
  })
  return (await Promise.all(lists)).flat()
}

/** A name of other bytes than UTF-8 would arrive as another name. */
function decode(root: string, inner: string, bytes: Buffer): string {
  const name = bytes.toString('utf8')
  if (Buffer.from(name, 'utf8').equals(bytes)) return name
  throw refused(root, `the name "${name}" in "${inner || '.'}" is not UTF-8`)
}

async function describe(directory: string, entry: ReleaseEntry, limits: ReleaseLimits): Promise<ReleaseFile> {
  const file = join(directory, entry.path)
  const { size, mode } = await lstat(file)
  const facts = { ...entry, mode: `0${(mode & 0o777).toString(8).padStart(3, '0')}` }
  const hash = createHash('sha256')
  if (entry.kind === 'link') return { ...facts, sha256: hash.update(entry.target ?? '').digest('hex'), bytes: size }
  if (entry.kind === 'directory') return { ...facts, sha256: hash.digest('hex'), bytes: 0 }
  if (size > limits.fileBytes) {
    throw refused(directory, `"${entry.path}" has ${size} bytes, more than release.fileBytes (${limits.fileBytes})`)
  }
  await pipeline(createReadStream(file), hash)
  return { ...facts, sha256: hash.digest('hex'), bytes: size }
}

function refused(directory: string, why: string): StepbackError {
  return new StepbackError({
    type: 'Refused',
    message: `release "${directory}" cannot be deployed: ${why}`,
    hint: 'a release holds files and links under their paths in the project directory; mend it, nothing was changed.',
  })
}
