import { build } from '../commands/compose.js'
import { keep, restore } from '../commands/images.js'
import { script, sideBySide } from '../commands/shell.js'
import type { ActDefinition } from './act.js'
import { doneAgain } from './context.js'

export const keepImages: ActDefinition<'keepImages'> = {
  jobs: ['keep'],
  run: async (context, { images }) => {
    const commands = keep({ target: context.target.name, restorePoint: context.safety, images })
    await context.job('keep', script(...sideBySide(commands)), { holds: doneAgain })
    return `${images.length} images`
  },
}

export const buildImages: ActDefinition<'buildImages'> = {
  jobs: ['build'],
  run: async (context, { services }) => {
    await context.job('build', script(build(context.stack, services)), { holds: doneAgain })
    return null
  },
}

export const restoreImages: ActDefinition<'restoreImages'> = {
  jobs: ['restore'],
  run: async (context, { images }) => {
    await context.job('restore', script(...sideBySide(restore(images))), { holds: doneAgain })
    return `${images.length} images`
  },
}
