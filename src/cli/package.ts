import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface OwnPackage {
  readonly directory: string
  readonly version: string
  /** The oldest Node that it runs on. */
  readonly node: string
}

/** This package as it is installed, or as it lies in its sources. */
export function ownPackage(): OwnPackage {
  const candidates = ['../../package.json', '../../../package.json'] // from the sources, and from dist/src
  for (const candidate of candidates) {
    const file = new URL(candidate, import.meta.url)
    const found = read(file)
    if (found?.name !== 'stepback') continue
    return {
      directory: dirname(fileURLToPath(file)),
      version: found.version,
      node: found.engines.node.slice('>='.length),
    }
  }
  return { directory: '', version: 'unknown', node: '0' }
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly engines: { readonly node: string }
}

function read(file: URL): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Manifest
  } catch {
    return undefined
  }
}
