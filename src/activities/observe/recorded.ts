import { imageIds } from '../../commands/observe.js'
import type { ComposeModel } from '../../plan/compose.js'
import type { ContainersFacts, Facts, RecordedImage } from '../../plan/facts.js'
import type { Manifest } from '../../plan/manifest.js'
import type { RollbackRequest } from '../../plan/request.js'
import { wayBack, wayBackOf } from '../../plan/way-back.js'
import { together } from '../together.js'
import { observeAhead } from './ahead.js'
import { modelWith, readChangedFiles, recordedFiles, verifyFiles } from './candidate.js'
import type { Look } from './look.js'

/** The images that ran at a restore point; without named services with the compose files of then, too. */
export async function observeRecorded(
  look: Look,
  input: { readonly request: RollbackRequest; readonly facts: Facts; readonly manifest: Manifest },
): Promise<ContainersFacts> {
  const { request, facts, manifest } = input
  const only = request.services ? [] : facts.stack.composeFiles
  const way = wayBackOf(wayBack(manifest, facts.manifests, '~'), only)
  const [, model, changedFiles] = await together([
    verifyFiles(look, manifest, way.sources),
    request.services ? facts.model : modelWith(look, recordedFiles(look, way, 'keep'), manifest),
    readChangedFiles(look, way),
  ])
  const images = await compare(look, manifest, model)
  const { containers } = facts
  const ahead = request.services
    ? { absentImages: [] }
    : await observeAhead(look, { model, containers, hash: null, recorded: images })
  return { manifest, model, images, changedFiles, absentImages: ahead.absentImages }
}

/** Of services that the stack would not have, nothing can be said. */
async function compare(look: Look, { images }: Manifest, model: ComposeModel): Promise<RecordedImage[]> {
  const recorded = images.flatMap(({ service, id }) => {
    const ref = model.services[service]?.image
    return ref === undefined || service === look.target.database?.service ? [] : [{ service, id, ref }]
  })
  if (recorded.length === 0) return []
  const lines = (await look.look(imageIds(recorded.flatMap(({ ref, id }) => [ref, id])))).trimEnd().split('\n')
  const at = (index: number) => (lines[index] === '-' ? null : lines[index]!)
  return recorded.map((it, index) => ({ ...it, present: at(index * 2), kept: at(index * 2 + 1) !== null }))
}
