// What looks like a credential in text that people and programs wrote.

import { StepbackError } from './failure.js'

/** Messages of libraries come as text, where no key says what is secret: addresses with credentials are masked. */
export function maskCredentials(text: string): string {
  return text
    .replaceAll(/(:\/\/[^\s:/@"\\]*):[^\s@"\\]+@/g, '$1:[redacted]@')
    .replaceAll(/\b((?:[A-Za-z_]*(?:password|passphrase|secret))=)[^\s"'\\&;]+/gi, '$1[redacted]')
}

/** The same within data: people write comments and reasons, and some write a password into them. */
export function masked<T>(words: T): T {
  return JSON.parse(maskCredentials(JSON.stringify(words))) as T
}

/** Before it is sent: nothing takes a word out of Temporal's history again. `InvalidRequest` names the key. */
export function ensureNoCredentials(sent: object): void {
  for (const [key, value] of Object.entries(sent)) {
    if (typeof value !== 'string' || maskCredentials(value) === value) continue
    throw new StepbackError({
      type: 'InvalidRequest',
      message: `${key}: "${maskCredentials(value)}" seems to hold a credential, and Temporal keeps whatever it is sent`,
      hint: 'say it without the credential; nothing was sent.',
    })
  }
}
