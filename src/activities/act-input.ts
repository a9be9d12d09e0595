// What a workflow hands to an act, and what it gets back: both are in history, so they hold names and no secrets.

import type { ActArgs, ActName } from '../plan/act.js'
import type { RunId } from '../plan/ledger.js'
import type { Shown } from '../plan/plan.js'

export interface ActInput<N extends ActName> {
  readonly target: string
  readonly token: number
  /** The run whose plan this is part of: the own one, or one that left a debt. */
  readonly origin: RunId
  /** Id of the restore point that the origin takes. */
  readonly safety: string
  /** For an exchange of databases: what it may lose, as whoever let the run go on knew it. */
  readonly shown?: Shown
  readonly step: number
  readonly stepName: ActName
  /** 0 for the do; else the number of the act within the step's undo. */
  readonly undo: number
  /** Grows when a person asks for another try: its jobs are new ones. */
  readonly attempt: number
  readonly args: ActArgs[N]
}

export interface ActResult {
  readonly detail: string | null
  /** How often Temporal had to start the activity. */
  readonly attempts: number
}
