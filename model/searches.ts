// Which searches are made, and which flaws each switch of a model brings back, with the tests of the real code that hold
// the same. Bounds are chosen so that all ends in minutes on two processors.

import type { Switches } from './checker.js'
import type { Model } from './rules.js'

export interface Search {
  readonly model: Model
  readonly bounds: Switches
}

export interface Test {
  readonly file: string
  /** As it stands in the file. */
  readonly name: string
}

export interface Flaw extends Search {
  readonly rule: string
  /** In place of the value that keeps it out. */
  readonly value: number
  readonly tests: readonly Test[]
}

const one = { RUNS: 1, ATTEMPTS: 2 }
const two = { RUNS: 2, UNDOES: 0, GENS: 1, SPAWNS: 1 }

export const searches: readonly Search[] = [
  { model: 'lease', bounds: { ...one, KILLS: 1 } },
  { model: 'lease', bounds: { ...one, LEAVES: 1 } },
  { model: 'lease', bounds: { ...one, UNDOES: 0, KILLS: 1, CHANGES: 1 } },
  { model: 'lease', bounds: { ...one, LEAVES: 1, UNDOES: 0 } },
  { model: 'lease', bounds: { ...two, ATTEMPTS: 2, PREEMPTS: 2 } },
  { model: 'lease', bounds: { ...two, DEATHS: 1, EXPIRES: 1 } },
  { model: 'lease', bounds: { ...two, DEATHS: 1, CLOSES: 1, KILLS: 1 } },
  { model: 'lease', bounds: { ...two, DEATHS: 1, EXPIRES: 1, SCRIPTS: 2 } },
  { model: 'lease', bounds: { ...two, DEATHS: 1, GUARDS: 2, CLOSES: 1 } },
  { model: 'lease', bounds: { ...two, RUNS: 3, PREEMPTS: 4 } },
  { model: 'debts', bounds: { CLOSES: 1 } },
  { model: 'debts', bounds: { K1: 2, STEPS: 1 } },
  { model: 'debts', bounds: { K0: 2, K1: 2, STEPS: 1 } },
  { model: 'debts', bounds: { K1: 1, K2: 3, CLOSES: 1 } },
  { model: 'debts', bounds: { RESETS: 1, CLOSES: 1 } },
  { model: 'swap', bounds: { ATTEMPTS: 1 } },
  { model: 'swap', bounds: { ATTEMPTS: 2, LATER: 0 } },
  { model: 'swap', bounds: { ATTEMPTS: 2, UNDOES: 0, DEATHS: 0 } },
  { model: 'swap', bounds: { ATTEMPTS: 1, UNDOES: 0, TAKERDIES: 1 } },
  { model: 'swap', bounds: { ATTEMPTS: 1, UNDOES: 0, REBOOTS: 1 } },
]

const helper = (name: string): Test => ({ file: 'test/host/counterexamples.ts', name })
const exchange = (name: string): Test => ({ file: 'test/adapters/database/swap.test.ts', name })
const script = (name: string): Test => ({ file: 'test/commands/restore-script.test.ts', name })
const ledger = (name: string): Test => ({ file: 'test/plan/ledger.test.ts', name })
const workflow = (name: string): Test => ({ file: 'test/workflows/lease.test.ts', name })

const swapOnce = { ATTEMPTS: 1, UNDOES: 0, LATER: 0, DEATHS: 0 }

