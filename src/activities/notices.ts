// One notice to one channel. Whoever receives it may see it twice: a delivery has an id, and keeps it.

import { createHmac } from 'node:crypto'
import { Context } from '@temporalio/activity'
import type { Config } from '../config/schema.js'
import { StepbackError } from '../plan/failure.js'
import { type Channel, type Notice, type Subscriptions } from '../plan/notice.js'
import { beating } from './act.js'
import type { Deps } from './deps.js'
import { traceOf } from './traces.js'

/** What a workflow has to know to tell anybody; nothing where nobody is to be told. */
export function subscriptionsOf({ notifications: { webhook, grafana, traces } }: Config): Subscriptions | undefined {
  if (!webhook && !grafana && !traces) return undefined
  return {
    ...(webhook ? { webhook: webhook.events } : {}),
    ...(grafana ? { grafana: grafana.events } : {}),
    ...(traces ? { traces: ['run-ended'] } : {}),
  }
}

export function noticeActivities(deps: Deps) {
  return {
    /** Nothing is sent where the configuration no longer has the channel. */
    async sendNotice(input: { readonly channel: Channel; readonly notice: Notice }): Promise<void> {
      return await beating(async () => await senders[input.channel](deps, withLink(deps, input.notice)))
    },
  }
}

type Linked = Notice & { readonly url?: string }

const senders: Readonly<Record<Channel, (deps: Deps, notice: Linked) => Promise<void>>> = {
  webhook,
  grafana,
  traces,
}

async function webhook({ config, send }: Deps, notice: Linked): Promise<void> {
  const { webhook: to } = config.notifications
  if (!to) return
  const id = delivery()
  // `text` is what Slack and its like show; they would read mentions and links out of it, and marks out of `*`.
  const { spans: _spans, ...told } = notice
  const body = JSON.stringify({ ...told, id, text: escaped(textOf(notice)), mrkdwn: false })
  const timestamp = String(Math.floor(Date.now() / 1_000))
  const secret = to.secret && valueOf(to.secret, 'notifications.webhook.secret')
  await send({
    url: typeof to.url === 'string' ? to.url : valueOf(to.url, 'notifications.webhook.url'),
    headers: {
      'content-type': 'application/json',
      'user-agent': 'stepback',
      'x-stepback-event': notice.event,
      'x-stepback-delivery': id,
      'x-stepback-timestamp': timestamp,
      ...(secret ? { 'x-stepback-signature': `sha256=${hmac(secret, `${timestamp}.${body}`)}` } : {}),
    },
    body,
  })
}

async function grafana({ config, send }: Deps, notice: Linked): Promise<void> {
  const { grafana: to } = config.notifications
  if (!to) return
  const id = `notice:${delivery()}`
  const url = `${to.url.replace(/\/+$/, '')}/api/annotations`
  const authorization = `Bearer ${valueOf(to.token, 'notifications.grafana.token')}`
  const headers = { 'content-type': 'application/json', 'user-agent': 'stepback', authorization }
  if (
    Context.current().info.attempt > 1 &&
    (await isThere(send, `${url}?tags=${encodeURIComponent(id)}&limit=1`, headers))
  )
    return
  const tags = ['stepback', notice.target, notice.kind, notice.event, ...(notice.phase ? [notice.phase] : []), id]
  const ended = notice.event === 'run-ended' && notice.startedAt !== undefined
  const time = ended
    ? { time: Date.parse(notice.startedAt!), timeEnd: Date.parse(notice.at) }
    : { time: Date.parse(notice.at) }
  await send({ url, headers, body: JSON.stringify({ ...time, tags, text: escaped(textOf(notice)) }) })
}

async function traces({ config, send }: Deps, notice: Linked): Promise<void> {
  const { traces: to } = config.notifications
  const body = traceOf(notice)
  if (!to || body === null) return
  const given = Object.entries(to.headers).map(([name, value]) => [
    name,
    valueOf(value, `notifications.traces.${name}`),
  ])
  const headers = { ...Object.fromEntries(given), 'content-type': 'application/json', 'user-agent': 'stepback' }
  await send({ url: to.url, headers, body })
}

/** An annotation has no id of ours, so it is looked for by a tag. A token that may not read sends it again. */
async function isThere(send: Deps['send'], url: string, headers: Readonly<Record<string, string>>): Promise<boolean> {
  try {
    const found: unknown = JSON.parse(await send({ url, method: 'GET', headers }))
    return Array.isArray(found) && found.length > 0
  } catch {
    return false
  }
}

function withLink({ config, namespace }: Deps, notice: Notice): Linked {
  const ui = config.temporal.ui?.replace(/\/+$/, '')
  if (!ui) return notice
  return {
    ...notice,
    url: `${ui}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(notice.run)}`,
  }
}

function textOf({ text, url }: Linked): string {
  return url === undefined ? text : `${text}\n${url}`
}

/** The same for all attempts: that of the notice's own workflow. */
function delivery(): string {
  return Context.current().info.workflowExecution!.workflowId
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function hmac(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('hex')
}

function valueOf({ env }: { readonly env: string }, key: string): string {
  const value = process.env[env]
  if (value !== undefined && value !== '') return value
  throw new StepbackError({
    type: 'InvalidConfiguration',
    message: `${key}: the worker's variable ${env} is not set`,
    hint: 'set it where the worker is started.',
  })
}
