// What is asked of the application, and what a deploy runs beside it.

import { z } from 'zod'
import { argv, duration, name, variable, wait } from './values.js'

export const check = z
  .strictObject({
    name: name.describe('how the check is called in progress and results'),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('requested from the host itself, through SSH'),
    json: z.record(z.string(), z.string()).optional().describe('fields that the JSON answer must have'),
    contains: z.string().optional().describe('text that the answer must contain'),
    service: name.optional().describe('the service in whose container `command` runs'),
    command: z.array(z.string()).min(1).optional().describe('an argument list that must exit with 0'),
    timeout: duration.default('5s').describe('how long one answer may take'),
  })
  .refine((it) => (it.url === undefined) !== (it.command === undefined), 'should have either "url" or "command"')
  .refine(
    (it) => (it.command === undefined) === (it.service === undefined),
    'should have "command" and "service", or neither',
  )
  .refine((it) => it.url !== undefined || !(it.json ?? it.contains), 'should have a "url" for "json" and "contains"')

export const deployCheck = z.strictObject({
  name: name.describe('how the check is called in the plan and in messages'),
  command: argv,
  directory: z.string().optional().describe('where it runs for a deploy without a release; default: beside this file'),
  env: z.record(variable, z.string()).default({}).describe("variables beside the worker's own; no secrets"),
  timeout: wait.default('10m').describe('how long it may take'),
})

export const hook = z.strictObject({
  name: name.describe('how the hook is called in the plan and in messages'),
  when: z
    .enum(['before-deploy', 'before-restart', 'after-healthy', 'after-deploy'])
    .describe(
      'with the restore point taken; with files, images and migrations in place; with every health check well; behind ' +
        'the watch window',
    ),
  command: argv,
  timeout: wait.default('5m').describe('how long it may take'),
})
