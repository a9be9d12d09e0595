// What happens to the wire between worker and host.

import { setTimeout as sleep } from 'node:timers/promises'
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
  {
    name: 'SSH answer by half',
    about: 'the next answer comes by half, and its connection ends',
    lasts: 'moment',
    async inject({ ground: { wires } }) {
      await wires.ssh.set({ halves: true })
      for (let tries = 0; tries < 500 && wires.ssh.halves; tries++) await sleep(10)
      const came = !wires.ssh.halves
      await wires.ssh.set({})
      return came ? nothingToMend : undefined
    },
  },
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
