import { z } from 'zod'
import type { Inconsistency } from '../consistency.js'

/** Asked whatever else is wrong, so that all of it is reported at once. */
export function withNothingAgainstItself<S extends z.ZodType>(schema: S, ask: (value: unknown) => Inconsistency[]): S {
  return schema.superRefine(
    (value, context) => {
      for (const { path, message } of ask(value)) context.addIssue({ code: 'custom', path: [...path], message })
    },
    { when: () => true },
  )
}
