// Types what the operators' pages show, as it stands there but for what they leave open, where it is meant to be typed.

import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { commandsOf, formOf, operatorPages, readPage, wordsOf } from '../../bench/pages.js'
import { sandboxPaths } from '../../sandbox/index.js'
import { runCommandLine } from '../../src/cli/program.js'
import { command as quote } from '../../src/commands/shell.js'
import { silentIo } from '../cli/support.js'
import type { Operator } from './operator.js'
import { typed } from './typed.js'

/** What a page leaves open. */
export interface Fill {
  readonly run?: string
  readonly id?: string
  readonly digest?: string
  readonly container?: string
}

export interface Said {
  readonly code: number | null
  readonly text: string
}

/** A command that goes on. */
export interface Typing {
  /** What the run is called that it started. */
  run(): Promise<string>
  readonly ended: Promise<Said>
}

/** Everything but `stepback`, and what reads or writes files where it is typed. */
const inDirectory = /^(?!stepback )|^stepback (?:deploy|report) /

const shown = new Map(operatorPages.flatMap((page) => commandsOf(readPage(page)).map((it) => [formOf(it), it])))

export class Typist {
  readonly #all: readonly string[]
  readonly #left: Set<string>
  readonly #bin: string
  #turn: Promise<unknown> = Promise.resolve()
  readonly #paths: ReturnType<typeof sandboxPaths>

  constructor(
    private readonly operator: Operator,
    file: keyof typeof typed,
  ) {
    this.#all = typed[file]
    this.#left = new Set(this.#all)
    this.#paths = sandboxPaths(dirname(operator.sandbox.config))
    this.#bin = join(this.#paths.root, 'typed')
    this.#install()
  }

  /** What this file is to type and has not typed yet. */
  get left(): string[] {
    return [...this.#left]
  }

  /** What it prints; it has to end well. */
  async says(command: string, fill: Fill = {}, answer = ''): Promise<string> {
    const { code, text } = await this.type(command, fill, answer)
    if (code !== 0) throw new Error(`"${command}" ended with exit status ${code}\n${text}`)
    return text
  }

  async type(command: string, fill: Fill = {}, answer = ''): Promise<Said> {
    return await this.begin(command, fill, answer).ended
  }

  begin(form: string, fill: Fill = {}, answer = ''): Typing {
    const asShown = shown.get(form)
    if (asShown === undefined || !this.#all.includes(form)) throw new Error(`"${form}" is not what is typed here`)
    this.#left.delete(form)
    const command = this.#filled(asShown, fill)
    return inDirectory.test(command) ? this.#start(command, answer) : this.#follow(command)
  }

  /** Without a program of its own, of which starting costs more than all that most of them do. */
  #follow(command: string): Typing {
    const lines: string[] = []
    const io = {
      ...silentIo(process.env),
      say: (line: string) => lines.push(line),
      print: (line: string) => lines.push(line),
    }
    const words = [...wordsOf(command).slice(1), '--config', this.operator.sandbox.config]
    const ended = this.#nextSecond()
      .then(() => runCommandLine(words, io))
      .then((code) => ({ code, text: lines.join('\n') }))
    return { ended, run: async () => await nameOf(command, () => lines.join('\n')) }
  }

  /** A run is called by the second of its start. */
  async #nextSecond(): Promise<void> {
    const before = this.#turn
    this.#turn = before.then(() => sleep(1_000))
    await before
  }

  #start(command: string, answer: string): Typing {
    const [program, words] = this.#where(command)
    const { PATH = '' } = process.env
    const env = { ...process.env, PATH: `${this.#bin}:${PATH}` }
    const child = spawn(program, words, { cwd: dirname(this.#paths.releases), env })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += String(chunk)))
    child.stdin.end(answer)
    const ended = new Promise<Said>((resolve) => child.once('close', (code) => resolve({ code, text })))
    return { ended, run: async () => await nameOf(command, () => text) }
  }

  /** `stepback` and `temporal` are typed where one works, everything else on the host, in the project directory. */
  #where(command: string): readonly [string, readonly string[]] {
    if (/^(?:stepback|temporal) /.test(command)) return ['sh', ['-c', command]]
    const { host, port, user, identityFile } = this.operator.sandbox.ssh
    const known = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR']
    const there = `cd ${quote(this.#paths.directory)} && ${command}`
    return ['ssh', ['-i', identityFile, '-p', String(port), ...known, `${user}@${host}`, there]]
  }

  #filled(command: string, { run, id, digest, container }: Fill): string {
    const open: readonly (readonly [RegExp, string | undefined])[] = [
      [/<run>/, run],
      [/<id>|\d{8}T\d{6}Z-[\d.]+/, id],
      [/3fa94c21/, digest?.replace('sha256:', '').slice(0, 8)],
      [/<container>/, container],
      [/(?<=--project-name |compose\.project=)aria/, this.#paths.project],
      [/(?<=")\/releases/, this.#paths.releases],
    ]
    return open.reduce((text, [what, by]) => {
      if (by === undefined && what.test(text)) throw new Error(`"${command}" leaves something open: ${String(what)}`)
      return by === undefined ? text : text.replace(what, by)
    }, command)
  }

  /** Nothing of the machine's own is meant by these names. */
  #install(): void {
    const { processes, temporal, config } = this.operator.sandbox
    const [node, main] = processes.worker!.command
    const programs = {
      stepback: `exec ${quote(node!, main!)} "$@" --config ${quote(config)}`,
      temporal: `exec ${quote(temporal.cli)} "$@" --address ${quote(temporal.address)}`,
    }
    mkdirSync(this.#bin, { recursive: true })
    for (const [name, text] of Object.entries(programs))
      writeFileSync(join(this.#bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  }
}

/** What the run is called that it starts: it says so itself, or is told. */
async function nameOf(command: string, text: () => string): Promise<string> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const [, found] =
      /--workflow-id (\S+)/.exec(command) ?? /^((?:deploy|rollback|emergency)-aria-\S+)/m.exec(text()) ?? []
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`"${command}" never said which run it started: ${text()}`)
    await sleep(50)
  }
}
