import { z } from 'zod'
import { wait } from './values.js'

export const metrics = z
  .strictObject({
    port: z.int().min(1).max(65535).optional().describe('serves `/metrics` for Prometheus; default: it is not served'),
    address: z
      .union([z.ipv4(), z.ipv6()], { error: 'should be an address like "127.0.0.1"' })
      .default('127.0.0.1')
      .describe('where it listens; Prometheus has no password'),
    every: wait.default('1m').describe('how often the worker looks at restore points, guards and open gates for it'),
  })
  .prefault({})
