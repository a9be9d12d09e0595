// The vocabulary of the whole project: everything that a run may do to a target, by name, with its arguments.
// An undo is made of the same acts, so an act is written once and a debt is paid with what a run would have used.

import type { CarryRequest } from './carry.js'
import type { BesideDatabase, Pin } from './manifest.js'

/** A restore point by id, or `safety`: the one that the run itself takes before its first change. */
export type RestorePointRef = string

export interface ServiceImage {
  readonly service: string
  /** What the container runs, `sha256:…`. */
  readonly id: string
  /** The reference by which Compose finds it. */
  readonly ref: string
}

export interface ActArgs {
  readonly takeRestorePoint: {
    readonly version: string
    /** `kept`: the run keeps the live database itself, under another name. */
    readonly database: 'dump' | 'kept' | 'none'
    /** The newest applied migration. */
    readonly head: string | null
    readonly paths: readonly string[]
    /** What the script beside it starts; where it is missing the act asks Compose. */
    readonly levels?: readonly ServiceLevel[]
  }
  readonly proveRestorePoint: {
    readonly from: RestorePointRef
    /** The database that proves it stays, as the warm copy, while the disk allows. */
    readonly keepCopy: boolean
    /** Migrations, oldest first, that are tried up and down on a copy of it. */
    readonly rehearse?: readonly string[]
    /** As for `keepMigrations`, which comes later and may have none of them yet. */
    readonly release?: string
    /** A person says why its dump is so small. */
    readonly accept?: true
  }
  readonly dropUnprovenCopy: { readonly from: RestorePointRef }
  readonly dropCopies: { readonly copies: readonly DroppedCopy[] }
  readonly setPins: { readonly id: string; readonly pins: readonly Pin[] }
  /** Leftovers among them, of which no services are known. */
  readonly pruneRestorePoints: { readonly points: readonly PrunedPoint[] }
  /** `release`: the directory that the configuration's path begins at, where it lies inside a release. */
  readonly keepMigrations: { readonly sha256: string; readonly release?: string }
  readonly keepImages: { readonly images: readonly ServiceImage[] }
  readonly putFiles: { readonly release: string; readonly sha256: string; readonly paths: readonly string[] }
  readonly restoreFiles: {
    readonly from: RestorePointRef
    readonly secrets: 'keep' | 'restore'
    /** Paths, and what lies below them, that go back; missing where all do. */
    readonly only?: readonly string[]
  }
  readonly buildImages: { readonly services: readonly string[] }
  readonly restoreImages: { readonly images: readonly ServiceImage[] }
  /** `image`: given to the reference first; null for what the reference has. */
  readonly recreateDatabase: { readonly service: string; readonly image: ServiceImage | null }
  /** `graceSeconds`: all of them at once, with so long to end before they are killed. */
  readonly stopServices: { readonly services: readonly string[]; readonly graceSeconds?: number }
  /** What the stack has no more: containers go, and what they kept in volumes stays. */
  readonly removeServices: { readonly services: readonly string[] }
  readonly startServices: { readonly levels: readonly ServiceLevel[] }
  readonly migrateUp: { readonly migrations: readonly string[] }
  readonly migrateDown: {
    readonly migrations: readonly string[]
    readonly schemaOf?: RestorePointRef
    /** Rows, and values of columns, that others than the migrations wrote: it may lose so many without asking. */
    readonly mayLoseRows?: number
  }
  /** Full names, oldest first. */
  readonly adoptMigrations: { readonly revision: string; readonly migrations: readonly string[] }
  /** `copyOf`: what stands ready, in place of the dump: rows are carried into a copy of it. */
  readonly restoreDatabase: { readonly from: RestorePointRef; readonly copyOf?: BesideDatabase }
  readonly rehearseCarry: CarryArgs
  readonly carryForward: CarryArgs
  readonly swapDatabase: SwapArgs
  readonly swapDatabaseBack: Record<never, never>
  readonly dropNewDatabase: Record<never, never>
  readonly checkHealth: Record<never, never>
  readonly checkVersion: { readonly version: string }
  readonly watchHealth: Record<never, never>
  /** Missing: those of the configured service, beside the restore point of the run. */
  readonly collectLogs: {
    readonly lines?: number
    readonly services?: readonly string[]
    /** In the backups directory. */
    readonly file?: string
  }
  readonly listContainers: Record<never, never>
  /** `ran`: services that a stop in force had stopped before; what runs now is found out and added. */
  readonly recordStop: { readonly services: readonly string[]; readonly ran: readonly string[] }
  readonly recordStart: Record<never, never>
  readonly fenceDatabase: { readonly must: boolean }
  readonly measureMemory: { readonly service: string; readonly when: string; readonly settleMs: number }
  readonly restartService: { readonly service: string }
  readonly useSmallerModel: {
    readonly service: string
    readonly key: string
    readonly value: string
    readonly levels: readonly ServiceLevel[]
    readonly settleMs: number
    readonly limits: MemoryLimits
  }
  readonly putEnvironmentBack: Record<never, never>
  /** Free bytes of each place. */
  readonly measureDisk: { readonly places: readonly string[]; readonly when: 'before' | 'after' }
  /** `at`: where what is freed shows; null where nobody can tell. */
  readonly removeContainers: {
    readonly containers: readonly { readonly id: string; readonly service: string }[]
    readonly at: string | null
  }
  readonly removeImages: { readonly images: readonly string[]; readonly at: string | null }
  readonly pruneBuildCache: { readonly at: string | null }
  readonly removeVolumes: { readonly volumes: readonly string[]; readonly at: string | null }
  /** `files`: from before stepback, in the backups directory; `keep`: so many of the newest stay. */
  readonly removeDumps: {
    readonly files: readonly string[]
    readonly points: readonly PrunedPoint[]
    readonly keep: number
  }
  readonly removeLogs: { readonly path: string; readonly olderThanDays: number }
  readonly askDatabase: { readonly service: string }
  readonly giveVerdict: {
    /** The containers as they were before anything was done. */
    readonly seen: readonly SeenService[]
    readonly database: string | null
    /** The run that had stopped them on purpose before. */
    readonly stoppedBy?: string
  }
  readonly runHook: {
    readonly name: string
    readonly command: readonly string[]
    readonly timeout: string
    /** What is being deployed. */
    readonly version: string
  }
  readonly endHook: { readonly name: string }
  /** `path`: the directory, inside the project; `name`: the archive's, in the backups directory. */
  readonly archiveMemories: { readonly path: string; readonly name: string }
  readonly pruneArchives: { readonly names: readonly string[] }
  /** `to`: beside the live directory, inside the project. */
  readonly restoreMemories: { readonly name: string; readonly to: string }
}

