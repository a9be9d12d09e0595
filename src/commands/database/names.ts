// Names of databases beside the live one, and of sessions. PostgreSQL cuts both at 63 bytes, silently.

import { createHash } from 'node:crypto'

const limitBytes = 63

/** The database that a restore builds. `run8` is 8 hex digits of the run's id. */
export function newName(input: { readonly database: string; readonly run8: string }): string {
  return besideName(input.database, 'new', input.run8)
}

/** The database that a proof leaves ready. */
export function warmName(input: { readonly database: string; readonly run8: string }): string {
  return besideName(input.database, 'warm', input.run8)
}

/** The database that was live before a swap. */
export function beforeName(input: { readonly database: string; readonly run8: string }): string {
  return besideName(input.database, 'before', input.run8)
}

/** Which names can belong to this database; a cut name keeps no suffix, so its beginning and its hash must do. */
export function isBesideName(input: { readonly database: string; readonly name: string }): boolean {
  const { database, name } = input
  if (/^__(new|warm|before)_[0-9a-f]{8}$/.test(name.slice(database.length))) return name.startsWith(database)
  return Buffer.byteLength(name) >= limitBytes - 3 && /__[0-9a-f]{6}$/.test(name) && database.startsWith(name.slice(0, -8))
}

/** The application_name of every session of a target: `stepback:<target>:<token>:<what>`. */
export function sessionName(input: { readonly target: string; readonly token: number; readonly what: string }): string {
  return cut(`${sessionPrefix(input)}${input.token}:${input.what}`, limitBytes)
}

/** What all sessions of a target begin with. Leaves room for the token, which a take-over must be able to read. */
export function sessionPrefix(input: { readonly target: string }): string {
  return `stepback:${cut(input.target, 24)}:`
}

function besideName(database: string, kind: string, run8: string): string {
  if (!/^[0-9a-f]{8}$/.test(run8)) throw new TypeError(`"${run8}" is not 8 hex digits of a run's id`)
  return cut(`${database}__${kind}_${run8}`, limitBytes)
}

/** Ends in 6 hex digits of the whole name's hash, so that two long names that begin alike stay two. */
function cut(name: string, bytes: number): string {
  if (Buffer.byteLength(name) <= bytes) return name
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 6)
  return `${wholeCharacters(name, bytes - 8)}__${hash}`
}

function wholeCharacters(text: string, bytes: number): string {
  let kept = ''
  for (const character of text) {
    if (Buffer.byteLength(kept + character) > bytes) break
    kept += character
  }
  return kept
}
