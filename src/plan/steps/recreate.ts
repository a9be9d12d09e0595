import type { Act, ServiceImage, Step } from '../act.js'
import type { Recreation } from '../facts.js'

/**
 * Makes the database's container anew from the files in place. Its undo hangs on the step that put those files there,
 * behind their own way back: undos run last first, so one of its own would run while the files are still the new ones.
 * And only there is the server up again before the undos of earlier steps that need it.
 */
export function recreateDatabase(input: { readonly service: string; readonly image: ServiceImage | null }): Step {
  const title = `make the container of the database ${input.service} anew, as its changed configuration says`
  return { act: { name: 'recreateDatabase', title, args: input }, undo: [], commit: false }
}

/** For the undo of the step that puts files in place; nothing where the container is left alone. */
export function recreateBack(recreation: Recreation | null | undefined): Act[] {
  if (!recreation) return []
  const { service, before } = recreation
  const title = `make the container of the database ${service} anew, as it was`
  return [{ name: 'recreateDatabase', title, args: { service, image: before } }]
}
