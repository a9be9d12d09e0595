// What all commands share: the global options, and how an action ends.

import { Command } from 'commander'
import type { Globals } from './configuration.js'
import type { Io } from './io.js'

export interface Cli {
  readonly program: Command
  readonly io: Io
  /** Remembers the exit code of the command that ran. */
  readonly exit: (code: number) => void
}

/** Adds a command; `--config` and `--json` may stand before its name or behind it. */
export function addCommand(
  parent: Command,
  input: { readonly name: string; readonly does: string; readonly example: string },
): Command {
  return addGlobals(parent.command(input.name).description(input.does)).addHelpText(
    'after',
    `\nExample:\n${indent(input.example)}`,
  )
}

export function addGlobals(command: Command): Command {
  return command
    .option('--config <file>', 'default: $STEPBACK_CONFIG, ./stepback.yaml, .sandbox/stepback.yaml')
    .option('--json', 'print the result as JSON')
}

/** The options of a command together with the global ones. */
export function globalsOf(command: Command): Globals {
  return command.optsWithGlobals<Globals>()
}

function indent(example: string): string {
  return example
    .split('\n')
    .map((line) => `  $ ${line}`)
    .join('\n')
}
