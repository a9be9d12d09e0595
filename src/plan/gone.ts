// Services that one stack has and another does not: what nobody names any more, nothing would ever stop.

import type { ComposeModel } from './compose.js'
import type { Facts } from './facts.js'

/** Those of now that the stack of a model has no more, where they have containers; one of an inactive profile is in neither. */
export function goneServices(model: ComposeModel, { containers, model: now, stack }: Facts): string[] {
  const services = new Set(containers.map((it) => it.service))
  return [...services]
    .filter((it) => it !== stack.databaseService && now.services[it] !== undefined && model.services[it] === undefined)
    .toSorted()
}

/** Those that it brings anew. */
export function broughtServices({ services }: ComposeModel, { model: now, stack }: Facts): string[] {
  return Object.keys(services)
    .filter((it) => it !== stack.databaseService && now.services[it] === undefined)
    .toSorted()
}
