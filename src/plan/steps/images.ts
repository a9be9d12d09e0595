import type { Act, ServiceImage, Step } from '../act.js'
import { list } from './list.js'

/** Builds before anything stops; the undo gives the references back to the images that they had. */
export function buildImages(input: {
  readonly services: readonly string[]
  readonly before: readonly ServiceImage[]
}): Step {
  return {
    act: { name: 'buildImages', title: `build ${list(input.services)}`, args: { services: input.services } },
    undo: [retag(input.before)],
    commit: false,
  }
}

/** Puts the recorded images, by id, behind the references that Compose uses. */
export function restoreImages(input: {
  readonly images: readonly ServiceImage[]
  readonly before: readonly ServiceImage[]
}): Step {
  const title = `put the images of ${list(input.images.map((image) => image.service))} back`
  return {
    act: { name: 'restoreImages', title, args: { images: input.images } },
    undo: [retag(input.before)],
    commit: false,
  }
}

function retag(images: readonly ServiceImage[]): Act {
  return { name: 'restoreImages', title: 'put the images back as they were', args: { images } }
}
