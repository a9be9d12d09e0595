import { StepbackError } from './failure.js'
import type { ApprovalPolicy } from './facts.js'
import type { Approval } from './plan.js'
import type { ApprovalWish } from './request.js'

/** Whether a person is asked. A request may ask for more than the policy says, never for less. */
export function decideApproval(input: {
  readonly policy: ApprovalPolicy
  readonly wish: ApprovalWish
  /** Why data would be lost, or null. */
  readonly loss: string | null
  readonly target: string
}): Approval {
  const dataLoss = input.loss !== null
  const required = input.policy === 'always' || (input.policy === 'data-loss' && dataLoss)
  if (input.wish === 'never' && input.policy !== 'never') {
    throw new StepbackError({
      type: 'Refused',
      message: `approval "never" is weaker than the policy "${input.policy}" of target "${input.target}"`,
      hint: 'leave approval out, or change the policy in the configuration.',
    })
  }
  if (input.wish === 'always') return { required: true, dataLoss, why: input.loss ?? 'the request asks for it' }
  const why = required ? (input.loss ?? 'the policy asks for it') : 'the policy asks for none'
  return { required, dataLoss, why }
}
