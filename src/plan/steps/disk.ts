import type { Act, ActArgs, Step } from '../act.js'
import { list } from './list.js'

export function measureDisk(args: ActArgs['measureDisk']): Step {
  return step({ name: 'measureDisk', title: `measure the disk ${args.when}`, args })
}

export function removeContainers(args: ActArgs['removeContainers']): Step {
  const names = list(args.containers.map((it) => it.service))
  return step({ name: 'removeContainers', title: `remove stopped containers: ${names}`, args })
}

export function removeImages(args: ActArgs['removeImages']): Step {
  const { length } = args.images
  return step({ name: 'removeImages', title: `remove ${length} dangling ${length === 1 ? 'image' : 'images'}`, args })
}

export function pruneBuildCache(args: ActArgs['pruneBuildCache']): Step {
  return step({ name: 'pruneBuildCache', title: 'remove the build cache', args })
}

export function removeVolumes(args: ActArgs['removeVolumes']): Step {
  return step({ name: 'removeVolumes', title: `remove volumes that no service owns: ${list(args.volumes)}`, args })
}

export function removeDumps(args: ActArgs['removeDumps']): Step {
  const names = list([...args.files, ...args.points.map((it) => it.id)])
  return step({ name: 'removeDumps', title: `remove dumps beyond the newest ${args.keep}: ${names}`, args })
}

export function removeLogs(args: ActArgs['removeLogs']): Step {
  const title = `remove *.log older than ${args.olderThanDays} days below ${args.path}`
  return step({ name: 'removeLogs', title, args })
}

/** What is removed is gone: there is nothing to undo it with. */
function step(act: Act): Step {
  return { act, undo: [], commit: false }
}