export interface SwapArgs {
  readonly from: RestorePointRef
  /** Rows that it may lose without asking; null for those that the plan showed. */
  readonly mayLoseRows: number | null
  /** What would be lost cannot be counted: nobody is in the live database when the door closes. */
  readonly unjudged?: true
  /** What stands ready; missing where the run builds it. */
  readonly ready?: BesideDatabase
  /** The restore point since which is counted what is lost, where it is not `from`. */
  readonly since?: RestorePointRef
  /** Rows were carried into it: what is written behind that is carried as well. */
  readonly carries?: CarryRequest
}

export interface CarryArgs {
  readonly from: RestorePointRef
  readonly tables: CarryRequest
  /** As of an exchange. */
  readonly since?: RestorePointRef
}

/** Memory is short with fewer available bytes on the host, or where the service uses more; null for no matter how many. */
export interface MemoryLimits {
  readonly availableBytes: number
  readonly serviceBytes: number | null
}

/** One container as Docker shows it. */
export interface SeenService {
  readonly service: string
  /** `running`, `restarting`, `exited`, and so on. */
  readonly state: string
  readonly health: string | null
}

/** A database beside the live one, and the restore point that it belongs to; none for what a run left half-made. */
export interface DroppedCopy extends BesideDatabase {
  readonly of?: string
}

export interface PrunedPoint {
  readonly id: string
  /** Whose images it kept. */
  readonly services: readonly string[]
}

/** Services that may start together; `wait` where a later level needs them healthy. */
export interface ServiceLevel {
  readonly services: readonly string[]
  readonly wait: boolean
  /** Services of earlier levels that have to be healthy first. */
  readonly awaits?: readonly string[]
  /** Jobs: waited for until each has ended well. */
  readonly completes?: true
  /** Services that start again where one that they need was started later than themselves. */
  readonly restarts?: readonly { readonly service: string; readonly after: readonly string[] }[]
  /** How many containers, where it is not what the compose file says. */
  readonly scale?: Readonly<Record<string, number>>
}

export type ActName = keyof ActArgs

export type Act = {
  readonly [N in ActName]: { readonly name: N; readonly title: string; readonly args: ActArgs[N] }
}[ActName]

/** One act with its undo; `commit` marks what is never undone by itself once it is done. */
export interface Step {
  readonly act: Act
  readonly undo: readonly Act[]
  readonly commit: boolean
  /** The steps behind it do not wait for it, and the run does not fail with it. */
  readonly background?: true
  /** It goes on at the same time as the step before it; the next one waits for both, and the run fails with either. */
  readonly beside?: true
}
