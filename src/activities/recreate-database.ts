import { isAccepting, up } from '../commands/compose.js'
import { untilAccepting } from '../commands/database/restart.js'
import { againWithEngine } from '../commands/engine.js'
import { restore } from '../commands/images.js'
import type { ActDefinition } from './act.js'
import { doneAgain } from './context.js'

/** Compose leaves a container alone that is as its files and image say, so that the same again changes nothing. */
export const recreateDatabase: ActDefinition<'recreateDatabase'> = {
  jobs: ['recreate'],
  run: async (context, { service, image }) => {
    const lines = [
      ...(image ? restore([image]) : []),
      ...up(context.stack, [{ services: [service], wait: true }]),
      untilAccepting(isAccepting(context.stack, service), service),
    ]
    await context.job('recreate', againWithEngine(lines), { holds: doneAgain })
    return 'accepts connections'
  },
}
