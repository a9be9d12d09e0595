// A release as the worker reads it: a directory whose files replace those of the same name in the project directory.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { StepbackError } from '../plan/failure.js'

export interface ReleaseFile {
  readonly path: string
  readonly sha256: string
  readonly bytes: number
  /** Octal, as `0644`. */
  readonly mode: string
}

export interface Release {
  readonly directory: string
  readonly sha256: string
  readonly files: readonly ReleaseFile[]
}

/** A release carries configuration and code, not data: a file beyond this was put there by mistake. */
const fileLimitBytes = 256 * 1024 * 1024

/** Reads every file of the directory; `Refused` for what may not go into the project directory. */
export async function readRelease(input: {
  readonly directory: string
  readonly protected: readonly string[]
}): Promise<Release> {
  const paths = await listFiles(input.directory, input.directory)
  const entered = paths.find((path) => input.protected.some((it) => path === it || path.startsWith(`${it}/`)))
  if (entered !== undefined) throw refused(input.directory, `"${entered}" lies in a protected path`)
  const files: ReleaseFile[] = []
  for (const path of paths.toSorted()) files.push(await describeFile(input.directory, path))
  const sum = createHash('sha256').update(JSON.stringify(files)).digest('hex')
  return { directory: input.directory, sha256: sum, files }
}

async function listFiles(root: string, directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((cause: Error) => {
    throw refused(root, `"${directory}" cannot be read: ${cause.message}`)
  })
  const lists = entries.map(async (entry): Promise<string[]> => {
    const path = join(directory, entry.name)
    const name = relative(root, path).split(sep).join('/')
    if (entry.isDirectory()) return await listFiles(root, path)
    if (entry.isFile()) return [name]
    throw refused(root, `"${name}" is neither a file nor a directory`)
  })
  return (await Promise.all(lists)).flat()
}

async function describeFile(directory: string, path: string): Promise<ReleaseFile> {
  const file = join(directory, path)
  const { size, mode } = await lstat(file)
  if (size > fileLimitBytes) throw refused(directory, `"${path}" has ${size} bytes, more than ${fileLimitBytes}`)
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return { path, sha256: hash.digest('hex'), bytes: size, mode: `0${(mode & 0o777).toString(8)}` }
}

function refused(directory: string, why: string): StepbackError {
  return new StepbackError({
    type: 'Refused',
    message: `release "${directory}" cannot be deployed: ${why}`,
    hint: 'a release holds plain files under their paths in the project directory, nothing in protected paths.',
  })
}
