// OpenTelemetry without its libraries: one run is one request of OTLP over HTTP, in JSON. The ids are made from the run,
// so that what arrives twice is the same trace.

import { createHash } from 'node:crypto'
import type { Notice } from '../plan/notice.js'
import type { Span } from '../plan/trace.js'

/** The body of a request; null where the notice tells no run. */
export function traceOf(notice: Notice): string | null {
  const { spans = [], run, startedAt = '', target, version } = notice
  const traceId = digits(`${run} ${startedAt}`, 32)
  const parentSpanId = digits(`${traceId} 0`, 16)
  if (spans.length === 0) return null
  const all = spans.map((span, index) => ({
    traceId,
    spanId: digits(`${traceId} ${index}`, 16),
    ...(index === 0 ? {} : { parentSpanId }),
    kind: 1,
    ...timed(span),
    attributes: attributesOf({
      ...span.attributes,
      ...(index === 0 ? { 'stepback.target': target, 'temporal.workflow.id': run } : {}),
      ...(index === 0 && version !== undefined ? { 'stepback.version': version } : {}),
    }),
  }))
  const resource = { attributes: attributesOf({ 'service.name': 'stepback' }) }
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'stepback' }, spans: all }] }] })
}

function timed({ name, startedAt, endedAt, failed }: Span) {
  return {
    name,
    startTimeUnixNano: `${Date.parse(startedAt)}000000`,
    endTimeUnixNano: `${Math.max(Date.parse(startedAt), Date.parse(endedAt))}000000`,
    status: failed === null ? { code: 1 } : { code: 2, message: failed },
  }
}

function attributesOf(values: Readonly<Record<string, string | number>>) {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
  }))
}

function digits(text: string, count: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, count)
}
