// The one source of stepback.yaml: validation, defaults, and the descriptions that the reference is made from. Each of its
// subjects has a file in `schema/`.

import { z } from 'zod'
import { configInconsistencies } from './consistency.js'
import { publicKey } from './schema/approval.js'
import { withNothingAgainstItself } from './schema/consistent.js'
import { metrics } from './schema/metrics.js'
import { notifications } from './schema/notifications.js'
import { target } from './schema/target.js'
import { name, person, type reference } from './schema/values.js'

export const configSchema = withNothingAgainstItself(
  z.strictObject({
    temporal: z
      .strictObject({
        profile: z
          .string()
          .min(1)
          .optional()
          .describe(
            'of the Temporal profile file, where API key and TLS belong; default: TEMPORAL_PROFILE, then `default`',
          ),
        address: z.string().optional().describe('default: the Temporal profile or TEMPORAL_ADDRESS'),
        namespace: z.string().optional(),
        taskQueue: z.string().default('stepback'),
        ui: z.url().optional().describe('address of the Web UI, for links'),
        histories: z
          .string()
          .min(1)
          .default('.stepback/histories')
          .describe('directory where the worker keeps the histories of finished runs, since Temporal forgets them'),
      })
      .prefault({}),
    notifications,
    metrics,
    people: z
      .record(
        person,
        z.strictObject({ publicKey: publicKey.describe('their approvals count only when signed with it') }),
      )
      .default({})
      .describe('approvers who sign'),
    targets: z.record(name, target).refine((it) => Object.keys(it).length > 0, 'should name at least one target'),
  }),
  configInconsistencies,
)

export type Config = z.infer<typeof configSchema>

export type Target = Config['targets'][string] & { readonly name: string }

export type DeployCheck = Target['checks'][number]

export type HealthCheck = Target['health']['checks'][number]

export type DatabaseConfig = NonNullable<Target['database']>

export type Reference = z.infer<typeof reference>
