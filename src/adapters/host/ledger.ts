// Ledger and audit, typed: a chain of numbered entries, checked whenever it is read.
import { createHash } from 'node:crypto'
import { StepbackError } from '../../plan/failure.js'
import { callHelper, linesOf } from './helper.js'
import type { HelperOptions } from './helper.js'
import { type Holder, fenced, identityAndHolder, notOurs, readLease } from './lease.js'

export type Book = 'ledger' | 'audit'

export interface LedgerRecord {
  readonly number: number
  readonly prev: string
  readonly sha256: string
  readonly token: number
  readonly id: string
  readonly at: string
  readonly entry: object
  /** Written by a fenced run behind an entry of a greater token: not to be believed. */
  readonly void: boolean
}

/**
 * Safe to repeat: an entry with that id is found and its number answered. Behind a greater token's it is `Fenced`. With
 * a holder the lease is looked at first, and renewed; nothing is written unless it is that holder's.
 */
export async function append(
  options: HelperOptions,
  book: Book,
  input: { token: number; id: string; entry: object; holder?: Holder | undefined },
): Promise<{ number: number; sha256: string }> {
  if (!/^[A-Za-z0-9._:@/-]+$/.test(input.id)) throw new TypeError(`not an entry id: '${input.id}'`)
  const entry = Buffer.from(`${JSON.stringify(input.entry)}\n`)
  const holder = input.holder && identityAndHolder(input.holder)
  const words = ['append', book, input.token, input.id, entry.length, ...(holder ? [holder.length] : [])]
  const payload = holder ? Buffer.concat([entry, holder]) : entry
  const lines = linesOf(await callHelper({ options, words, payload }))
  if (input.holder && lines.has('other')) throw notOurs({ token: input.token, holder: input.holder, lines, options })
  const answer = lines.get('appended')?.[0] ?? ''
  const [number, sha256 = '', isVoid] = answer.split(' ')
  if (isVoid === 'yes' && book === 'ledger') {
    throw fenced({ token: input.token, by: await readLease(options), options })
  }
  return { number: Number(number), sha256 }
}

/** The entries behind number `after`, in order. A chain that does not hold together is `Refused`. */
export async function read(options: HelperOptions, book: Book, after: number): Promise<readonly LedgerRecord[]> {
  const reply = await callHelper({ options, words: ['read', book, after] })
  const lines = reply.stdout.toString('utf8').split('\n').slice(0, -1)
  let previous = { number: Math.max(after, 1) - 1, sha256: after <= 1 ? '0'.repeat(64) : undefined, high: 0 }
  const records = lines.map((line) => {
    const raw = parse(line)
    const damage = raw === undefined ? 'cannot be read' : damageOf(raw, previous)
    if (raw === undefined || damage) throw broken({ options, book, number: previous.number + 1, damage: damage ?? '' })
    const sha256 = createHash('sha256').update(`${line}\n`).digest('hex')
    previous = { number: raw.number, sha256, high: raw.high }
    const { number, prev, token, id, at, entry } = raw
    return { number, prev, sha256, token, id, at, entry, void: token < raw.high }
  })
  if (after > 0 && records.length === 0) throw broken({ options, book, number: after, damage: 'is missing' })
  // The entry `after` itself came along only to hold the chain.
  return records.filter((record) => record.number > after)
}

interface RawEntry {
  readonly number: number
  readonly prev: string
  /** The greatest token of the chain up to here. */
  readonly high: number
  readonly token: number
  readonly id: string
  readonly at: string
  readonly entry: object
}

function parse(line: string): RawEntry | undefined {
  try {
    return JSON.parse(line) as RawEntry
  } catch {
    return undefined
  }
}

function damageOf(
  raw: RawEntry,
  previous: { readonly number: number; readonly sha256: string | undefined; readonly high: number },
): string | undefined {
  if (raw.number !== previous.number + 1) return `is missing, ${raw.number} follows`
  if (previous.sha256 === undefined) return undefined
  if (raw.prev !== previous.sha256) return 'does not follow from the one before it'
  return raw.high === Math.max(previous.high, raw.token) ? undefined : 'does not carry the greatest token before it'
}

function broken(input: { options: HelperOptions; book: Book; number: number; damage: string }): StepbackError {
  const file = `${input.options.stateDirectory}/${input.book}/${String(input.number).padStart(8, '0')}.json`
  return new StepbackError({
    type: 'Refused',
    message: `the ${input.book} is broken: entry '${file}' ${input.damage}`,
    hint: 'somebody or a crash changed it; compare it with the records of Temporal before anything else is written',
  })
}
