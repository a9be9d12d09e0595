// Times of day as cron writes them, told to Temporal field by field, so that they can be compared with what it has.

import { StepbackError } from './failure.js'

export interface Range {
  readonly start: number
  readonly end: number
  readonly step: number
}

export interface Calendar {
  readonly minute: readonly Range[]
  readonly hour: readonly Range[]
  readonly dayOfMonth: readonly Range[]
  readonly month: readonly Range[]
  /** 0 is Sunday. */
  readonly dayOfWeek: readonly Range[]
}

const fields = [
  ['minute', 0, 59],
  ['hour', 0, 23],
  ['dayOfMonth', 1, 31],
  ['month', 1, 12],
  ['dayOfWeek', 0, 6],
] as const

/** Five fields of numbers, `*`, ranges, lists and steps; `InvalidConfiguration` for anything else. */
export function parseCron(text: string): Calendar {
  const words = text.trim().split(/\s+/)
  if (words.length !== fields.length) throw invalid(text, 'it has not five fields')
  if (words[2] !== '*' && words[4] !== '*')
    throw invalid(text, 'days of the month and days of the week are both limited')
  const read = fields.map(([name, min, max], index) => [name, rangesIn(text, words[index]!, min, max)])
  return Object.fromEntries(read) as unknown as Calendar
}

function rangesIn(text: string, word: string, min: number, max: number): Range[] {
  return word.split(',').map((part) => {
    const [, all, first, last, every] = /^(?:(\*)|(\d{1,2})(?:-(\d{1,2}))?)(?:\/(\d{1,2}))?$/.exec(part) ?? []
    if (all === undefined && first === undefined) throw invalid(text, `"${part}" is no number, range or step`)
    const start = all ? min : Number(first)
    const end = all ? max : Number(last ?? (every ? max : first))
    const step = Number(every ?? 1)
    if (start < min || end > max || start > end || step < 1) throw invalid(text, `"${part}" is not in ${min}-${max}`)
    return { start, end, step }
  })
}

function invalid(text: string, why: string): StepbackError {
  return new StepbackError({
    type: 'InvalidConfiguration',
    message: `"${text}" is no time: ${why}`,
    hint: 'write it as cron does: minute, hour, day of the month, month, day of the week (0 is Sunday), e.g. 15 3 * * *.',
  })
}
