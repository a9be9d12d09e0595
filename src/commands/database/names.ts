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

/** Whether a database was made beside this one by stepback, by its exact name. */
export function isBesideName(named: Named): boolean {
  return besideParts(named) !== undefined
}

/** The digits of the run that began to make it; undefined for what was live once, and for other names. */
export function builtBy(named: Named): string | undefined {
  const { kind, run8 } = besideParts(named) ?? {}
  return kind === 'before' ? undefined : run8
}

/** The digits of the run that put it aside; undefined for what was never live. */
export function putAsideBy(named: Named): string | undefined {
  const { kind, run8 } = besideParts(named) ?? {}
  return kind === 'before' ? run8 : undefined
}

interface Named {
  readonly database: string
  readonly name: string
}

function besideParts({ database, name }: Named): { readonly kind: string; readonly run8: string } | undefined {
  const [, kind, run8] = /__(new|warm|before)_([0-9a-f]{8})(?:_[0-9a-f]{6})?$/.exec(name) ?? []
  if (kind === undefined || run8 === undefined || besideName(database, kind, run8) !== name) return undefined
  return { kind, run8 }
}

/** The application_name of every session of a target: `stepback:<target>:<token>:<what>`. */
export function sessionName(input: { readonly target: string; readonly token: number; readonly what: string }): string {
  return cut(`${sessionPrefix(input)}${input.token}:${input.what}`, limitBytes)
}

/** What all sessions of a target begin with. Leaves room for the token, which a take-over must be able to read. */
export function sessionPrefix(input: { readonly target: string }): string {
  return `stepback:${cut(input.target, 24)}:`
}

// A long database name is cut, never what says whose and what kind the copy is; its hash keeps two long names two.
function besideName(database: string, kind: string, run8: string): string {
  if (!/^[0-9a-f]{8}$/.test(run8)) throw new TypeError(`"${run8}" is not 8 hex digits of a run's id`)
  const suffix = `__${kind}_${run8}`
  const whole = `${database}${suffix}`
  if (Buffer.byteLength(whole) <= limitBytes) return whole
  return `${wholeCharacters(database, limitBytes - suffix.length - 7)}${suffix}_${hash6(whole)}`
}

function cut(name: string, bytes: number): string {
  return Buffer.byteLength(name) <= bytes ? name : `${wholeCharacters(name, bytes - 7)}_${hash6(name)}`
}

function hash6(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 6)
}

function wholeCharacters(text: string, bytes: number): string {
  let kept = ''
  for (const character of text) {
    if (Buffer.byteLength(kept + character) > bytes) break
    kept += character
  }
  return kept
}
