// The helper on the simulated host: the same words and the same answers as src/host, with the truth in memory.

import { Book } from './books.js'
import { type Doing, doingNow } from './doing.js'
import { Jobs } from './jobs.js'
import { Lease } from './lease.js'
import { Refusal } from './refusal.js'

export interface Printed {
  readonly exitCode: number | null
  readonly stdout: Buffer
  readonly stderr: Buffer
}

export class Helper {
  readonly lease = new Lease()
  readonly books = { ledger: new Book(), audit: new Book() }
  readonly jobs: Jobs

  constructor(
    private readonly input: {
      readonly look: (script: string) => string
      readonly run: (doing: Doing) => { readonly status: number; readonly stdout: string }
      readonly lasts: (doing: Doing) => number
    },
  ) {
    this.jobs = new Jobs({ ...input, inForce: (token) => this.lease.inForce(token) })
  }

  /** The answer to one call, framed as the adapter expects it. */
  async call(nonce: string, words: readonly string[], payload: Buffer): Promise<Printed> {
    const begin = `\n@@${nonce} begin\n`
    const frame = (body: string) => ({ exitCode: 0, stdout: Buffer.from(begin + body), stderr: Buffer.from(begin) })
    try {
      return frame(`${await this.#answer(words, payload.toString('utf8'))}\n@@${nonce} end 0\n`)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return frame(`\n@@${nonce} fail ${error.code} ${error.message}\n`)
    }
  }

  async #answer([operation = '', ...words]: readonly string[], payload: string): Promise<string> {
    const [first = '', second = '', third = ''] = words
    switch (operation) {
      case 'look':
        return this.input.look(payload)
      case 'lease':
        return this.lease.state
      case 'acquire':
        return this.#acquire(Number(first), second, payload)
      case 'renew':
        return this.lease.holds(Number(first), lines(payload)[0]) ? 'extended\n' : this.#notOurs(Number(first))
      case 'release':
        return this.#release(Number(first), payload)
      case 'start': {
        const script = payload.slice(0, Number(words[3]))
        return await this.jobs.start(first, Number(second), Number(third), script, doingNow(nameOf(first)))
      }
      case 'wait':
        return await this.jobs.wait(first, Number(third))
      case 'cancel':
        return this.jobs.cancel(first)
      case 'append':
        return this.#append(first as 'ledger' | 'audit', words.slice(1), payload)
      case 'read':
        return this.books[first as 'ledger' | 'audit'].read(Number(second))
      default:
        throw new Error(`the simulated helper does not know "${operation}"`)
    }
  }

  #acquire(expected: number, saw: string, payload: string): string {
    const [who, holder] = lines(payload)
    const got = this.lease.acquire({ who, holder, expected, saw })
    if (typeof got === 'string') return `${got}\n${this.lease.state}`
    this.jobs.sweep(got)
    return `acquired ${got}\n`
  }

  #release(token: number, payload: string): string {
    const [who, holder] = lines(payload)
    if (!this.lease.release(token, who, holder)) return this.#notOurs(token)
    this.jobs.sweep(token + 1)
    return 'released\n'
  }

  #append(book: 'ledger' | 'audit', [token = '', id = '', held]: readonly string[], payload: string): string {
    const [entry, who] = lines(payload)
    if (held !== undefined && !this.lease.holds(Number(token), who)) return this.#notOurs(Number(token))
    return this.books[book].append({ token: Number(token), id, entry })
  }

  #notOurs(token: number): string {
    return `other ${this.lease.line(token)}\n${this.lease.state}`
  }
}

function lines(payload: string): [string, string] {
  const [first = '', second = ''] = payload.split('\n')
  return [first, second]
}

/** `3fa94c21.0-takeRestorePoint.do.1.files`: the last word. */
function nameOf(id: string): string {
  return id.split('.').at(-1) ?? ''
}
