import type { ActArgs } from '../act.js'
import type { ComposeModel } from '../compose.js'
import type { Container, Finding, Stack } from '../facts.js'
import type { Recorded } from '../ledger.js'
import type { Plan } from '../plan.js'
import type { Dumps } from './corruption.js'
import type { DiskFacts } from './disk.js'
import type { MemoryRules } from './memory.js'

/** What the configuration says about emergencies. */
export interface EmergencySettings {
  readonly stopGraceSeconds: number
  readonly logLines: number
  readonly disk: DiskRules
  /** Null where the configuration names no model server. */
  readonly memory: MemoryRules | null
}

/** What may go when the disk is full. */
export interface DiskRules {
  /** So many of the newest dumps stay. */
  readonly dumps: number
  readonly containers: boolean
  readonly images: boolean
  readonly buildCache: boolean
  readonly volumes: boolean
  readonly logs: ActArgs['removeLogs'] | null
}

/** What is known before an emergency acts: as little as may be, since there is no time to look. */
export interface EmergencyFacts {
  /** ISO 8601, by the worker's clock. */
  readonly at: string
  readonly stack: Stack
  readonly settings: EmergencySettings
  readonly containers: readonly Container[]
  readonly records: readonly Recorded[]
  readonly backups: string
  /** Where backups lie; NaN where nobody can tell. */
  readonly freeBytes: number
  /** Set where the procedure starts something. */
  readonly files?: StackFiles
  readonly disk?: DiskFacts
  readonly dumps?: Dumps
}

/** The files of the stack as Compose reads them, and whether they are those that the containers were made from. */
export interface StackFiles {
  readonly model: ComposeModel
  readonly identity: Finding
}

/** What a procedure comes to: its steps, and why. */
export type Decision = Pick<Plan, 'because' | 'steps'> & Partial<Pick<Plan, 'answers' | 'restorePoint' | 'undo'>>
