// The application down with the database up, and up again as it was.

import { startLevels } from '../start-order.js'
import { currentVersion, scaledByHand } from '../running.js'
import { StepbackError } from '../failure.js'
import { releaseLine, stopInForce } from '../ledger.js'
import { ensureFit } from '../preflight.js'
import type { Step } from '../act.js'
import type { EmergencyRequest } from '../request.js'
import { fenceDatabase, recordStart, recordStop } from '../steps/emergency.js'
import { checkHealth } from '../steps/health.js'
import { list } from '../steps/list.js'
import { restartServices, stopAtOnce } from '../steps/services.js'
import type { Decision, EmergencyFacts, StackFiles } from './facts.js'

export function planStop(request: EmergencyRequest, facts: EmergencyFacts): Decision {
  ensureThere(request, facts)
  const running = runningAmong(facts, facts.stack.application)
  const stop = stopInForce(facts.records)
  if (stop && running.length === 0) return { because: `${stop.by} stopped it already`, steps: [] }
  const because = running.length > 0 ? `${list(running)} ${running.length > 1 ? 'run' : 'runs'}` : 'none of it runs'
  return { because, steps: [...stopSteps(facts), ...fence(facts)] }
}

export function planStart(request: EmergencyRequest, facts: EmergencyFacts): Decision {
  const { model } = filesOf(request, facts)
  const { application, databaseService } = facts.stack
  const stop = stopInForce(facts.records)
  const running = runningAmong(facts, [...application, ...(databaseService === null ? [] : [databaseService])])
  const ran = stop && stop.ran.length > 0 ? stop.ran : application
  const missing = [...ran, ...(databaseService === null ? [] : [databaseService])].filter((it) => !running.includes(it))
  const answers = releaseLine(facts.records).at(-1)?.version ?? null
  if (!stop && missing.length === 0) return { because: 'it was not stopped, and runs', answers, steps: [] }
  const services = [...ran, ...missing.filter((it) => it === databaseService)]
  const levels = startLevels({ model, services, scaled: scaledByHand({ model, containers: facts.containers }) })
  return {
    because: stop ? `${list(ran)} ran when ${stop.by} stopped it` : `${list(missing)} does not run`,
    answers,
    steps: [
      restartServices({ levels, application: ran, commit: true }),
      checkHealth(),
      ...(stop ? [recordStart()] : []),
    ],
  }
}

/** The record comes first: a guard must not take the stop for a failure, whatever becomes of this run. */
export function stopSteps({ stack, settings, records }: EmergencyFacts): readonly [Step, Step] {
  const { application: services } = stack
  const ran = stopInForce(records)?.ran ?? []
  return [recordStop({ services, ran }), stopAtOnce({ services, graceSeconds: settings.stopGraceSeconds })]
}

/** Behind what had no time to wait for it, and beside the look at the end: nothing of the run needs it, and the next does it. */
export function fence({ stack }: EmergencyFacts): Step[] {
  return stack.databaseService === null ? [] : [{ ...fenceDatabase({ must: false }), background: true }]
}

export function runningAmong({ containers }: EmergencyFacts, services: readonly string[]): string[] {
  return services.filter((service) => containers.some((it) => it.running && it.service === service))
}

/** By the ledger; before the first recorded release by the newest restore point, since asking the application takes time. */
export function versionOf({ records, dumps }: EmergencyFacts): string {
  const [newest] = (dumps?.manifests ?? []).toSorted((a, b) => (a.id < b.id ? 1 : -1))
  return currentVersion({ records, version: newest?.version ?? null })
}

/** A wrong project name would find nothing to stop, and say that all is stopped. */
export function ensureThere({ target }: EmergencyRequest, { stack, containers }: EmergencyFacts): void {
  if (containers.some((it) => stack.application.includes(it.service))) return
  throw new StepbackError({
    type: 'Refused',
    message: `project "${stack.project}" of target "${target}" has no container of ${list(stack.application)}`,
    hint: 'mend compose.project or services.application in the configuration; `docker compose ls --all` shows what is there.',
  })
}

/** The stack whose services are to be started; files of another one would start a second stack beside it. */
export function filesOf({ target }: EmergencyRequest, { files }: EmergencyFacts): StackFiles {
  if (!files) throw new TypeError('the files of the stack were not looked at')
  ensureFit(target, [files.identity])
  return files
}
