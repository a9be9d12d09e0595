// Who has to say yes, and to what.

import { createPublicKey } from 'node:crypto'
import { z } from 'zod'
import { person, wait } from './values.js'

const approvalPolicy = z.enum(['never', 'data-loss', 'always'])

const approvers = z.array(person).min(1).describe('who may approve; default: anybody')
const approvals = z.int().min(1).max(20).describe('so many different people have to approve')
const notRequester = z.boolean().describe('who asked for a run may not approve it')
const approvalDeadline = wait.describe('how long a gate waits for an answer')
const atDeadline = z
  .enum(['end', 'go-on'])
  .describe('what becomes of the run then; where data would be lost it always ends')

export const approval = z
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

export const publicKey = z
  .string()
  .refine(isEd25519, 'should be an Ed25519 public key in PEM, which begins with "-----BEGIN PUBLIC KEY-----"')

/** A private key would be taken for its public half, and has no place here. */
function isEd25519(pem: string): boolean {
  if (!pem.trimStart().startsWith('-----BEGIN PUBLIC KEY-----')) return false
  try {
    return createPublicKey(pem).asymmetricKeyType === 'ed25519'
  } catch {
    return false
  }
}
