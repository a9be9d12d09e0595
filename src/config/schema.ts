// The one source of stepback.yaml: validation, defaults, and the descriptions that the reference is made from.

import { createPublicKey } from 'node:crypto'
import { z } from 'zod'
import { noticeEvents } from '../plan/notice.js'
import { parseCron } from '../plan/cron.js'
import { type Inconsistency, configInconsistencies, targetInconsistencies } from './consistency.js'

const duration = z.string().regex(/^\d+(ms|s|m|h|d)$/, 'should be a duration like "30s", "5m" or "24h"')
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'should be a name of letters, digits, ".", "_" and "-"')
const absolutePath = z
  .string()
  .regex(/^\/(?![\s\S]*(^|\/)\.\.(\/|$))/, 'should be an absolute path without ".."')
  .transform((path) => path.replace(/(?<=.)\/+$/, ''))
const innerPath = z
  .string()
  .regex(/^(?!\/)(?![\s\S]*(^|\/)\.\.(\/|$))[\s\S]+$/, 'should be a path inside the project directory')
  .transform((path) => path.replace(/^\.\//, '').replace(/\/+$/, ''))

const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'should be the name of a variable')
const wait = duration.refine((it) => !/^0+[a-z]+$/.test(it), 'should not be zero')

/** A value by reference, never by itself: from the worker's environment, or from the target's environment file. */
const ofWorker = z.strictObject({ env: variable.describe("a variable of the worker's environment") })
const ofEnvFile = z.strictObject({ envFile: z.string().min(1).describe("a key of the target's environment file") })
const reference = z.union([ofWorker, ofEnvFile], {
  error:
    'should be a reference: { env: NAME } to a variable of the worker, or { envFile: KEY } to the environment file',
})

const check = z
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

const argv = z
  .array(z.string().regex(/^[^\0]*$/, 'should be without NUL'))
  .min(1)
  .refine((words) => words[0] !== '', 'should begin with a program')
  .describe('an argument list; no shell reads it')

const approvalPolicy = z.enum(['never', 'data-loss', 'always'])
const person = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.@+-]{0,199}$/, 'should be a name of letters, digits, ".", "_", "@", "+" and "-"')

const approvers = z.array(person).min(1).describe('who may approve; default: anybody')
const approvals = z.int().min(1).max(20).describe('so many different people have to approve')
const notRequester = z.boolean().describe('who asked for a run may not approve it')
const approvalDeadline = wait.describe('how long a gate waits for an answer')
const atDeadline = z
  .enum(['end', 'go-on'])
  .describe('what becomes of the run then; where data would be lost it always ends')

const approval = z
  .strictObject({
    deploy: approvalPolicy.default('never').describe('when a deploy asks; `data-loss`: when data would be lost'),
    rollback: approvalPolicy.default('data-loss').describe('when a rollback asks'),
    approvers: approvers.optional(),
    approvals: approvals.default(1),
    notRequester: notRequester.default(false),
    deadline: approvalDeadline.default('24h'),
    atDeadline: atDeadline.default('end'),
    scopes: z
      .partialRecord(
        z.enum(['deploy', 'full', 'database', 'containers', 'config']),
        z.strictObject({
          policy: approvalPolicy.optional(),
          approvers: approvers.optional(),
          approvals: approvals.optional(),
          notRequester: notRequester.optional(),
          deadline: approvalDeadline.optional(),
          atDeadline: atDeadline.optional(),
        }),
      )
      .default({})
      .describe('what is different for deploys, or for rollbacks of one scope'),
  })
  .prefault({})

const publicKey = z
  .string()
  .refine(isEd25519, 'should be an Ed25519 public key in PEM, which begins with "-----BEGIN PUBLIC KEY-----"')

const deployCheck = z.strictObject({
  name: name.describe('how the check is called in the plan and in messages'),
  command: argv,
  directory: z.string().optional().describe('where it runs for a deploy without a release; default: beside this file'),
  env: z.record(variable, z.string()).default({}).describe("variables beside the worker's own; no secrets"),
  timeout: wait.default('10m').describe('how long it may take'),
})

