// What starting the stack from some files would meet: images that are not there, and a database made anew.

import { dataMajor, imageIds, imageMajor } from '../../commands/observe.js'
import type { ServiceImage } from '../../plan/act.js'
import type { ComposeModel } from '../../plan/compose.js'
import type { Ahead, Container, Recreation } from '../../plan/facts.js'
import type { Look } from './look.js'

export interface Resulting {
  readonly model: ComposeModel
  readonly containers: readonly Container[]
  /** Of the database's definition in the files that would be in place; null where nobody can tell. */
  readonly hash: string | null
  /** Images that will be given to their references before anything starts; nothing is built then. */
  readonly recorded?: readonly ServiceImage[]
}

export async function observeAhead(look: Look, input: Resulting): Promise<Ahead> {
  const database = look.target.database?.service
  const services = Object.entries(input.model.services).filter(
    ([service, { builds }]) =>
      service !== database && (input.recorded ? !input.recorded.some((it) => it.service === service) : !builds),
  )
  const references = [...new Set(services.map(([, { image }]) => image))].toSorted()
  const [ids, recreation] = await Promise.all([
    readIds(look, references),
    database === undefined ? null : observeRecreation(look, input, database),
  ])
  return { absentImages: references.filter((_reference, index) => ids[index] === null), recreation }
}

async function observeRecreation(look: Look, input: Resulting, service: string): Promise<Recreation | null> {
  const ref = input.model.services[service]?.image
  const container = input.containers.find((it) => it.service === service)
  if (ref === undefined || !container) return null
  const recorded = input.recorded?.find((it) => it.service === service)?.id
  const [id = null] = recorded === undefined ? await readIds(look, [ref]) : [recorded]
  const changed = input.hash !== null && input.hash !== (container.configHash ?? '')
  // A reference that lost its image changes nothing as long as nobody makes the container anew.
  if (!changed && (id === null || id === container.imageId)) return null
  const before = { service, id: container.imageId, ref: container.imageRef }
  const majors = id === null || id === container.imageId ? null : await readMajors(look, container.id, id)
  return { service, before, after: { ref, id }, majors }
}

async function readMajors(look: Look, container: string, image: string): Promise<Recreation['majors']> {
  const [before, after] = await Promise.all([look.look(dataMajor(container)), look.look(imageMajor(image))])
  return { before: before.trim() || null, after: after.trim() || null }
}

async function readIds(look: Look, references: readonly string[]): Promise<(string | null)[]> {
  if (references.length === 0) return []
  const lines = (await look.look(imageIds(references))).trimEnd().split('\n')
  return lines.map((line) => (line === '-' ? null : line))
}
