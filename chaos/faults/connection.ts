// What happens to the wire between worker and host.

import { type Fault, nothingToMend } from '../fault.js'
import type { Wire } from '../proxy.js'

/** The wire is so for a while; with `cut`, connections that are there end as well. */
function wire(name: string, about: string, how: Partial<Wire>, cut: boolean): Fault {
  return {
    name,
    about,
    lasts: 'while',
    async inject({ ground: { wires } }, random) {
      await wires.ssh.set(how, () => random.next())
      if (cut) wires.ssh.cut()
      return async () => await wires.ssh.set({})
    },
  }
}

export const connectionFaults: readonly Fault[] = [
  {
    name: 'SSH cut',
    about: 'every connection ends, as when a cable is pulled',
    lasts: 'moment',
    async inject({ ground: { wires } }) {
      wires.ssh.cut()
      return nothingToMend
    },
  },
  wire('SSH refused', 'every connection ends, and new ones are refused for a while', { opens: 'refused' }, true),
  wire('SSH closed at the handshake', 'every connection ends, and new ones close at once', { opens: 'closed' }, true),
  wire('SSH slow', 'every piece comes 300 ms late', { delayMs: 300 }, false),
  wire('SSH answer by half', 'the next answer comes by half, and its connection ends', { halves: true }, false),
  {
    name: 'SSH fails now and then',
    about: '5 % of what is sent cuts its connection, until the run is over',
    lasts: 'run',
    async inject({ ground: { wires } }, random) {
      await wires.ssh.set({ cuts: 0.05 }, () => random.next())
      return async () => await wires.ssh.set({})
    },
  },
]
