// Every key of a request as an option of the same name.

import { type Command, InvalidArgumentError, Option } from 'commander'

/** `a,b` and repeated use come to the same list. */
export function list(value: string, before: readonly string[] = []): string[] {
  return [
    ...before,
    ...value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  ]
}

export function wholeNumber(value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value)
  throw new InvalidArgumentError('expected a whole number, 0 or more.')
}

export function choice(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).choices(choices)
}

/** What deploys and rollbacks have in common, and how they are followed. */
export function addRunOptions(command: Command): Command {
  return command
    .addOption(choice('--approval <wish>', 'ask for an approval; weaker than the policy is refused', wishes))
    .option('--reason <text>', 'why, for the Web UI and the audit record')
    .option('--requested-by <name>', 'who asks for it (default: you)')
    .option('--dry-run', 'print the plan and change nothing')
    .option('--no-wait', 'leave with exit status 6 when it waits for an answer; the run goes on')
}

const wishes = ['policy', 'always', 'never']
