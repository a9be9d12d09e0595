import { z } from 'zod'
import { noticeEvents } from '../../plan/notice.js'
import { ofWorker } from './values.js'

const noticeList = z
  .array(z.enum(noticeEvents))
  .min(1)
  .default([...noticeEvents])
  .describe('what it is told of')

const address = z.url({ protocol: /^https?$/, error: 'should be an http or https address' })

export const notifications = z
  .strictObject({
    webhook: z
      .strictObject({
        url: z
          .union([address, ofWorker], { error: 'should be an address, or a reference: { env: NAME }' })
          .describe('by reference where it is a secret itself, as that of a Slack webhook is'),
        secret: ofWorker.optional().describe('signs what is sent, as an HMAC'),
        events: noticeList,
      })
      .optional()
      .describe('gets a POST with JSON, whose `text` Slack shows'),
    grafana: z
      .strictObject({
        url: address.describe('of Grafana itself'),
        token: ofWorker.describe('of a service account that may write annotations'),
        events: noticeList,
      })
      .optional()
      .describe('gets annotations, the whole of a run as a region'),
    traces: z
      .strictObject({
        url: address.describe('OTLP over HTTP, as `http://127.0.0.1:4318/v1/traces`'),
        headers: z
          .record(z.string().regex(/^[A-Za-z0-9-]+$/), ofWorker)
          .default({})
          .describe('by reference'),
      })
      .optional()
      .describe('gets each run that ended as a trace of OpenTelemetry'),
  })
  .prefault({})
