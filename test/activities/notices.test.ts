// What arrives at a real receiver, and what becomes of a notice that nobody takes.

import { createHmac } from 'node:crypto'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Deps } from '../../src/activities/deps.js'
import { noticeActivities, subscriptionsOf } from '../../src/activities/notices.js'
import { send } from '../../src/adapters/outgoing.js'
import { parseConfig } from '../../src/config/load.js'
import type { Channel, Notice } from '../../src/plan/notice.js'
import { Receiver } from '../support/receiver.js'

const notice: Notice = {
  event: 'run-ended',
  at: '2026-11-23T14:03:11.500Z',
  target: 'shop',
  run: 'rollback-shop-1',
  kind: 'rollback',
  text: 'rollback of shop ended as done\nasked for: <!channel> & "more"',
  phase: 'done',
  startedAt: '2026-11-23T14:02:11.500Z',
}

let receiver: Receiver
beforeEach(async () => {
  receiver = await Receiver.open()
  vi.stubEnv('HOOK_URL', `${receiver.url}/services/T0/B0/hunter2`)
  vi.stubEnv('HOOK_SECRET', 'hush')
  vi.stubEnv('GRAFANA_TOKEN', 'glsa_hunter2')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await receiver.close()
})

function configOf(notifications: string) {
  return parseConfig(
    `
temporal: { ui: 'http://127.0.0.1:8233/' }
notifications: ${notifications}
targets:
  shop:
    ssh: { host: shop.test }
    directory: /srv/shop
    backups: /srv/shop/backups
    compose: { project: shop, files: [docker-compose.yml] }
    services: { application: [api] }
`,
    'x.yaml',
  )
}

const signed = '{ webhook: { url: { env: HOOK_URL }, secret: { env: HOOK_SECRET } } }'
const annotated = () => `{ grafana: { url: '${receiver.url}/grafana/', token: { env: GRAFANA_TOKEN } } }`

async function tell(channel: Channel, notifications: string, attempt = 1): Promise<void> {
  const deps = { config: configOf(notifications), send, namespace: 'default' } as unknown as Deps
  await new MockActivityEnvironment({ attempt }).run(noticeActivities(deps).sendNotice, { channel, notice })
}

async function failureOf(work: Promise<void>): Promise<{ type: string; message: string; nonRetryable: boolean }> {
  return await work.then(
    () => Promise.reject(new Error('it was taken')),
    (error: unknown) => error as { type: string; message: string; nonRetryable: boolean },
  )
}

describe('a webhook', () => {
  test('gets JSON with a text that Slack shows as it is, signed over time and body', async () => {
    await tell('webhook', signed)
    const [{ method, path, headers, body }] = receiver.received as [(typeof receiver.received)[0]]
    expect([method, path, headers['content-type']]).toEqual(['POST', '/services/T0/B0/hunter2', 'application/json'])
    const url = 'http://127.0.0.1:8233/namespaces/default/workflows/rollback-shop-1'
    expect(JSON.parse(body)).toEqual({
      ...notice,
      url,
      id: headers['x-stepback-delivery'],
      mrkdwn: false,
      text: `rollback of shop ended as done\nasked for: &lt;!channel&gt; &amp; "more"\n${url}`,
    })
    const text = `${headers['x-stepback-timestamp'] as string}.${body}`
    expect(headers['x-stepback-signature']).toBe(`sha256=${createHmac('sha256', 'hush').update(text).digest('hex')}`)
    expect(headers['x-stepback-event']).toBe('run-ended')
  })

  test('without a secret gets no signature', async () => {
    await tell('webhook', `{ webhook: { url: '${receiver.url}/plain' } }`)
    expect(receiver.received[0]!.headers).not.toHaveProperty('x-stepback-signature')
  })

  test.each([
    [500, false],
    [503, false],
    [429, false],
    [400, true],
    [401, true],
    [404, true],
  ])('that answers %i has it sent again: not %s', async (status, nonRetryable) => {
    receiver.reply = () => ({ status })
    const failure = await failureOf(tell('webhook', signed))
    expect(failure).toMatchObject({
      nonRetryable,
      message: expect.stringContaining(`it answered with status ${status}`),
    })
    expect(failure.message).not.toContain('hunter2')
  })

  test('that redirects is not followed: what is in the headers is for nobody else', async () => {
    receiver.reply = ({ path }) =>
      path === '/elsewhere' ? { status: 200 } : { status: 307, location: `${receiver.url}/elsewhere` }
    expect(await failureOf(tell('webhook', signed))).toMatchObject({ nonRetryable: true })
    expect(receiver.received).toHaveLength(1)
  })

  test('that is not there is tried again, and its address is in no message', async () => {
    await receiver.close()
    const failure = await failureOf(tell('webhook', signed))
    expect(failure).toMatchObject({ nonRetryable: false, message: 'no answer: ECONNREFUSED' })
    receiver = await Receiver.open()
  })

  test('whose address is not set says which variable, once', async () => {
    vi.stubEnv('HOOK_URL', '')
    expect(await failureOf(tell('webhook', signed))).toMatchObject({
      type: 'InvalidConfiguration',
      nonRetryable: true,
      message: expect.stringContaining("notifications.webhook.url: the worker's variable HOOK_URL is not set"),
    })
  })
})

