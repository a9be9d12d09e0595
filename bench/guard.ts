// From fault to back: what the guard does by itself about each kind of fault, at its default settings.

import { setTimeout as sleep } from 'node:timers/promises'
import type { GuardView } from '../src/client.js'
import { breakIt, mend } from '../sandbox/index.js'
import { Ground } from './ground.js'
import { type Result, type Say, median, round } from './measurement.js'

/** What the release is broken by. `silent`: nothing fails, and a reporter that was heard is not heard any more. */
const faults = ['crash-loop', 'error-rate', 'hang', 'unhealthy', 'no-database', 'silent'] as const
type Fault = (typeof faults)[number]

interface Seen {
  readonly fault: Fault
  /** Seconds from the fault to the start of the rollback; of silence from when it counts as one. */
  readonly decided: number
  /** Seconds from there until the release before serves, and every check is well. */
  readonly back: number
}

export async function measureGuard(say: Say): Promise<readonly Result[]> {
  return await Ground.during(say, (ground) =>
    ground.withWorker(async () => {
      await ground.deploy()
      await ground.client.startGuard({ target: ground.target.name })
      const seen: Seen[] = []
      for (const fault of faults) {
        await ground.deploy('2.1.1')
        seen.push(await once(ground, fault))
        const { decided, back } = seen.at(-1)!
        say(`${fault}: decided after ${decided.toFixed(1)} s, back after ${back.toFixed(1)} s more`)
      }
      await ground.client.stopGuard(ground.target.name)
      return [row('decided', 30, seen), row('back', 20, seen)]
    }),
  )
}

async function once(ground: Ground, fault: Fault): Promise<Seen> {
  const { root } = ground.session.paths
  const { name } = ground.target
  const before = (await ground.client.guard(name)).acted.length
  if (fault === 'silent') await ground.client.reportHealth(name, { status: 'ok', source: 'heartbeat' })
  await until(ground, ({ pause, verdict }) => pause === null && verdict === 'healthy')
  if (fault !== 'silent') await breakIt({ root, kind: fault, version: '2.1.1' })
  const began = Date.now()
  const silence = fault === 'silent' ? silenceMs : 0
  const { acted } = await until(ground, (view) => view.acted.length > before)
  const decided = Date.parse(acted.at(-1)!.at)
  await served(ground, '2.1.0')
  const back = Date.now()
  await mend({ root })
  await until(ground, (view) => view.acted.at(-1)!.outcome === 'done')
  return { fault, decided: Math.max(0, decided - began - silence) / 1_000, back: (back - decided) / 1_000 }
}

/** The default of `guard.silence`. */
const silenceMs = 90_000
const givesUpAfterMs = 300_000

async function until(ground: Ground, wanted: (view: GuardView) => boolean): Promise<GuardView> {
  const deadline = Date.now() + givesUpAfterMs
  for (;;) {
    const view = await ground.client.guard(ground.target.name)
    if (wanted(view)) return view
    if (Date.now() > deadline) throw new Error(`the guard never came there: ${JSON.stringify(view)}`)
    await sleep(200)
  }
}

/** By the application's own answers, those of the service whose loop of crashes is one of the faults included. */
async function served(ground: Ground, version: string): Promise<void> {
  const { api } = ground.sandbox
  const brain = `http://127.0.0.1:${ground.session.state.ports.brain}`
  const deadline = Date.now() + givesUpAfterMs
  const ask = async (url: string) => await (await fetch(url, { signal: AbortSignal.timeout(2_000) })).text()
  const says = (text: string, key: string, value: string) =>
    (JSON.parse(text) as Record<string, unknown>)[key] === value
  const serves = async () => {
    const urls = [`${api}/api/status`, `${api}/api/health`, `${brain}/metrics`]
    const [status, health, metrics] = await Promise.all(urls.map(ask))
    return says(status!, 'version', version) && says(health!, 'status', 'ok') && metrics!.includes(`"${version}"`)
  }
  while (!(await serves().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`${version} never served`)
    await sleep(200)
  }
}

function row(what: 'decided' | 'back', limit: number, seen: readonly Seen[]): Result {
  const times = seen.map((it) => it[what])
  const ours = median(times)
  return {
    name: `guard-${what}`,
    unit: 's',
    ours: round(ours),
    peer: limit,
    against: 'the limit; a person who is called',
    ratio: round(ours / limit),
    goal: `at most ${limit} s, each`,
    holds: times.every((it) => it <= limit),
    runs: seen.length,
    note: seen.map((it) => `${it.fault} ${it[what].toFixed(1)}`).join(', '),
  }
}
