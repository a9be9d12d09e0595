import type { Act, ActArgs, ServiceLevel, Step } from '../act.js'
import { checkHealth } from './health.js'
import { list } from './list.js'

/** Stops what another step's undo starts again. */
export function stopServices({ services }: { readonly services: readonly string[] }): Step {
  return { act: stop({ services }), undo: [], commit: false }
}

/** Stops what is about to change; its undo, the last of all, starts what ran. */
export function stopForNow(input: ActArgs['stopServices'] & { readonly levels: readonly ServiceLevel[] }): Step {
  const { levels, ...args } = input
  return { act: stop(args), undo: startAgain(levels), commit: false }
}

/** All at once, within the grace. What it stopped stays so: whoever asked for a stop wants nothing started by itself. */
export function stopAtOnce(args: { readonly services: readonly string[]; readonly graceSeconds: number }): Step {
  return { act: stop(args), undo: [], commit: true }
}

/** Behind all that was put back: the services as they were, and whether they are well. */
export function startAgain(levels: readonly ServiceLevel[]): readonly Act[] {
  return [
    { ...startServices({ levels }).act, title: 'start the services as they were' },
    { ...checkHealth().act, title: 'check that they are healthy again' },
  ]
}

/** Starts in dependency order what is not running as its configuration and image say. */
export function startServices(input: { readonly levels: readonly ServiceLevel[]; readonly commit?: boolean }): Step {
  const services = input.levels.flatMap((level) => level.services)
  return {
    act: { name: 'startServices', title: `start ${list(services)}`, args: { levels: input.levels } },
    undo: [],
    commit: input.commit ?? false,
  }
}

/**
 * The same, with an undo that stops the application before what it runs on is put back. `brought`: services that the
 * stack which it goes back to does not know; nothing would ever stop or remove them.
 */
export function restartServices(input: {
  readonly levels: readonly ServiceLevel[]
  readonly application: readonly string[]
  readonly brought?: readonly string[]
  readonly commit: boolean
}): Step {
  const { application, brought = [] } = input
  const undo = [stop({ services: [...application, ...brought] }), ...(brought.length > 0 ? [remove(brought)] : [])]
  return { ...startServices(input), undo }
}

/**
 * Removes the containers of services that the stack has no more, once it is well without them: stopped, some would start
 * again with their host. They are made anew when the run is undone.
 */
export function removeServices(services: readonly string[]): Step[] {
  return services.length > 0 ? [{ act: remove(services), undo: [], commit: false }] : []
}

function stop(args: ActArgs['stopServices']): Act {
  return { name: 'stopServices', title: `stop ${list(args.services)}`, args }
}

function remove(services: readonly string[]): Act {
  return { name: 'removeServices', title: `remove ${list(services)}`, args: { services } }
}
