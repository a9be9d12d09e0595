import { build } from '../commands/compose.js'
import { againWithEngine } from '../commands/engine.js'
import { keep, restore } from '../commands/images.js'
import { sideBySide } from '../commands/shell.js'
import type { ActDefinition } from './act.js'
import { doneAgain } from './context.js'

export const keepImages: ActDefinition<'keepImages'> = {
  jobs: ['keep'],
  run: async (context, { images }) => {
    const commands = keep({ target: context.target.name, restorePoint: context.safety, images })
    await context.job('keep', againWithEngine(sideBySide(commands)), { holds: doneAgain })
    return `${images.length} images`
  },
}

export const buildImages: ActDefinition<'buildImages'> = {
  jobs: ['build'],
  run: async (context, { services }) => {
    await context.job('build', againWithEngine([build(context.stack, services)]), { holds: doneAgain })
    return null
  },
}

export const restoreImages: ActDefinition<'restoreImages'> = {
  jobs: ['restore'],
  run: async (context, { images }) => {
    await context.job('restore', againWithEngine(sideBySide(restore(images))), { holds: doneAgain })
    return `${images.length} images`
  },
}
