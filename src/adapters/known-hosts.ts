// Which keys a host may show. Everything that is not known exactly is refused, and says how to make it known.
import { createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ServerHostKeyAlgorithm } from 'ssh2'
import { StepbackError } from '../plan/failure.js'

export interface KnownKey {
  readonly type: string
  readonly key: Buffer
  readonly revoked: boolean
}

export interface HostKeyCheck {
  /** Synchronous on purpose: ssh2 takes a returned promise for consent. */
  readonly verify: (key: Buffer) => boolean
  /** Only the known types are offered, else a server with two keys shows the one that is not in the file. */
  readonly algorithms: { readonly algorithms?: { serverHostKey: ServerHostKeyAlgorithm[] } }
  /** Why the handshake was refused, once it was. */
  readonly refusal: (cause: unknown) => StepbackError
}

/** The check of one connection. A file that does not exist knows no host; any other failure to read one is thrown. */
export function hostKeyCheck(input: {
  readonly host: string
  readonly port: number
  readonly files: readonly string[]
}): HostKeyCheck {
  const keys = input.files.flatMap((file) => knownKeys({ text: readIfThere(file), host: input.host, port: input.port }))
  const accepted = keys.filter((known) => !known.revoked && !isRevoked(keys, known.key))
  const types = [...new Set(accepted.flatMap((known) => algorithmsOf[known.type] ?? []))]
  let shown: Buffer | undefined
  return {
    verify: (key) => {
      shown = key
      return accepted.some((known) => known.key.equals(key))
    },
    algorithms: types.length > 0 ? { algorithms: { serverHostKey: types } } : {},
    refusal: (cause) => refusal({ ...input, keys, accepted, shown, cause }),
  }
}

/** The entries of a known_hosts file that name this host: plain names, patterns, hashed names, `[host]:port`. */
export function knownKeys(input: {
  readonly text: string
  readonly host: string
  readonly port: number
}): readonly KnownKey[] {
  const host = input.host.toLowerCase()
  const name = input.port === 22 ? host : `[${host}]:${input.port}`
  return input.text.split('\n').flatMap((line) => {
    const words = line.trim().split(/\s+/)
    const marker = words[0]?.startsWith('@') ? words.shift() : undefined
    const [names, type, key] = words
    if (!names || names.startsWith('#') || !type || !key) return []
    // ssh2 knows no host certificates, so an authority's key is no host's key.
    if (marker !== undefined && marker !== '@revoked') return []
    if (!matches(names, name)) return []
    return [{ type, key: Buffer.from(key, 'base64'), revoked: marker === '@revoked' }]
  })
}

/** As `ssh-keygen -l` prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

// An ssh-rsa key signs with SHA-2 today; the SHA-1 signature of the same name is not offered.
const algorithmsOf: Readonly<Record<string, readonly ServerHostKeyAlgorithm[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
}

function isRevoked(keys: readonly KnownKey[], key: Buffer): boolean {
  return keys.some((known) => known.revoked && known.key.equals(key))
}

function matches(names: string, name: string): boolean {
  if (names.startsWith('|1|')) {
    const [, , salt, hash] = names.split('|')
    return (
      createHmac('sha1', Buffer.from(salt ?? '', 'base64'))
        .update(name)
        .digest('base64') === hash
    )
  }
  const patterns = names.toLowerCase().split(',')
  const hits = (pattern: string) => glob(pattern).test(name)
  if (patterns.some((pattern) => pattern.startsWith('!') && hits(pattern.slice(1)))) return false
  return patterns.some((pattern) => !pattern.startsWith('!') && hits(pattern))
}

function glob(pattern: string): RegExp {
  const source = pattern
    .replace(/[\\^$.+()|{}[\]]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`)
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw new StepbackError({
      type: 'InvalidConfiguration',
      message: `the known hosts file '${file}' cannot be read: ${(cause as Error).message}`,
      hint: `ls -l '${file}'`,
      cause,
    })
  }
}

function refusal(input: {
  host: string
  port: number
  files: readonly string[]
  keys: readonly KnownKey[]
  accepted: readonly KnownKey[]
  shown: Buffer | undefined
  cause: unknown
}): StepbackError {
  const { host, port, shown, accepted } = input
  const at = port === 22 ? host : `[${host}]:${port}`
  const print = shown ? ` ${fingerprint(shown)}` : ''
  const known = accepted.map((entry) => `${entry.type} ${fingerprint(entry.key)}`).join(', ')
  const scan = `ssh-keyscan -p ${port} ${host} >> ${input.files[0] ?? '~/.ssh/known_hosts'}`
  const [message, hint] =
    shown && isRevoked(input.keys, shown)
      ? [`the host key${print} of '${at}' is marked as revoked`, 'do not connect; ask who revoked it']
      : accepted.length === 0
        ? [`the host key${print} of '${at}' is not known`, `compare the fingerprint on the host, then: ${scan}`]
        : shown
          ? [
              `the host key of '${at}' has changed: it shows${print}, known is ${known}`,
              `if that is meant: ssh-keygen -R '${at}' && ${scan}`,
            ]
          : [
              `no secure handshake with '${at}', whose known key is ${known}: ${(input.cause as Error)?.message ?? ''}`,
              `if its keys were replaced: ssh-keygen -R '${at}' && ${scan}`,
            ]
  return new StepbackError({ type: 'Refused', message, hint, cause: input.cause })
}
