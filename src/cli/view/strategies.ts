import { strategyCells } from '../../plan/describe.js'
import type { StrategyVerdict } from '../../plan/plan.js'
import { columns } from './columns.js'
import { visible } from './visible.js'

/** One line for each strategy: whether, why, how long, and at what loss. */
export function renderStrategies(strategies: readonly StrategyVerdict[]): string[] {
  return columns(strategies.map((it) => strategyCells(it).map(visible))).map((line) => line.trimEnd())
}
