// How to tell that the project is well, and which version runs, from what its ports and containers answered.

import { databaseService } from './database.js'
import { type Found, type FoundService, type HttpAnswer, isSecret } from './found.js'

/** Where applications say how they are, the most telling first; asked of each published port. */
export const healthPaths = ['/api/health', '/health', '/healthz', '/readyz', '/up', '/']
export const versionPaths = ['/version', '/api/version', '/api/status', '/status']

export interface DraftCheck {
  readonly name: string
  readonly url?: string
  readonly json?: Readonly<Record<string, string>>
  readonly service?: string
  readonly command?: readonly string[]
}

export function draftChecks(found: Found, application: readonly string[]): DraftCheck[] {
  const database = databaseService(found)
  const own = found.services.filter((it) => application.includes(it.name))
  return [
    ...own.flatMap((service) => checksOf(found, service)),
    ...(database ? [{ name: database.name, service: database.name, command: ['pg_isready', '-q'] }] : []),
  ]
}

export function draftVersion(found: Found): { readonly url: string; readonly field: string } | undefined {
  const all = found.services.flatMap((it) => it.answers)
  const telling = all.find(({ body }) => field(body, 'version') !== undefined)
  return telling && { url: telling.url, field: 'version' }
}

/** One for each port that answers; else what the container itself is asked with. */
function checksOf(found: Found, service: FoundService): DraftCheck[] {
  const ports = [...new Set(service.answers.map(({ url }) => new URL(url).port))]
  const urls = ports.flatMap(
    (port) => mostTelling(service.answers.filter(({ url }) => new URL(url).port === port)) ?? [],
  )
  if (urls.length > 0) {
    return urls.map((answer, index) => ({
      name: index === 0 ? service.name : `${service.name}-${ports[index]}`,
      ...answer,
    }))
  }
  const { healthcheck, name } = service
  if (healthcheck === null || holdsSecret(found, service, healthcheck)) return []
  return [{ name, service: name, command: healthcheck }]
}

function mostTelling(answers: readonly HttpAnswer[]): Pick<DraftCheck, 'url' | 'json'> | undefined {
  const answer = healthPaths.flatMap((path) => answers.find(({ url }) => new URL(url).pathname === path) ?? [])[0]
  if (!answer) return undefined
  const status = field(answer.body, 'status')
  const says = status !== undefined && wellWords.includes(status.toLowerCase())
  return { url: answer.url, ...(says ? { json: { status } } : {}) }
}

const wellWords = ['ok', 'healthy', 'up', 'pass', 'alive', 'running', 'ready', 'green']

function field(body: string, name: string): string | undefined {
  try {
    const value: unknown = (JSON.parse(body) as Record<string, unknown> | null)?.[name]
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

/** Compose has put values of the environment into it, and none of them may be written down. */
function holdsSecret(found: Found, { environment }: FoundService, words: readonly string[]): boolean {
  const secrets = [...(found.environment ?? []), ...environment].filter(isSecret)
  return secrets.some(([, value]) => value !== '' && words.some((word) => word.includes(value)))
}
