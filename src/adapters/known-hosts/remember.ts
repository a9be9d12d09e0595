// Writes down a host key that a person has compared. Only ever adds a line.
import { createHmac, randomBytes } from 'node:crypto'
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { HostKeyOffer } from '../known-hosts.js'

/** Appends the key to the offer's file, made where it is missing; with a hashed name where the file hashes names. */
export function rememberHostKey({ name, type, key, file }: HostKeyOffer): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const before = textOf(file)
  const written = /^\|1\|/m.test(before) ? hashed(name) : name
  // A file without a newline at its end would take the line into its last one.
  const start = before === '' || before.endsWith('\n') ? '' : '\n'
  appendFileSync(file, `${start}${written} ${type} ${key.toString('base64')}\n`, { mode: 0o600 })
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

function hashed(name: string): string {
  const salt = randomBytes(20)
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}
