// HTTP to the outside, from the worker itself. What an address holds may be a secret, so no message names it.

import { StepbackError } from '../plan/failure.js'

export interface Outgoing {
  readonly url: string
  readonly method?: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** Slow receivers are tried again, and hold nothing up meanwhile. */
const answersWithinMs = 10_000
const answerLimitCharacters = 10_000

/**
 * The body of a good answer. `Unreachable`, which is tried again, where none comes, or one that may be another tomorrow
 * (5xx, 408, 425, 429); `Refused` for every other. Nothing follows a redirect: it would hand on what is in the headers.
 */
export async function send({ url, method = 'POST', headers, body }: Outgoing): Promise<string> {
  const answer = await ask(url, { method, headers, redirect: 'manual', ...(body === undefined ? {} : { body }) })
  if (answer.status >= 200 && answer.status <= 299) return answer.text
  const again = answer.status >= 500 || [408, 425, 429].includes(answer.status)
  throw new StepbackError({
    type: again ? 'Unreachable' : 'Refused',
    message: `it answered with status ${answer.status}`,
    hint: 'compare address and credentials under notifications in the configuration.',
  })
}

async function ask(url: string, init: RequestInit): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(answersWithinMs) })
    return { status: response.status, text: (await response.text()).slice(0, answerLimitCharacters) }
  } catch (error) {
    throw new StepbackError({ type: 'Unreachable', message: `no answer: ${reasonOf(error as Error)}` })
  }
}

/** `ECONNREFUSED`, `ENOTFOUND`, `TimeoutError`: never a text that may hold the address. */
function reasonOf(error: Error): string {
  const cause = error.cause as { readonly code?: string } | undefined
  return cause?.code ?? error.name
}
