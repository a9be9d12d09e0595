import type { Step } from '../act.js'
import type { Hook } from '../facts.js'

/** Runs a program of the operator's. Nobody knows how to undo it; the undo only keeps it from acting behind its back. */
export function runHook({ name, command, timeout }: Hook, version: string): Step {
  return {
    act: { name: 'runHook', title: `hook ${name}`, args: { name, command, timeout, version } },
    undo: [{ name: 'endHook', title: `make sure that hook ${name} has ended`, args: { name } }],
    commit: false,
  }
}
