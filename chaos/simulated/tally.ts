// What many deploys come to, and whether that is what must hold.

import { performance } from 'node:perf_hooks'
import type { Deployed } from './deploy.js'

export class Tally {
  readonly #began = performance.now()
  readonly #all: Deployed[] = []

  add(one: Deployed): void {
    this.#all.push(one)
  }

  /** What somebody has to look at: with its seed it is there again. */
  remarksOn(one: Deployed): string[] {
    const { seed, release, said, message, violations } = one
    const ends = endsAsPlanned(one)
      ? []
      : [`seed ${seed}: a release that ${means[release]} ended as ${said}: ${message}`]
    return [...ends, ...violations.map((it) => `seed ${seed}: VIOLATION: ${it}`)]
  }

  get summary(): string {
    const seconds = (performance.now() - this.#began) / 1_000
    const rate = (this.#all.length / seconds).toFixed(1)
    return `${this.#planned} as planned, ${this.#rest} otherwise, ${this.#violations} violations, ${rate} a second`
  }

  get report(): string {
    const sum = (of: (one: Deployed) => number) => this.#all.reduce((total, one) => total + of(one), 0)
    const bad = this.#all.filter((it) => it.release !== 'good')
    const [commands, failed] = [sum((it) => it.commands), sum((it) => it.failed)]
    const share = ((100 * this.#planned) / this.#all.length).toFixed(3)
    return [
      `${this.#all.length} deploys, ${bad.length} of them of a release that has to be undone`,
      `${this.#planned} (${share} %) ended as planned, ${this.#rest} otherwise; ${sum((it) => it.asked)} times a person was asked`,
      `${commands} commands over SSH, ${failed} (${((100 * failed) / commands).toFixed(2)} %) failed`,
      `${Math.round(sum((it) => it.events) / this.#all.length)} events in a history, ${Math.max(...this.#all.map((it) => it.events))} at most`,
      `${this.#violations} violations`,
    ].join('\n')
  }

  /** 99.99 % as planned, the rest undone, and nothing anywhere that is neither. */
  get holds(): boolean {
    const left = this.#all.filter((it) => it.state === 'mixed').length
    return this.#violations === 0 && left === 0 && this.#rest <= Math.floor(this.#all.length / 10_000)
  }

  get #planned(): number {
    return this.#all.filter(endsAsPlanned).length
  }

  get #rest(): number {
    return this.#all.length - this.#planned
  }

  get #violations(): number {
    return this.#all.reduce((total, one) => total + one.violations.length, 0)
  }
}

/** What a release comes to where nothing fails but itself. */
function endsAsPlanned({ release, said, state }: Deployed): boolean {
  return release === 'good' ? said === 'done' && state === 'as planned' : said === 'undone' && state === 'as before'
}

const means = {
  good: 'is good',
  'does not build': 'does not build',
  'does not migrate': 'does not migrate',
  'is not healthy': 'is not healthy',
} as const
