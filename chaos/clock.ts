// Clocks that can be moved: the host's, as commands there read it, by a `date` in front of the real one for SSH sessions
// alone; and a worker's, as JavaScript reads it.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Session } from '../sandbox/index.js'

export class HostClock {
  static of({ paths, state }: Session): HostClock {
    const directory = join(paths.root, 'chaos', 'bin')
    mkdirSync(directory, { recursive: true })
    const offset = join(paths.root, 'chaos', 'offset')
    const real = '/bin/date'
    const moved = `exec ${real} -d "@$(($(${real} +%s) + $(cat '${offset}')))" "$@"`
    writeFileSync(join(directory, 'date'), `#!/bin/sh\n[ -e '${offset}' ] || exec ${real} "$@"\n${moved}\n`, {
      mode: 0o755,
    })
    const file = join(paths.ssh, 'sshd_config')
    const config = readFileSync(file, 'utf8')
    if (!config.includes(directory)) writeFileSync(file, config.replace('"PATH=', `"PATH=${directory}:`))
    process.kill(state.processes.sshd!.pid, 'SIGHUP')
    return new HostClock(offset)
  }

  private constructor(private readonly offset: string) {}

  move(seconds: number): void {
    writeFileSync(this.offset, String(seconds))
  }

  right(): void {
    rmSync(this.offset, { force: true })
  }
}

/** The environment of a worker whose clock is so many seconds off; what is written for it goes into this directory. */
export function withMovedClock(directory: string, seconds: number): NodeJS.ProcessEnv {
  const file = join(directory, 'moved-clock.mjs')
  writeFileSync(file, movedClock)
  return { NODE_OPTIONS: `--import=${pathToFileURL(file).href}`, CHAOS_CLOCK_SECONDS: String(seconds) }
}

const movedClock = `const Real = Date
const off = Number(process.env.CHAOS_CLOCK_SECONDS) * 1000
globalThis.Date = class Date extends Real {
  constructor(...given) {
    super(...(given.length === 0 ? [Real.now() + off] : given))
  }
  static now() {
    return Real.now() + off
  }
}
`
