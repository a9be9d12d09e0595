// The list of rows that do not come along, written into the run's staging directory while they are found.

import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { leftFile } from '../commands/carry.js'
import type { LeftRow } from '../adapters/database.js'
import type { ActContext } from './context.js'

/** What the list is, in words that may be in a history: none of a row. */
export interface LeftList {
  /** On the host. */
  readonly file: string
  /** Where it lies until the rows are carried. */
  readonly staged: string
  readonly rows: number
  readonly sha256: string
}

export class LeftRows {
  readonly #hash = createHash('sha256')
  readonly #staged: string
  #rows = 0
  #writing: { readonly lines: PassThrough; readonly sent: Promise<void> } | undefined

  constructor(private readonly context: ActContext) {
    // Another attempt may still be writing its own.
    this.#staged = `${context.staging}/left.${randomBytes(6).toString('hex')}`
  }

  async write(row: LeftRow): Promise<void> {
    this.#writing ??= this.#begin()
    const { lines, sent } = this.#writing
    const line = `${JSON.stringify(row)}\n`
    this.#hash.update(line)
    this.#rows++
    // A connection that is lost drains nothing any more.
    if (!lines.write(line)) await Promise.race([once(lines, 'drain'), sent])
  }

  /** Nothing where every row came along. */
  async close(): Promise<LeftList | null> {
    if (!this.#writing) return null
    const { lines, sent } = this.#writing
    lines.end()
    await sent
    this.#writing = undefined
    const { backups, safety } = this.context
    const file = leftFile({ backups, id: safety })
    return { file, staged: this.#staged, rows: this.#rows, sha256: this.#hash.digest('hex') }
  }

  /** What was begun and is not whole. */
  async abandon(): Promise<void> {
    const { lines, sent } = this.#writing ?? {}
    lines?.destroy()
    await sent?.catch(() => undefined)
  }

  #begin() {
    const lines = new PassThrough()
    const { ssh, signal } = this.context
    const sent = ssh.upload({ content: lines, remotePath: this.#staged, mode: 0o600, signal })
    sent.catch(() => undefined)
    return { lines, sent }
  }
}
