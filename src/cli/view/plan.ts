// A plan before it runs: its steps with their undos, what it loses, and what an approval of it names.

import { describeTerms } from '../../plan/gate.js'
import type { Step } from '../../plan/act.js'
import { type Plan, planNotes } from '../../plan/plan.js'
import { renderExposure } from './exposure.js'
import { renderStrategies } from './strategies.js'
import { visible } from './visible.js'

export function renderPlanInFull(plan: Plan): string {
  const to = plan.restorePoint ? ` to ${plan.restorePoint}` : ''
  return [
    visible(`${plan.kind} of ${plan.target}${plan.scope ? ` (${plan.scope})` : ''}${to}, then ${plan.version} runs`),
    `strategy  ${visible(plan.strategy ? `${plan.strategy}: ${plan.because}` : plan.because)}`,
    ...planNotes(plan).map((note) => `note      ${visible(note)}`),
    `approval  ${plan.approval.required ? 'required' : 'not required'}: ${visible(approval(plan))}`,
    `digest    ${visible(plan.digest)}`,
    ...(plan.strategies ? ['', ...renderStrategies(plan.strategies)] : []),
    ...(plan.exposure ? ['', ...renderExposure(plan.exposure)] : []),
    '',
    ...(plan.steps.length === 0 ? ['nothing has to be done'] : plan.steps.flatMap(renderStep)),
  ].join('\n')
}

function approval({ approval: { required, why, terms } }: Plan): string {
  const needs = required && terms ? describeTerms(terms) : ''
  return needs === '' ? why : `${why}; needs ${needs}`
}

function renderStep(step: Step, index: number): string[] {
  const number = `${index + 1}.`.padStart(3)
  const undo = step.undo.map((act) => visible(act.title)).join('; ')
  return [
    `${number} ${visible(step.act.title)}`,
    ...(undo === '' ? [] : [`      undo: ${undo}`]),
    ...(step.commit ? ['      from here on nothing is undone by itself'] : []),
  ]
}
