// Ledger and audit record of the simulated helper: lines of a chain, as the real one writes them.

import { createHash } from 'node:crypto'

export class Book {
  readonly #lines: string[] = []
  readonly #numbers = new Map<string, number>()

  /** The line that the real helper answers with. An id that is there already is found, and not written again. */
  append(input: { readonly token: number; readonly id: string; readonly entry: string }): string {
    const number = this.#numbers.get(input.id) ?? this.#add(input)
    const line = this.#lines[number - 1]!
    const { token, high } = JSON.parse(line) as { readonly token: number; readonly high: number }
    return `appended ${number} ${hash(line)} ${token < high ? 'yes' : 'no'}\n`
  }

  /** From that number on, it included. */
  read(after: number): string {
    return this.#lines
      .slice(Math.max(after - 1, 0))
      .map((line) => `${line}\n`)
      .join('')
  }

  #add({ token, id, entry }: { readonly token: number; readonly id: string; readonly entry: string }): number {
    const last = this.#lines.at(-1)
    const number = this.#lines.length + 1
    const before = last === undefined ? 0 : (JSON.parse(last) as { readonly high: number }).high
    const prev = last === undefined ? '0'.repeat(64) : hash(last)
    const head = JSON.stringify({
      number,
      prev,
      high: Math.max(before, token),
      token,
      id,
      at: new Date().toISOString(),
    })
    this.#lines.push(`${head.slice(0, -1)},"entry":${entry}}`)
    this.#numbers.set(id, number)
    return number
  }
}

function hash(line: string): string {
  return createHash('sha256').update(`${line}\n`).digest('hex')
}
