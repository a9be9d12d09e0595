// Requests as they arrive: from the command line, from client.ts, or typed by an operator into the temporal CLI.

import { z } from 'zod'
import { StepbackError } from '../plan/failure.js'
import {
  type BackupRequest,
  type DeployRequest,
  type EmergencyRequest,
  type RollbackRequest,
  procedures,
} from '../plan/request.js'

const text = z.string().min(1).max(2_000)
const flag = z.boolean().default(false)
const person = z
  .string()
  .regex(
    /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{1,200}$/u,
    'expected a name of 1 to 200 characters, none of them a control character',
  )
const asked = { reason: text.optional(), requestedBy: person.optional(), dryRun: flag }
const approval = z.enum(['policy', 'always', 'never']).default('policy')
/** Versions name files, tags and databases' restore points, so they are words. */
const version = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/, 'expected a version of letters, digits, ".", "_", "+" and "-"')

const deploy = z.strictObject({
  target: text,
  version,
  release: text.optional(),
  migrateTo: text.default('head'),
  approval,
  hotfix: flag,
  redeploy: flag,
  mayLoseRows: z.int().min(0).optional(),
  ...asked,
})

const rollback = z.strictObject({
  target: text,
  scope: z.enum(['full', 'database', 'containers', 'config']).default('full'),
  to: text.default('latest'),
  services: z.array(text).min(1).optional(),
  strategy: z.enum(['auto', 'migrate', 'swap', 'restore']).default('auto'),
  secrets: z.enum(['keep', 'restore']).default('keep'),
  carryForward: z.union([z.array(text).min(1), z.literal('all')], 'expected a list of tables, or "all"').optional(),
  approval,
  severity: z.enum(['failure', 'degradation']).optional(),
  ...asked,
})

const backup = z.strictObject({
  target: text,
  what: z
    .enum(['restore-point', 'prove', 'drill', 'prune', 'pin', 'unpin', 'memories', 'restore-memories'])
    .default('restore-point'),
  id: text.optional(),
  prove: z.boolean().default(true),
  ...asked,
})

const emergency = z.strictObject({
  target: text,
  procedure: z.enum(procedures),
  severity: z.enum(['failure', 'degradation']).optional(),
  ...asked,
  reason: z.string('expected a reason, since nobody is asked to approve it').trim().min(1).max(2_000),
})

const guard = z.strictObject({ target: text, policy: z.enum(['observe', 'ask', 'act']).optional() })

/** The request with its defaults, or `InvalidRequest` naming each key, its value and what was expected. */
export function parseDeployRequest(raw: unknown): DeployRequest {
  const request = parse(deploy, raw, 'deployWorkflow')
  if (request.hotfix && !request.reason) {
    throw invalid('deployWorkflow', ['reason: missing; a hotfix needs one'])
  }
  return request
}

export function parseRollbackRequest(raw: unknown): RollbackRequest {
  return parse(rollback, raw, 'rollbackWorkflow')
}

export function parseEmergencyRequest(raw: unknown): EmergencyRequest {
  return parse(emergency, raw, 'emergencyWorkflow')
}

export function parseBackupRequest(raw: unknown): BackupRequest {
  const request = parse(backup, raw, 'backupWorkflow')
  const { what, id } = request
  const needs = ['pin', 'unpin', 'restore-memories'].includes(what)
  if (needs && id === undefined) throw invalid('backupWorkflow', [`id: missing; ${what} needs one`])
  if (!needs && what !== 'prove' && id !== undefined) throw invalid('backupWorkflow', [`id: ${what} takes none`])
  return request
}

export function parseGuardRequest(raw: unknown): z.infer<typeof guard> {
  return parse(guard, raw, 'guardWorkflow')
}

function parse<T>(schema: z.ZodType<T>, raw: unknown, workflow: string): T {
  const parsed = schema.safeParse(raw, { reportInput: true })
  if (parsed.success) return parsed.data
  throw invalid(workflow, parsed.error.issues.flatMap(describe))
}

function describe(issue: z.core.$ZodIssue): string[] {
  const where = issue.path.map(String)
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `${short([...where, key].join('.'))}: unknown key`)
  const expected = issue.message.replace(/^Invalid (input|option): /, '')
  return [`${where.join('.') || '(request)'}: ${short(JSON.stringify(issue.input) ?? 'missing')}: ${expected}`]
}

/** What somebody pasted by mistake would fill the message. */
function short(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

function invalid(workflow: string, problems: readonly string[]): StepbackError {
  return new StepbackError({
    type: 'InvalidRequest',
    message: `the request for ${workflow} cannot be read: ${problems.join('; ')}`,
  })
}
