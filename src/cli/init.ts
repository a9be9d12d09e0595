import { existsSync, writeFileSync } from 'node:fs'
import { StepbackError } from '../plan/failure.js'
import { type Cli, addCommand, globalsOf } from './cli.js'
import { findConfig } from './configuration.js'
import { hostKeyAnswer } from './doctor/host-key.js'
import { exitCodes } from './exit-code.js'
import { type HostOptions, reachOf } from './init/host.js'
import { lookAround } from './init/look.js'
import { schemaFor } from './init/schema.js'
import { list, wholeNumber } from './options.js'

interface Options extends HostOptions {
  readonly project?: string
  readonly target?: string
  readonly acceptHostKey?: readonly string[]
}

export function addInit({ program, io, exit }: Cli): void {
  const command = addCommand(program, {
    name: 'init <host>',
    does: 'writes a commented stepback.yaml from a look at a running Compose project over SSH; changes nothing there',
    example: 'stepback init deploy@shop.example --project shop',
  })
  command
    .option('--project <name>', 'the Compose project; needed where more than one is there')
    .option('--target <name>', 'what to call it (default: the name of the project)')
    .option('--port <number>', 'of the SSH server (default: that of the SSH configuration)', wholeNumber)
    .option('--identity-file <file>', 'private key (default: those of the SSH configuration, then the agent)')
    .option('--known-hosts <file>', 'accepted host keys (default: those of the SSH configuration)')
    .option('--accept-host-key <fingerprint>', 'make a host key known, if it is exactly this one: SHA256:…', list)
    .action(async (host: string, options: Options) => {
      const globals = globalsOf(command)
      const path = globals.config ?? (io.env['STEPBACK_CONFIG'] || 'stepback.yaml')
      ensureNew(path)
      const accept = hostKeyAnswer({ io, accepted: options.acceptHostKey, asks: !globals.json })
      const reach = reachOf(host, options)
      const found = await lookAround({ reach, accept, io: globals.json ? { ...io, ask: undefined } : io, ...options })
      const { draftConfig } = await import('../config/draft.js')
      const { text, todo } = draftConfig(found, { path, schema: schemaFor(path) })
      writeFileSync(path, text, { flag: 'wx' })
      if (globals.json) io.print(JSON.stringify({ path, target: found.target, todo }))
      for (const line of [`wrote ${path}: target ${found.target}`, ...nextSteps(path, found.target, todo)]) io.say(line)
      exit(exitCodes.done)
    })
}

/** A configuration is a person's work: none is ever written over. */
function ensureNew(path: string): void {
  if (!existsSync(path)) return
  throw new StepbackError({
    type: 'Refused',
    message: `"${path}" is there already, and is not written over`,
    hint: 'name another file with --config, and move its target over.',
  })
}

function nextSteps(path: string, target: string, todo: readonly string[]): string[] {
  const named = findConfig(undefined, process.env) === path ? '' : ` --config ${path}`
  return [
    ...todo.map((it) => `first ${it}`),
    'then',
    `  stepback doctor ${target}${named}`,
    `  stepback worker${named}`,
    `  stepback restore-points ${target} take${named}`,
  ]
}
