// What a run is called, and what the Web UI says of it before it says anything itself.

import type { RunKind } from '../plan/plan.js'

/** The Web UI and the server take so much. */
const summaryLimitBytes = 200
const targetLimit = 200

/** `rollback-aria-20261123T140211Z`. */
export function runName(input: { readonly kind: RunKind; readonly target: string; readonly at: Date }): string {
  const time = input.at.toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '')
  return `${input.kind}-${plain(input.target).slice(0, targetLimit)}-${time}`
}

/** One for each target: `guard-aria`. */
export function guardName(target: string): string {
  return `guard-${plain(target).slice(0, targetLimit)}`
}

/** `rollback of aria: error rate up`; text of people, so without control characters, and no longer than may be. */
export function summaryOf(input: {
  readonly kind: RunKind
  readonly target: string
  readonly version?: string | undefined
  readonly reason?: string | undefined
}): string {
  const version = input.version ? ` ${input.version}` : ''
  const reason = input.reason ? `: ${input.reason}` : ''
  return cut(plain(`${input.kind} of ${input.target}${version}${reason}`), summaryLimitBytes)
}

function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()
}

/** Between characters, never within one. */
function cut(text: string, limitBytes: number): string {
  if (Buffer.byteLength(text) <= limitBytes) return text
  let kept = ''
  for (const character of text) {
    if (Buffer.byteLength(kept) + Buffer.byteLength(character) > limitBytes - Buffer.byteLength('…')) break
    kept += character
  }
  return `${kept}…`
}