const hook = z.strictObject({
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

const ssh = z.strictObject({
  host: z
    .string()
    .regex(/^[^-\s][^\s]*$/, 'should be a name or an address')
    .describe('a name, an address, or an alias of the SSH configuration, ProxyJump included'),
  port: z.int().min(1).max(65535).optional().describe('default: that of the SSH configuration, or 22'),
  user: z.string().min(1).optional().describe('default: that of the SSH configuration, or your own'),
  identityFile: z
    .string()
    .optional()
    .describe('private key; default: those of the SSH configuration that are there, then the agent'),
  passphrase: z
    .strictObject(ofWorker.shape, { error: 'should be a reference: { env: NAME } to a variable of the worker' })
    .optional()
    .describe('of the private key'),
  knownHosts: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('files of accepted host keys; default: those of the SSH configuration, or `~/.ssh/known_hosts`'),
  config: z.string().optional().describe('an SSH configuration in place of your own, `~/.ssh/config`'),
})

const time = z.string().superRefine((it, context) => {
  if (it === 'off') return
  try {
    parseCron(it)
  } catch (error) {
    context.addIssue({ code: 'custom', message: `${(error as Error).message.split('\n')[0]}; or "off"` })
  }
})

const timeZone = z.string().refine(isTimeZone, 'should be a time zone like "Europe/Berlin"')

const selector = z.strictObject({
  metric: z.string().regex(/^[A-Za-z_:][\w:]*$/, "should be a metric's name"),
  labels: z.record(z.string(), z.string()).default({}).describe('labels that it must have; `*` is anything'),
})

const guard = z
  .strictObject({
    policy: z
      .enum(['observe', 'ask', 'act'])
      .optional()
      .describe(
        'what a degraded target leads to: a call for a person, a rollback that waits at its gate, or a rollback; ' +
          'default: `act` where the deploy brought no migration, `ask` otherwise',
      ),
    mayLoseData: z
      .boolean()
      .default(false)
      .describe('a rollback by itself may lose rows, where `approval.rollback` is `never`, too'),
    window: duration.default('24h').describe('a release that runs for longer is not gone back from by itself'),
    grace: duration.default('30s').describe('so long after a run nothing counts'),
    interval: wait.default('5s').describe('how often the checks of `health` are asked'),
    failures: z.int().min(1).default(3).describe('so many failing polls or reports of one source...'),
    of: z.int().min(1).max(100).default(5).describe('...among the newest so many are degraded'),
    recover: z.int().min(1).max(100).default(3).describe('so many good ones in a row are healthy again'),
    agree: z.int().min(1).default(1).describe('so many sources (the checks, each metric, each reporter) must agree'),
    undecided: duration.default('2m').describe('what stays undecided for so long is asked of a person'),
    silence: wait.default('90s').describe('a reporter that says nothing for so long is a failing one'),
    expects: z
      .array(z.string().min(1).max(200))
      .default([])
      .describe('reporters that must be heard from the beginning'),
    metrics: z
      .array(
        z.strictObject({
          name: name.describe('how the source is called'),
          url: z.url({ protocol: /^https?$/ }).describe("Prometheus' text format, requested from the host itself"),
          total: selector.describe('a counter of all'),
          errors: selector.describe('a counter of those that failed'),
          above: z.number().min(0).max(1).default(0.05).describe('a share beyond it, and beyond twice the one before'),
          minimum: z.int().min(1).default(50).describe('so many in the last twelve polls; with fewer it says nothing'),
        }),
      )
      .default([]),
  })
  .refine((it) => it.failures <= it.of, { path: ['failures'], message: 'should not be more than `of`' })
  .prefault({})

const emergency = z
  .strictObject({
    stopGrace: duration
      .default('5s')
      .describe('how long the application may take to end, all of it at once, before it is killed'),
    logLines: z
      .int()
      .min(1)
      .max(100_000)
      .default(100)
      .describe('log lines of each container that `unresponsive` keeps'),
    reserveBytes: z
      .int()
      .min(0)
      .default(64 * 1024 * 1024)
      .describe('a file beside the state of stepback that is removed first when the disk is full; 0 for none'),
    disk: z
      .strictObject({
        dumps: z.int().min(1).default(5).describe('so many of the newest dumps stay, whatever else does'),
        containers: z.boolean().default(true).describe("this project's stopped containers go"),
        images: z.boolean().default(true).describe('dangling images that no restore point needs go'),
        buildCache: z.boolean().default(true).describe('it goes'),
        volumes: z.boolean().default(true).describe("this project's volumes that no service could own go"),
        logs: z
          .strictObject({
            path: innerPath.describe('a directory inside the project directory'),
            olderThan: duration.default('30d').describe('`*.log` below it that nobody wrote to for so many days go'),
          })
          .optional(),
      })
      .prefault({})
      .describe('what `disk-full` removes'),
    memory: z
      .strictObject({
        service: name.describe('the model server, or whatever uses most of the memory'),
        key: variable.describe('of the environment file: which model it takes'),
        value: z
          .string()
          .regex(/^[A-Za-z0-9_./:@%+-]+$/, 'should be a plain word')
          .describe('the smaller one'),
        services: z.array(name).min(1).describe('restarted with it, the model server among them'),
        availableBytes: z
          .int()
          .min(0)
          .default(1_000_000_000)
          .describe('memory is short while fewer bytes of the host are available'),
        serviceBytes: z.int().min(1).optional().describe('...or while the service itself uses more'),
        settle: duration.default('5s').describe('so long after a start its memory is not looked at'),
      })
      .optional()
      .describe('what `out-of-memory` does'),
  })
  .prefault({})
  .describe('what `stepback emergency` does')

const database = z.strictObject({
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

const target = withNothingAgainstItself(
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
    schedules: z
      .strictObject({
        restorePoint: time.default('off').describe('a restore point, with its proof'),
        memories: time.default('15 3 * * *').describe('an archive of `memories`, where there are any'),
        drill: time.default('30 4 * * 0').describe('the newest restore point is proven again'),
        prune: time.default('45 3 * * *').describe('what retention does not keep goes'),
        timeZone: timeZone.default('UTC').describe('in which the times are meant, as `Europe/Berlin`'),
        overlap: z
          .enum(['wait', 'skip'])
          .default('wait')
          .describe('one that is due while the one before still runs: runs behind it, or not at all'),
        catchUp: wait.default('24h').describe('what was missed while Temporal was away is done within so long'),
      })
      .prefault({})
      .describe('what `stepback schedules apply` brings to Temporal'),
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

const noticeList = z
  .array(z.enum(noticeEvents))
  .min(1)
  .default([...noticeEvents])
  .describe('what it is told of')

const address = z.url({ protocol: /^https?$/, error: 'should be an http or https address' })

const notifications = z
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

const metrics = z
  .strictObject({
    port: z.int().min(1).max(65535).optional().describe('serves `/metrics` for Prometheus; default: it is not served'),
    address: z
      .union([z.ipv4(), z.ipv6()], { error: 'should be an address like "127.0.0.1"' })
      .default('127.0.0.1')
      .describe('where it listens; Prometheus has no password'),
    every: wait.default('1m').describe('how often the worker looks at restore points, guards and open gates for it'),
  })
  .prefault({})

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

/** A private key would be taken for its public half, and has no place here. */
function isEd25519(pem: string): boolean {
  if (!pem.trimStart().startsWith('-----BEGIN PUBLIC KEY-----')) return false
  try {
    return createPublicKey(pem).asymmetricKeyType === 'ed25519'
  } catch {
    return false
  }
}

function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** Asked whatever else is wrong, so that all of it is reported at once. */
function withNothingAgainstItself<S extends z.ZodType>(schema: S, ask: (value: unknown) => Inconsistency[]): S {
  return schema.superRefine(
    (value, context) => {
      for (const { path, message } of ask(value)) context.addIssue({ code: 'custom', path: [...path], message })
    },
    { when: () => true },
  )
}

export type Config = z.infer<typeof configSchema>
export type Target = Config['targets'][string] & { readonly name: string }
export type DeployCheck = Target['checks'][number]
export type HealthCheck = Target['health']['checks'][number]
export type DatabaseConfig = NonNullable<Target['database']>
export type Reference = z.infer<typeof reference>
