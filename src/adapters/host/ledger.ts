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
  const words = ['append', book, input.token, input.id, ...(holder ? ['held'] : [])]
  const payload = holder ? Buffer.concat([entry, holder]) : entry
  const lines = linesOf(await callHelper({ options, words, payload }))
  if (input.holder && lines.has('other')) throw notOurs({ token: input.token, holder: input.holder, lines, options })
  const answer = lines.get('appended')?.[0]
  if (answer === undefined) {
    throw new StepbackError({
      type: 'Refused',
      message: `'${options.stateDirectory}' has no ${book}: no run ever began there`,
    })
  }
  const [number, sha256 = '', isVoid] = answer.split(' ')
  if (isVoid === 'yes' && book === 'ledger') {
    throw fenced({ token: input.token, by: await readLease(options), options })
  }
  return { number: Number(number), sha256 }
}

/** What is wrong where: an entry is missing, changed, or stands in another's place. */
export interface Damage {
  readonly number: number
  readonly what: string
}

/** The entries behind number `after`, in order. A chain that does not hold together is `Refused`. */
export async function read(options: HelperOptions, book: Book, after: number): Promise<readonly LedgerRecord[]> {
  const { records, damage } = chain(await linesOfBook(options, book, after), after)
  if (damage[0]) throw broken({ options, book, ...damage[0] })
  if (after > 0 && records.length === 0) throw broken({ options, book, number: after, what: 'is missing' })
  // The entry `after` itself came along only to hold the chain.
  return records.filter((record) => record.number > after)
}

/** Everything that can be read, and everything that is wrong with it. */
export async function inspect(
  options: HelperOptions,
  book: Book,
): Promise<{ readonly records: readonly LedgerRecord[]; readonly damage: readonly Damage[] }> {
  return chain(await linesOfBook(options, book, 0), 0)
}

async function linesOfBook(options: HelperOptions, book: Book, after: number): Promise<string[]> {
  const reply = await callHelper({ options, words: ['read', book, after] })
  return reply.stdout.toString('utf8').split('\n').slice(0, -1)
}

function chain(lines: readonly string[], after: number): { records: LedgerRecord[]; damage: Damage[] } {
  const records: LedgerRecord[] = []
  const damage: Damage[] = []
  let previous: Link = { number: Math.max(after, 1) - 1, sha256: after <= 1 ? '0'.repeat(64) : undefined, high: 0 }
  for (const line of lines) {
    const raw = parse(line)
    const what = raw === undefined ? 'cannot be read' : damageOf(raw, previous)
    if (what !== undefined) damage.push({ number: previous.number + 1, what })
    const sha256 = createHash('sha256').update(`${line}\n`).digest('hex')
    if (raw) records.push(recordOf(raw, sha256))
    previous = raw ? { number: raw.number, sha256, high: raw.high } : { number: previous.number + 1, sha256 }
  }
  return { records, damage }
}

function recordOf({ number, prev, token, id, at, entry, high }: RawEntry, sha256: string): LedgerRecord {
  return { number, prev, sha256, token, id, at, entry, void: token < high }
}

/** What the next entry has to follow from; nothing is known of the tokens before one that cannot be read. */
interface Link {
  readonly number: number
  readonly sha256: string | undefined
  readonly high?: number
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
    const raw = JSON.parse(line) as RawEntry | null
    return Number.isInteger(raw?.number) && typeof raw?.entry === 'object' ? raw : undefined
  } catch {
    return undefined
  }
}

function damageOf(raw: RawEntry, previous: Link): string | undefined {
  if (raw.number !== previous.number + 1) return `is missing, ${raw.number} follows`
  if (previous.sha256 === undefined) return undefined
  if (raw.prev !== previous.sha256) return 'does not follow from the one before it'
  if (previous.high === undefined) return undefined
  return raw.high === Math.max(previous.high, raw.token) ? undefined : 'does not carry the greatest token before it'
}

function broken(input: { options: HelperOptions; book: Book; number: number; what: string }): StepbackError {
  const file = `${input.options.stateDirectory}/${input.book}/${String(input.number).padStart(8, '0')}.json`
  return new StepbackError({
    type: 'Refused',
    message: `the ${input.book} is broken: entry '${file}' ${input.what}`,
    hint: 'somebody or a crash changed it; compare it with the records of Temporal before anything else is written',
  })
}
