import { homedir } from 'node:os'
import { resolve } from 'node:path'
import type { FoundSsh } from '../../config/draft/found.js'
import { StepbackError } from '../../plan/failure.js'

export interface HostOptions {
  readonly port?: number
  readonly identityFile?: string
  readonly knownHosts?: string
}

/** `[user@]host`, as one would give it to ssh, and what the options add; files by their whole paths. */
export function reachOf(host: string, options: HostOptions): FoundSsh {
  const [, user, name] = /^(?:([^@\s]+)@)?([^-@\s][^@\s]*)$/.exec(host) ?? []
  if (name === undefined) {
    throw new StepbackError({
      type: 'InvalidRequest',
      message: `"${host}" is no host: a name, an address or an alias of the SSH configuration was expected, as [user@]host`,
      hint: 'stepback init deploy@shop.example',
    })
  }
  const { port, identityFile, knownHosts } = options
  return {
    host: name,
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(identityFile === undefined ? {} : { identityFile: whole(identityFile) }),
    ...(knownHosts === undefined ? {} : { knownHosts: [whole(knownHosts)] }),
  }
}

function whole(path: string): string {
  return resolve(path.replace(/^~(?=\/)/, homedir()))
}
