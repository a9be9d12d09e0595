import type { ActArgs, Step } from '../act.js'

/** Pauses the guard, and remembers what ran; its undo lets the guard go on. */
export function recordStop(args: ActArgs['recordStop']): Step {
  const title = 'record what runs, and pause the guard'
  return { act: { name: 'recordStop', title, args }, undo: [recordStart().act], commit: false }
}

export function recordStart(): Step {
  const title = 'record that it runs again, and let the guard go on'
  return { act: { name: 'recordStart', title, args: {} }, undo: [], commit: false }
}

/** Ends what runs of older tokens still do in the database. `must`: nothing goes on where that cannot be said. */
export function fenceDatabase(args: ActArgs['fenceDatabase']): Step {
  const title = 'end what earlier runs still do in the database'
  return { act: { name: 'fenceDatabase', title, args }, undo: [], commit: false }
}

export function listContainers(): Step {
  return { act: { name: 'listContainers', title: 'list the containers', args: {} }, undo: [], commit: false }
}

export function askDatabase(args: ActArgs['askDatabase']): Step {
  const title = `ask whether ${args.service} accepts connections`
  return { act: { name: 'askDatabase', title, args }, undo: [], commit: false }
}

export function giveVerdict(args: ActArgs['giveVerdict']): Step {
  return { act: { name: 'giveVerdict', title: 'say what is the matter', args }, undo: [], commit: false }
}
