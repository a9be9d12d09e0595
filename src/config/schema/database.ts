import { z } from 'zod'
import { duration, innerPath, name, reference } from './values.js'

export const database = z.strictObject({
  service: name.describe('the Compose service of the PostgreSQL server'),
  name: z.string().min(1).max(63),
  user: reference,
  password: reference,
  admin: z
    .strictObject({ user: reference, password: reference })
    .optional()
    .describe('the role that takes, restores and exchanges databases; default: the one of the migrations'),
  port: z
    .int()
    .min(1)
    .max(65535)
    .optional()
    .describe("where the host reaches it; default: its published port, or on Linux its container's own address"),
  migrations: z
    .union([z.string(), z.strictObject({ release: innerPath.describe('a path inside the release that is deployed') })])
    .default('reference')
    .describe('compiled TypeORM migrations: a module or a directory, `reference`, or `none` where others migrate'),
  ignore: z
    .strictObject({
      tables: z.array(z.string().min(1)).default([]).describe('as `legacy_*`, or `schema.table` outside of public'),
      columns: z.array(z.string().min(1)).default([]).describe('as `*.legacy_*`'),
    })
    .prefault({})
    .describe('what `--baseline` does not compare: the database has it, and no migration makes it; `*` is anything'),
  alembic: z
    .record(z.string(), z.string())
    .default({})
    .describe("Alembic's revisions by ours, where they are not the same"),
  dumpFormat: z.enum(['dump', 'sql']).default('dump'),
  proof: z
    .strictObject({
      when: z
        .enum(['background', 'before', 'off'])
        .default('background')
        .describe(
          'a restore point is proven by really restoring it, beside the live database: beside the other steps of a ' +
            'deploy (but before its first change where a migration cannot be reverted), before it always, or never',
        ),
      keep: z
        .int()
        .min(0)
        .default(2)
        .describe('how many of the databases that proved one stay ready to be swapped in, while the disk allows'),
      for: duration.default('24h').describe('how long'),
    })
    .prefault({}),
  keepFormer: duration
    .default('72h')
    .describe('how long a database that a rollback replaced is kept: a prune drops it then'),
  lockTimeout: duration.default('3s').describe('how long a migration waits for a lock before it gives way'),
})
