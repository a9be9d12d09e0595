// The host's ledger and audit record, read without the product: numbered files, each with the hash of the one before.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { LedgerEntry } from '../src/plan/ledger.js'

export interface Entry {
  readonly number: number
  readonly prev: string
  readonly token: number
  readonly high: number
  readonly at: string
  readonly entry: LedgerEntry
}

/** Every entry of the ledger of this state directory, in its order, but for so many that were read before. */
export function ledgerEntries(state: string, read = 0): readonly Entry[] {
  const files = entryFiles(join(state, 'ledger')).slice(read)
  return files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Entry)
}

/** What breaks a chain, a line each: a number that is missing, or a hash that is not that of the entry before. */
export function chainProblems(directory: string): string[] {
  const first = '0'.repeat(64)
  const problems: string[] = []
  let before = first
  for (const [index, file] of entryFiles(directory).entries()) {
    const text = readFileSync(file)
    const entry = parsed(text.toString())
    if (entry?.number !== index + 1) problems.push(`${file} does not say that it is entry ${index + 1}`)
    if (entry?.prev !== before) problems.push(`${file} does not name the hash of the entry before it`)
    before = createHash('sha256').update(text).digest('hex')
  }
  return problems
}

/** Reads a ledger as it grows. */
export class Tail {
  readonly entries: LedgerEntry[] = []
  #next: number

  /** From here on. */
  constructor(private readonly state: string) {
    this.#next = entryFiles(join(state, 'ledger')).length + 1
  }

  /** All entries so far of this run, by its workflow id, as a reset gives it another run id. */
  of(run: string): LedgerEntry[] {
    for (;;) {
      const file = join(this.state, 'ledger', `${String(this.#next).padStart(8, '0')}.json`)
      if (!existsSync(file)) return this.entries.filter((it) => it.run.workflowId === run)
      this.entries.push((JSON.parse(readFileSync(file, 'utf8')) as Entry).entry)
      this.#next += 1
    }
  }
}

/** When a run first began an act, by the clock of the file system; undefined where it did not. */
export function begunAt(state: string, run: string, act: string): number | undefined {
  const file = entryFiles(join(state, 'ledger')).find((path) => {
    const { entry } = JSON.parse(readFileSync(path, 'utf8')) as Entry
    return entry.run.workflowId === run && entry.kind === 'start' && entry.act === act && !entry.undo
  })
  return file === undefined ? undefined : statSync(file).mtimeMs
}

/** From when to when another database may have been the live one: from an exchange to the end of its way back. */
export function exchangedBack(state: string, run: string): { readonly from: number; readonly to: number } | undefined {
  const from = begunAt(state, run, 'swapDatabase')
  const back = entryFiles(join(state, 'ledger')).findLast((path) => {
    const { entry } = JSON.parse(readFileSync(path, 'utf8')) as Entry
    return entry.run.workflowId === run && entry.kind === 'end' && entry.act === 'swapDatabaseBack'
  })
  return from === undefined || back === undefined ? undefined : { from, to: statSync(back).mtimeMs }
}

function entryFiles(directory: string): string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((name) => /^\d+\.json$/.test(name))
    .toSorted()
    .map((name) => join(directory, name))
}

function parsed(text: string): Entry | undefined {
  try {
    return JSON.parse(text) as Entry
  } catch {
    return undefined
  }
}
