// Health endpoints as the host itself sees them: HTTP through the SSH connection, nothing published, nothing installed.

import { type IncomingMessage, request } from 'node:http'
import { request as requestTls } from 'node:https'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { HealthCheck } from '../config/schema.js'
import { durationMs } from '../plan/duration.js'
import type { HealthReport } from '../plan/progress.js'
import { onceMore } from './again.js'
import type { SshConnection } from './ssh.js'

/** An answer longer than this is no health answer. */
const answerLimitBytes = 1_048_576

export async function checkUrl(
  ssh: SshConnection,
  check: HealthCheck & { readonly url: string },
): Promise<HealthReport> {
  try {
    const answer = await get(ssh, check.url, durationMs(check.timeout))
    const problem = problemOf(check, answer)
    return { check: check.name, healthy: problem === null, detail: problem ?? `status ${answer.status}` }
  } catch (error) {
    return { check: check.name, healthy: false, detail: `no answer: ${(error as Error).message.split('\n')[0]}` }
  }
}

export async function readField(
  ssh: SshConnection,
  input: { readonly url: string; readonly field: string },
): Promise<string | null> {
  try {
    const { body } = await get(ssh, input.url, 5_000)
    const value = (JSON.parse(body) as Record<string, unknown>)[input.field]
    return typeof value === 'string' ? value : null
  } catch {
    return null // an application that is down has no version, and a rollback must be planned all the same
  }
}

/** The body of a good answer; nothing where there is none. */
export async function readText(ssh: SshConnection, url: string): Promise<string | null> {
  try {
    const { status, body } = await get(ssh, url, 5_000)
    return status >= 200 && status <= 299 ? body : null
  } catch {
    return null
  }
}

interface Answer {
  readonly status: number
  readonly body: string
}

function problemOf(check: HealthCheck, answer: Answer): string | null {
  if (answer.status < 200 || answer.status > 399) return `status ${answer.status}`
  if (check.contains !== undefined && !answer.body.includes(check.contains))
    return `"${check.contains}" is not in the answer`
  for (const [field, expected] of Object.entries(check.json ?? {})) {
    const found = fieldOf(answer.body, field)
    if (found !== expected) return `${field} is ${JSON.stringify(found)}, expected "${expected}"`
  }
  return null
}

function fieldOf(body: string, field: string): unknown {
  try {
    return (JSON.parse(body) as Record<string, unknown>)[field]
  } catch {
    return undefined
  }
}

/** An answer that was lost on its way says nothing about the application; three polls of one would undo a release. */
async function get(ssh: SshConnection, address: string, timeoutMs: number): Promise<Answer> {
  return await onceMore(() => getOnce(ssh, address, timeoutMs))
}

async function getOnce(ssh: SshConnection, address: string, timeoutMs: number): Promise<Answer> {
  const url = new URL(address)
  const tls = url.protocol === 'https:'
  const port = Number(url.port || (tls ? 443 : 80))
  const stream = await ssh.dial({ host: url.hostname, port })
  try {
    return await ask(url, tls ? connectTls({ socket: stream, servername: url.hostname }) : stream, timeoutMs)
  } finally {
    stream.destroy()
  }
}

function ask(url: URL, stream: Duplex, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const start = url.protocol === 'https:' ? requestTls : request
    const options = {
      createConnection: () => stream as never,
      signal: AbortSignal.timeout(timeoutMs),
      agent: false as const,
    }
    const asked = start(url, options, (response) => readAnswer(response).then(resolve, reject))
    asked.once('error', reject)
    stream.once('close', () => reject(new Error('the connection was closed')))
    asked.end()
  })
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > answerLimitBytes) break
    chunks.push(chunk)
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }
}
