// Which keys a host may show. Everything that is not known exactly is refused, and says how to make it known.
import { createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ServerHostKeyAlgorithm } from 'ssh2'
import { quote } from '../commands/shell.js'
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

/** A key that a host showed at first contact: nobody knows it yet, and nothing speaks against it. */
export interface HostKeyOffer {
  /** As known_hosts names the host: `host`, or `[host]:port`. */
  readonly name: string
  readonly fingerprint: string
  readonly type: string
  readonly key: Buffer
  /** Where an accepted key is written. */
  readonly file: string
}

/** The refusal of such a key; only `stepback doctor` may offer it to a person. */
export class UnknownHostKey extends StepbackError {
  readonly offer: HostKeyOffer

  constructor(input: { readonly offer: HostKeyOffer; readonly hint: string; readonly cause: unknown }) {
    const { offer, hint, cause } = input
    super({
      type: 'Refused',
      message: `the host key ${offer.fingerprint} of '${offer.name}' is not known`,
      hint,
      cause,
    })
    this.offer = offer
  }
}

/** The check of one connection. A file that does not exist knows no host; any other failure to read one is thrown. */
export function hostKeyCheck(input: {
  readonly host: string
  readonly port: number
  readonly files: readonly string[]
  /** Whose doctor can make the key known. */
  readonly target?: string | undefined
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
  const name = nameOf(input)
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

// An address of IPv6 is like any name: bare at port 22, else in brackets.
function nameOf(input: { readonly host: string; readonly port: number }): string {
  const host = input.host.toLowerCase()
  return input.port === 22 ? host : `[${host}]:${input.port}`
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
  target?: string | undefined
  keys: readonly KnownKey[]
  accepted: readonly KnownKey[]
  shown: Buffer | undefined
  cause: unknown
}): StepbackError {
  const { shown, accepted, cause } = input
  const at = nameOf(input)
  const known = accepted.map((entry) => `${entry.type} ${fingerprint(entry.key)}`).join(', ')
  const forget = `ssh-keygen -R '${at}' -f ${quote(input.files[0] ?? '')}, then: ${acceptCommand(input)}`
  const refused = (message: string, hint: string) => new StepbackError({ type: 'Refused', message, hint, cause })
  if (shown && isRevoked(input.keys, shown)) {
    return refused(
      `the host key ${fingerprint(shown)} of '${at}' is marked as revoked`,
      'do not connect; ask who revoked it',
    )
  }
  if (shown && accepted.length === 0) return firstContact({ ...input, shown, at })
  if (shown) {
    const message = `the host key of '${at}' has changed: it shows ${fingerprint(shown)}, known is ${known}`
    return refused(message, `ask whoever keeps the host; if that is meant: ${forget}`)
  }
  const message = `no secure handshake with '${at}'${known ? `, whose known key is ${known}` : ''}: ${reasonOf(cause)}`
  return refused(message, known ? `if its keys were replaced: ${forget}` : 'which algorithms does its sshd offer?')
}

function firstContact(input: {
  files: readonly string[]
  target?: string | undefined
  shown: Buffer
  at: string
  cause: unknown
}): StepbackError {
  const { shown, at, cause } = input
  const [file] = input.files
  const print = fingerprint(shown)
  if (file === undefined) {
    const message = `the host key ${print} of '${at}' is not known, and no file of known hosts is configured`
    return new StepbackError({ type: 'Refused', message, hint: 'name one in ssh.knownHosts', cause })
  }
  const offer = { name: at, fingerprint: print, type: typeOf(shown), key: shown, file }
  const hint = `compare the fingerprint on the host, then: ${acceptCommand({ ...input, shown })}`
  return new UnknownHostKey({ offer, hint, cause })
}

function acceptCommand(input: { target?: string | undefined; shown: Buffer | undefined }): string {
  const print = input.shown ? ` --accept-host-key ${fingerprint(input.shown)}` : ''
  return input.target === undefined
    ? `the same command again${print && ` with${print}`}`
    : `stepback doctor ${input.target}${print}`
}

/** A key begins with its type: a length of four bytes, and so many letters. */
function typeOf(key: Buffer): string {
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1')
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : 'connection closed'
}