export const flaws: readonly Flaw[] = [
  {
    model: 'lease',
    rule: 'LINKFIRST',
    value: 0,
    bounds: { ...two, PREEMPTS: 2 },
    tests: [
      helper('LINKFIRST: a runner that claims after a take-over acts no more'),
      helper('LINKFIRST: a take-over returns only when a runner that has claimed and looked is gone'),
    ],
  },
  {
    model: 'lease',
    rule: 'SWEEPAFTER',
    value: 0,
    bounds: { ...two, PREEMPTS: 2 },
    tests: [helper('SWEEPAFTER: a job that starts while a take-over is under way is ended before it returns')],
  },
  {
    model: 'lease',
    rule: 'SWEEP',
    value: 1,
    bounds: { ...two, CLOSES: 1, KILLS: 1 },
    tests: [helper('SWEEP=1: a command whose runner was killed alone is ended by a take-over')],
  },
  {
    model: 'lease',
    rule: 'ENDLAST',
    value: 0,
    bounds: { ...two, PREEMPTS: 2 },
    tests: [helper('ENDLAST: what left the group while it was ended is ended by a take-over')],
  },
  {
    model: 'lease',
    rule: 'RESCAN',
    value: 0,
    bounds: { ...two, CLOSES: 1, DEATHS: 1 },
    tests: [helper('RESCAN: the retry of a taker that died after its link ends the older jobs')],
  },
  {
    model: 'lease',
    rule: 'REL',
    value: 0,
    bounds: { ...two, PREEMPTS: 2 },
    tests: [helper('REL: a run learns at its release that it was fenced')],
  },
  {
    model: 'lease',
    rule: 'RELSWEEP',
    value: 0,
    bounds: { ...one, LEAVES: 1, UNDOES: 0 },
    tests: [helper('RELSWEEP: a release ends the jobs that nobody waits for any more')],
  },
  {
    model: 'lease',
    rule: 'IDALL',
    value: 0,
    bounds: { ...two, PREEMPTS: 2, DEATHS: 1 },
    tests: [helper('IDALL: an identity that held the lease once does not acquire it again')],
  },
  {
    model: 'lease',
    rule: 'IDORDER',
    value: 0,
    bounds: { ...one, UNDOES: 0 },
    tests: [helper('IDORDER: a slow attempt of a finished run does not take the lease')],
  },
  {
    model: 'lease',
    rule: 'GUARDRUN',
    value: 0,
    bounds: { RUNS: 1, GUARDS: 1, UNDOES: 0 },
    tests: [
      {
        file: 'test/workflows/guard.test.ts',
        name: 'a second debt is undone by a new run of the guard, for a run takes the lease once',
      },
    ],
  },
  {
    model: 'lease',
    rule: 'NAMEGEN',
    value: 0,
    bounds: { ...one, UNDOES: 0, KILLS: 2, GENS: 3, SPAWNS: 3 },
    tests: [helper('NAMEGEN: a generation starts only after the one before it was judged')],
  },
  {
    model: 'lease',
    rule: 'VERDICT',
    value: 0,
    bounds: { ...one, UNDOES: 0, KILLS: 1, CHANGES: 1 },
    tests: [helper('VERDICT: a lost job is judged once, whatever a later look sees')],
  },
  {
    model: 'lease',
    rule: 'SEAL',
    value: 0,
    bounds: { ...one, LEAVES: 1 },
    tests: [helper('SEAL: a runner that claims after the undo began acts no more')],
  },
  {
    model: 'lease',
    rule: 'SEAL',
    value: 2,
    bounds: { ...one, LEAVES: 1 },
    tests: [helper('SEAL: a cancel that meets a runner between its claim and its look ends it')],
  },
  {
    model: 'debts',
    rule: 'LFENCE',
    value: 0,
    bounds: { K1: 1, STEPS: 1 },
    tests: [helper('LFENCE: an entry of a fenced run is void, and its writer learns it')],
  },
  {
    model: 'debts',
    rule: 'ORDER',
    value: 1,
    bounds: { STEPS: 1, CLOSES: 1 },
    tests: [
      helper(
        'ORDER: a job runs only under a token that is in force at that moment, so a fenced start entry has no job',
      ),
      {
        file: 'test/activities/act.test.ts',
        name: 'an act that looks first changes something only when the ledger has its start',
      },
    ],
  },
  {
    model: 'debts',
    rule: 'ENDFIRST',
    value: 0,
    bounds: { STEPS: 1, CLOSES: 1 },
    tests: [
      { file: 'test/activities/incidents.test.ts', name: 'a run has its end in the ledger before its lease goes back' },
    ],
  },
  {
    model: 'debts',
    rule: 'CLOSELAST',
    value: 0,
    bounds: { STEPS: 1 },
    tests: [workflow('is paid under the new lease, last step first, before the own plan is made and written down')],
  },
  {
    model: 'debts',
    rule: 'NEWESTFIRST',
    value: 0,
    bounds: { K1: 2, STEPS: 1 },
    tests: [ledger('several come newest first'), workflow('several of them are paid in their order')],
  },
  {
    model: 'debts',
    rule: 'KEPTASKS',
    value: 0,
    bounds: { K1: 2, STEPS: 1 },
    tests: [
      ledger('below one that is asked about is asked about once that one is kept'),
      workflow('is not built upon: where a person keeps it, what lies below is not undone unasked'),
    ],
  },
  {
    model: 'debts',
    rule: 'RESET',
    value: 1,
    bounds: { RESETS: 1, CLOSES: 1 },
    tests: [helper('RESET=1: a reset run does not go on under the token of its earlier run id')],
  },
  {
    model: 'debts',
    rule: 'RESET',
    value: 2,
    bounds: { RESETS: 1, CLOSES: 1 },
    tests: [workflow('starts over: acquires, pays what its earlier self left, plans, and walks from the first step')],
  },
  {
    model: 'debts',
    rule: 'SCRIPTPLAN',
    value: 0,
    bounds: { K1: 2 },
    tests: [script('killed on the way is gone on with at once, under its own name and the next token')],
  },
  ...[0, 2].map((value) => ({
    model: 'debts' as const,
    rule: 'SCRIPTLAST',
    value,
    bounds: { K1: 2, STEPS: 1 },
    tests: [
      script('takes over what nobody renews, fences its run, and closes its debt'),
      ledger('is none below a run that settled all before it by its end'),
    ],
  })),
  {
    model: 'debts',
    rule: 'GOESON',
    value: 0,
    bounds: { K0: 2, K1: 2, STEPS: 1 },
    tests: [script('killed behind its end, before it gave the lease back, is begun anew and not gone on with')],
  },
  {
    model: 'swap',
    rule: 'TIMER',
    value: 0,
    bounds: { ...swapOnce, DEATHS: 1 },
    tests: [exchange('leaves a later closing closed, and ends')],
  },
  {
    model: 'swap',
    rule: 'TIMER',
    value: 1,
    bounds: { ...swapOnce, DEATHS: 1 },
    tests: [exchange('leaves a later closing closed, and ends')],
  },
  {
    model: 'swap',
    rule: 'TIMER',
    value: 3,
    bounds: { ...swapOnce, DEATHS: 1 },
    tests: [exchange('waits for its closing, opens it when its holder died, and ends')],
  },
  {
    model: 'swap',
    rule: 'TIMERSTAYS',
    value: 0,
    bounds: { ATTEMPTS: 1, UNDOES: 0, TAKERDIES: 1 },
    tests: [
      exchange('stays while its closing is closed, though a later token came between its two looks: the taker may die'),
    ],
  },
  {
    model: 'swap',
    rule: 'TIMERFIRST',
    value: 0,
    bounds: { ...swapOnce, DEATHS: 1 },
    tests: [exchange('asks for a timer of each number before it closes, and stops where it cannot have one')],
  },
  {
    model: 'swap',
    rule: 'RECOUNT',
    value: 0,
    bounds: swapOnce,
    tests: [
      exchange('starts over when something was written between the count and the renames'),
      exchange('refuses a rename while a backend that passed the check is inside its start, where no list shows it'),
    ],
  },
  {
    model: 'swap',
    rule: 'CLOSEFENCE',
    value: 0,
    bounds: { ...swapOnce, LATER: 1 },
    tests: [exchange('does nothing under a token that is no longer in force, at any of its acts')],
  },
  {
    model: 'swap',
    rule: 'EPOCH',
    value: 0,
    bounds: { ...swapOnce, ATTEMPTS: 2, LATER: 1 },
    tests: [exchange('does not exchange when the token is raised between the close and the renames; the taker opens')],
  },
  {
    model: 'swap',
    rule: 'EPOCH',
    value: 1,
    bounds: { ATTEMPTS: 2, UNDOES: 0, LATER: 0 },
    tests: [
      exchange('happens once when two attempts work at once'),
      exchange('waits for its closing, opens it when its holder died, and ends'),
    ],
  },
  {
    model: 'swap',
    rule: 'SEALED',
    value: 0,
    bounds: { ATTEMPTS: 2, LATER: 0 },
    tests: [
      exchange('is undone by a swap back, once, and a ghost of it does not swap again'),
      exchange('is not done any more once it is sealed, and what its ghost closed is opened by the undo'),
    ],
  },
  {
    model: 'swap',
    rule: 'MEND',
    value: 0,
    bounds: { ATTEMPTS: 1, UNDOES: 0, REBOOTS: 1 },
    tests: [exchange('opens what an earlier holder left closed, and ends its sessions, by raising its token')],
  },
]
