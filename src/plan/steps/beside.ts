import type { Step } from '../act.js'

/**
 * Steps that go on at the same time, since none needs another one. None of them commits: what fails beside a commit step
 * would have to know whether that one was quicker.
 */
export function sideBySide(steps: readonly Step[]): Step[] {
  return steps.map((step, index) => (index === 0 ? step : { ...step, beside: true }))
}