describe('Grafana', () => {
  test('gets the whole of a run as a region, with its tags, as who holds the token', async () => {
    await tell('grafana', annotated())
    const [{ method, path, headers, body }] = receiver.received as [(typeof receiver.received)[0]]
    expect([method, path, headers.authorization]).toEqual(['POST', '/grafana/api/annotations', 'Bearer glsa_hunter2'])
    const { time, timeEnd, tags, text } = JSON.parse(body)
    expect(timeEnd - time).toBe(60_000)
    expect(tags).toEqual(['stepback', 'shop', 'rollback', 'run-ended', 'done', expect.stringMatching(/^notice:./)])
    expect(text).toContain('&lt;!channel&gt;')
  })

  test('is asked first where an earlier attempt may have arrived, and gets no second annotation', async () => {
    receiver.reply = ({ method }) => ({ status: 200, body: method === 'GET' ? '[{"id":1}]' : '{}' })
    await tell('grafana', annotated(), 2)
    expect(receiver.received.map(({ method }) => method)).toEqual(['GET'])
    expect(receiver.received[0]!.path).toMatch(/^\/grafana\/api\/annotations\?tags=notice%3A.*&limit=1$/)
    receiver.reply = ({ method }) => ({ status: method === 'GET' ? 403 : 200 })
    await tell('grafana', annotated(), 2)
    expect(receiver.bodies).toHaveLength(1)
  })
})

describe('a collector of traces', () => {
  const at = (second: number) => `2026-11-23T14:02:${second}.500Z`
  const step = {
    name: 'put the files',
    startedAt: at(20),
    endedAt: at(30),
    failed: 'no room',
    attributes: { 'stepback.attempts': 2 },
  }
  const spans = [{ ...step, name: 'rollback of shop', startedAt: at(11), endedAt: at(40), failed: null }, step]
  const traces = () =>
    `{ traces: { url: '${receiver.url}/v1/traces', headers: { authorization: { env: GRAFANA_TOKEN } } } }`
  const collect = async () => {
    const deps = { config: configOf(traces()), send, namespace: 'default' } as unknown as Deps
    const told = { ...notice, spans }
    await new MockActivityEnvironment().run(noticeActivities(deps).sendNotice, {
      channel: 'traces' as Channel,
      notice: told as Notice,
    })
  }

  test('gets the run with what happened in it, the same again when it is sent again', async () => {
    await collect()
    await collect()
    expect(receiver.bodies[1]).toEqual(receiver.bodies[0])
    const [{ scopeSpans, resource }] = receiver.bodies[0].resourceSpans
    expect(resource.attributes).toEqual([{ key: 'service.name', value: { stringValue: 'stepback' } }])
    const [run, inIt] = scopeSpans[0].spans
    expect(run.traceId).toMatch(/^[0-9a-f]{32}$/)
    expect(run).toMatchObject({ name: 'rollback of shop', kind: 1, status: { code: 1 } })
    expect(run).not.toHaveProperty('parentSpanId')
    expect(inIt).toMatchObject({
      traceId: run.traceId,
      parentSpanId: run.spanId,
      startTimeUnixNano: `${Date.parse(at(20))}000000`,
      endTimeUnixNano: `${Date.parse(at(30))}000000`,
      status: { code: 2, message: 'no room' },
      attributes: [{ key: 'stepback.attempts', value: { intValue: '2' } }],
    })
    expect(inIt.spanId).not.toBe(run.spanId)
  })
})

test('a channel hears of everything, or of what it asks for; nobody is told where there is none', () => {
  expect(subscriptionsOf(configOf('{}'))).toBeUndefined()
  expect(subscriptionsOf(configOf("{ webhook: { url: 'http://x', events: [gate-opened] } }"))).toEqual({
    webhook: ['gate-opened'],
  })
  expect(subscriptionsOf(configOf(annotated()))!.grafana).toHaveLength(4)
})

test('an address that is none is refused without a word of it, since it may be a secret', () => {
  expect(() => configOf('{ webhook: { url: hunter2 } }')).toThrow(
    'notifications/webhook/url: should be an http or https address',
  )
  expect(() => configOf('{ webhook: { url: hunter2 } }')).not.toThrow('hunter2')
})
