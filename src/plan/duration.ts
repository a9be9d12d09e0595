import { StepbackError } from './failure.js'

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Milliseconds of a duration string such as `500ms`, `30s`, `5m`, `24h` or `7d`. */
export function durationMs(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text)
  if (!match) {
    throw new StepbackError({ type: 'InvalidRequest', message: `"${text}" is no duration; expected one like "30s"` })
  }
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs]
}

/** A duration as people read it: `840 ms`, `4.2 s`, `3 min 10 s`, `2 h 5 min`. */
export function describeMs(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`
}
