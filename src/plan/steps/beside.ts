import type { Step } from '../act.js'

/** Runs a step at the same time as the one before it, where neither needs the other and one of them waits for a disk. */
export function beside(step: Step): Step {
  return { ...step, beside: true }
}
