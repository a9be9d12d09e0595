import { z } from 'zod'
import { targetInconsistencies } from '../consistency.js'
import { approval } from './approval.js'
import { check, deployCheck, hook } from './checks.js'
import { withNothingAgainstItself } from './consistent.js'
import { database } from './database.js'
import { emergency } from './emergency.js'
import { guard } from './guard.js'
import { schedules } from './schedules.js'
import { ssh } from './ssh.js'
import { absolutePath, duration, innerPath, name, wait } from './values.js'

export const target = withNothingAgainstItself(
  z.strictObject({
    ssh,
    directory: absolutePath.describe('the project directory on the host'),
    backups: absolutePath.describe('where restore points and the state of stepback lie on the host'),
    compose: z.strictObject({
      project: z.string().regex(/^[a-z0-9][a-z0-9_-]*$/, 'should be a Compose project name'),
      files: z.array(innerPath).min(1),
      envFile: innerPath.default('.env'),
      profiles: z.array(name).default([]),
    }),
    services: z.strictObject({
      application: z.array(name).min(1).describe('stopped while files and database go back'),
      stopGrace: duration.default('10s').describe('how long a container may take to stop before it is killed'),
    }),
    managed: z
      .array(innerPath)
      .default([])
      .describe('files beside the compose and environment files that go back, too'),
    release: z
      .strictObject({
        fileBytes: z
          .int()
          .min(1)
          .default(256 * 1024 * 1024)
          .describe('a release with a larger file is refused'),
        files: z.int().min(1).default(10_000).describe('a release of more files is refused'),
      })
      .prefault({}),
    protected: z.array(innerPath).default([]).describe('paths that nothing ever writes to'),
    logs: z.strictObject({ service: name, lines: z.int().min(1).max(10_000).default(50) }).optional(),
    deployLog: innerPath.optional().describe('a file that gets one line for each run'),
    incidents: innerPath
      .optional()
      .describe(
        'a directory that gets a note of each rollback and emergency, and of each deploy that had to be undone',
      ),
    health: z
      .strictObject({
        checks: z.array(check).default([]),
        timeout: duration.default('60s').describe('how long the checks may take to succeed after a start'),
        interval: wait.default('1s'),
        successes: z.int().min(1).default(2).describe('how often in a row all must succeed'),
      })
      .prefault({}),
    version: z.strictObject({ url: z.url({ protocol: /^https?$/ }), field: z.string().default('version') }).optional(),
    watch: z
      .strictObject({
        window: duration.default('30s').describe('how long a deploy is watched before it counts as good'),
        interval: wait.default('5s'),
        failures: z.int().min(1).default(3).describe('failing polls in a row that undo the deploy'),
      })
      .prefault({}),
    guard,
    database: database.optional(),
    secrets: z.array(z.string().min(1)).default([]).describe('keys of the environment file that keep their live value'),
    undo: z
      .strictObject({
        mayLoseRows: z
          .int()
          .min(0)
          .default(0)
          .describe('rows that an undo may lose by itself, and a rollback beyond those that it showed'),
      })
      .prefault({}),
    approval,
    operatorDeadline: duration.default('30m').describe('a step that keeps failing waits so long before it is undone'),
    checks: z
      .array(deployCheck)
      .default([])
      .describe(
        'programs that a deploy runs beside its worker, in the directory of its release; one that fails refuses it',
      ),
    hooks: z
      .array(hook)
      .default([])
      .describe(
        'programs that a deploy runs on the host, in the project directory; never run by a rollback or an undo',
      ),
    retention: z
      .strictObject({
        restorePoints: z.int().min(1).default(10).describe('how many restore points a prune leaves; pinned ones stay'),
      })
      .prefault({}),
    schedules,
    memories: z
      .strictObject({
        path: innerPath.describe('a directory inside the project directory'),
        keep: duration.default('30d').describe('how long an archive of it stays'),
      })
      .optional()
      .describe('what `stepback memories` archives'),
    emergency,
    disk: z.strictObject({ freeBytes: z.int().min(0).default(5_000_000_000) }).prefault({}),
  }),
  targetInconsistencies,
)
