// A running Compose project as a look from outside found it: what a configuration is drafted from.

import type { Dependency } from '../../plan/compose.js'

export interface Found {
  readonly target: string
  /** As it was given on the command line. */
  readonly ssh: FoundSsh
  readonly project: string
  readonly directory: string
  /** Below the directory, as all paths here. */
  readonly composeFiles: readonly string[]
  readonly envFile: string
  /** What the environment file says, in memory only; null where there is none. */
  readonly environment: ReadonlyMap<string, string> | null
  readonly profiles: readonly string[]
  readonly services: readonly FoundService[]
  /** Whether the SSH user may write to the directory. */
  readonly writable: boolean
  readonly home: string
}

export interface FoundSsh {
  readonly host: string
  readonly port?: number
  readonly user?: string
  readonly identityFile?: string
  readonly knownHosts?: readonly string[]
}

export interface FoundService {
  readonly name: string
  readonly builds: boolean
  /** Others wait until it has ended. */
  readonly job: boolean
  readonly dependsOn: readonly Dependency[]
  /** Of its container, the image's own included; it holds secrets. */
  readonly environment: ReadonlyMap<string, string>
  readonly mounts: readonly Mount[]
  /** An argument list that its container is asked with; null where it is asked nothing. */
  readonly healthcheck: readonly string[] | null
  readonly answers: readonly HttpAnswer[]
}

/** Something in the project directory that a container sees. */
export interface Mount {
  readonly path: string
  readonly kind: 'file' | 'directory'
  readonly writable: boolean
  readonly secret: boolean
}

/** A good answer of a published port, asked from the host itself. */
export interface HttpAnswer {
  readonly url: string
  readonly body: string
}

/** Whether a variable opens a door, as far as its name and an address with a login in it can say. */
export function isSecret([key, value]: readonly [string, string]): boolean {
  return (
    /pass(word|wd|phrase)?|secret|token|credential|private|api_?key|_key$/i.test(key) ||
    /:\/\/[^\s/@]*:[^\s/@]+@/.test(value)
  )
}
