// What one kind of trial is told, and answers.

export interface Asked {
  /** How many; of what, each kind says itself. */
  readonly count: number
  /** The first of them. What was found with seed S + i is found again with `1` and `--seed` S + i. */
  readonly seed: number
  /** Just these of them, by their numbers. */
  readonly only?: readonly number[] | undefined
  /** How many faults each has, where a kind of trial lets that be chosen. */
  readonly faults?: number | undefined
  /** On how many sandboxes, where a kind of trial has some. */
  readonly atOnce: number
  readonly say: (line: string) => void
}

/** True where all held that must hold. */
export type Trial = (asked: Asked) => Promise<boolean>
