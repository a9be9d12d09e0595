import type { Finding } from '../../plan/facts.js'
import { StepbackError } from '../../plan/failure.js'

/** What a look found; what cannot be looked at is a finding, too. */
export async function findingOr(check: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look()
  } catch (error) {
    return [findingOf(check, error)]
  }
}

/** An error as a finding: its hint is kept apart from what it says. */
export function findingOf(check: string, error: unknown): Finding {
  const hint = error instanceof StepbackError ? error.hint : undefined
  const [detail = ''] = (error instanceof Error ? error.message : String(error)).split('\nhint: ')
  return { check, ok: false, detail, ...(hint ? { hint } : {}) }
}
