import { runHook as hookScript } from '../commands/hooks.js'
import { durationMs } from '../plan/duration.js'
import { StepbackError } from '../plan/failure.js'
import type { ActDefinition } from './act.js'

/** Runs it once: nobody knows whether a hook may run twice, so one of unknown end is a person's to judge. */
export const runHook: ActDefinition<'runHook'> = {
  jobs: ['hook'],
  run: async (context, { name, command, timeout, version }) => {
    const timeoutSeconds = Math.ceil(durationMs(timeout) / 1_000)
    const { name: target, directory } = context.target
    const script = hookScript({ directory, target, version, argv: command, timeout, timeoutSeconds })
    const holds = async (): Promise<never> => {
      throw new StepbackError({
        type: 'OutcomeUnknown',
        message: `hook "${name}" was cut off, and nobody knows how far it came`,
        hint: 'look at what it changes; then retry runs it again, skip goes on without it, abort undoes the deploy.',
      })
    }
    await context.job('hook', script, { holds })
    return null
  },
}

/** The jobs of a step are ended before any act of its undo: for a hook that is all there is to do. */
export const endHook: ActDefinition<'endHook'> = {
  jobs: [],
  run: async () => null,
}
