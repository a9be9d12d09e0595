// What a person sees while a run is under way: redrawn on a terminal, line by line elsewhere.

import { createLogUpdate } from 'log-update'
import type { Progress } from '../../plan/progress.js'
import type { Io } from '../io.js'
import { renderChanges } from './changes.js'
import { renderProgress } from './progress.js'

export interface View {
  show(progress: Progress): void
  /** The worker or the server does not answer, or both do again. */
  silent(who: 'worker' | 'server' | null): void
  /** Leaves what is drawn as it is, for a question beneath it, until it is released. */
  hold(): void
  release(): void
  end(): void
}

export function openView(io: Io, run: string): View {
  return io.live ? new LiveView(io, run) : new PlainView(io, run)
}

const redrawMs = 120

class LiveView implements View {
  readonly #draw: ReturnType<typeof createLogUpdate>
  readonly #timer: NodeJS.Timeout
  #progress: Progress | undefined
  #note = ''
  #drawn = ''
  #held = false

  constructor(
    private readonly io: Io,
    private readonly run: string,
  ) {
    this.#draw = createLogUpdate(process.stderr)
    this.#timer = setInterval(() => this.#redraw(), redrawMs)
  }

  show(progress: Progress): void {
    this.#progress = progress
    this.#redraw()
  }

  silent(who: 'worker' | 'server' | null): void {
    this.#note = who ? `\n  ${this.io.colours.yellow(silence(who))}` : ''
    this.#redraw()
  }

  hold(): void {
    this.#redraw()
    this.#held = true
    this.#draw.done()
  }

  release(): void {
    this.#held = false
    this.#redraw()
  }

  end(): void {
    clearInterval(this.#timer)
    this.#note = ''
    this.#redraw()
    this.#draw.done()
  }

  #redraw(): void {
    if (this.#held) return
    const seen = { run: this.run, nowMs: Date.now(), colours: this.io.colours }
    const text = this.#progress ? renderProgress(this.#progress, seen) : 'waiting for a worker to begin'
    if (text + this.#note === this.#drawn) return
    this.#drawn = text + this.#note
    this.#draw(this.#drawn)
  }
}

class PlainView implements View {
  #shown: Progress | undefined

  constructor(
    private readonly io: Io,
    private readonly run: string,
  ) {}

  show(progress: Progress): void {
    const seen = { run: this.run, nowMs: Date.now(), colours: this.io.colours }
    for (const line of renderChanges(this.#shown, progress, seen)) this.io.say(line)
    this.#shown = progress
  }

  silent(who: 'worker' | 'server' | null): void {
    this.io.say(who ? silence(who) : 'answers again')
  }

  hold(): void {}

  release(): void {}

  end(): void {}
}

function silence(who: 'worker' | 'server'): string {
  return who === 'worker' ? 'no worker answers; the run waits for one' : 'Temporal does not answer; the run goes on'
}
