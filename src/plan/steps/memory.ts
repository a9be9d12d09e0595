import type { ActArgs, Step } from '../act.js'
import { list } from './list.js'
import { startServices } from './services.js'

export function measureMemory(args: ActArgs['measureMemory']): Step {
  return { act: { name: 'measureMemory', title: `measure memory ${args.when}`, args }, undo: [], commit: false }
}

/** From here on a person decides: what a restart took away nobody brings back. */
export function restartService(args: ActArgs['restartService']): Step {
  return { act: { name: 'restartService', title: `restart ${args.service}`, args }, undo: [], commit: true }
}

/** Looks first whether memory is still short; its undo brings the environment file back as it was. */
export function useSmallerModel(args: ActArgs['useSmallerModel']): Step {
  const { key, value, levels } = args
  const services = list(levels.flatMap((level) => level.services))
  const title = `where memory is still short, set ${key}=${value} and restart ${services}`
  return {
    act: { name: 'useSmallerModel', title, args },
    undo: [
      { name: 'putEnvironmentBack', title: 'put the environment file back as it was', args: {} },
      startServices({ levels }).act,
    ],
    commit: false,
  }
}
