import type { Act, ServiceLevel, Step } from '../act.js'

/** Stops writers; `keepImages` starts them again when the run is undone. */
export function stopServices(input: { readonly services: readonly string[] }): Step {
  return { act: stop(input.services), undo: [], commit: false }
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
  const undo = [stop([...application, ...brought]), ...(brought.length > 0 ? [remove(brought)] : [])]
  return { ...startServices(input), undo }
}

/**
 * Removes the containers of services that the stack has no more, once it is well without them: stopped, some would start
 * again with their host. `keepImages` makes them anew when the run is undone.
 */
export function removeServices(services: readonly string[]): Step[] {
  return services.length > 0 ? [{ act: remove(services), undo: [], commit: false }] : []
}

function stop(services: readonly string[]): Act {
  return { name: 'stopServices', title: `stop ${list(services)}`, args: { services } }
}

function remove(services: readonly string[]): Act {
  return { name: 'removeServices', title: `remove ${list(services)}`, args: { services } }
}

/** Names for a title; a long list is cut, since the Web UI cuts long titles anywhere. */
export function list(names: readonly string[]): string {
  if (names.length === 0) return 'nothing'
  return names.length <= 4 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
}
