// The lease of the simulated helper: numbers without a gap, of which the highest is in force.

interface Content {
  readonly token: number
  readonly free: boolean
  /** The identity of whoever has it, or gave it back. */
  readonly who: string
  readonly line: string
}

export class Lease {
  readonly #numbers: Content[] = []

  get top(): number {
    return this.#numbers.length
  }

  get isFree(): boolean {
    return this.#numbers.at(-1)?.free ?? true
  }

  inForce(token: number): boolean {
    return token > 0 && token === this.top
  }

  /** The token; or the first word of what is answered to whoever does not get it. */
  acquire(input: { who: string; holder: string; expected: number; saw: string }): number | 'fenced' | 'held' {
    const { who, holder } = input
    const us = this.#numbers.findLastIndex((it) => it.line.includes(who)) + 1
    if (us === this.top && us > 0 && !this.isFree) return us
    if (us > 0) return 'fenced'
    if (!this.isFree && this.top !== input.expected) return 'held'
    const saw = this.isFree ? 'free' : input.saw
    this.#link(who, false, `"holder":${holder},"saw":"${saw}"`)
    return this.top
  }

  holds(token: number, who: string): boolean {
    const content = this.#numbers[token - 1]
    return content !== undefined && content.line.includes(who) && !content.free && this.inForce(token)
  }

  release(token: number, who: string, holder: string): boolean {
    const content = this.#numbers[token - 1]
    if (!content || content.free || !content.line.includes(who)) return false
    if (this.inForce(token)) this.#link(who, true, `"by":${holder}`)
    const next = this.#numbers[token]!
    return next.free && next.line.includes(who)
  }

  line(token: number): string {
    return this.#numbers[token - 1]?.line ?? ''
  }

  /** What a reader needs to judge it. */
  get state(): string {
    const now = Math.floor(Date.now() / 1_000)
    return `number ${this.top}\nnow ${now}\nrenewed ${now}\ncontent ${this.line(this.top)}\n`
  }

  #link(who: string, free: boolean, more: string): void {
    const token = this.top + 1
    const at = `"takenAt":"${new Date().toISOString()}","epoch":${Math.floor(Date.now() / 1_000)}`
    this.#numbers.push({ token, free, who, line: `{"token":${token},"free":${free},${more},${at}}` })
  }
}
