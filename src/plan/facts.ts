// What was observed before anything is decided. Every figure is as read; nothing here is a decision.

import type { ServiceImage } from './act.js'
import type { ApprovalSettings } from './approval.js'
import type { CarryableTable } from './carry.js'
import type { ComposeModel } from './compose.js'
import type { Recorded } from './ledger.js'
import type { BesideDatabase, Counters, Manifest } from './manifest.js'
import type { EnvironmentChange, Exposure, FileChange } from './plan.js'
import type { Retention } from './retention.js'
import type { MigrationInfo } from './revision.js'
import type { Shelf } from './shelf.js'

/** What the configuration says about a target, as far as a plan needs it. No secret is in it. */
export interface Stack {
  readonly target: string
  readonly project: string
  readonly directory: string
  readonly composeFiles: readonly string[]
  readonly envFile: string
  readonly managed: readonly string[]
  readonly protected: readonly string[]
  readonly application: readonly string[]
  readonly databaseService: string | null
  readonly named: readonly NamedService[]
  /** Names of the checks that a deploy runs before its first change. */
  readonly checks: readonly string[]
  readonly hooks: readonly Hook[]
  readonly logs: boolean
  /** Whose log lines are kept; missing where none are named. */
  readonly logService?: string
  readonly asksVersion: boolean
  readonly mayLoseRows: number
  readonly approval: ApprovalSettings
  /** Names that have a public key in the configuration. */
  readonly signers: readonly string[]
  readonly operatorDeadlineMs: number
  readonly freeBytes: number
  readonly retention: Retention
  readonly proof: ProofPolicy
  /** Nothing where none are kept. */
  readonly memories?: MemoriesPolicy
}

/** A directory of the project that is archived, and how long an archive stays. */
export interface MemoriesPolicy {
  readonly path: string
  readonly keepMs: number
}

/** When restore points are proven, and how long the databases that proved them stay. */
export interface ProofPolicy {
  readonly when: 'background' | 'before' | 'off'
  /** How many warm copies stay, and for how long; and how long a database that was live. */
  readonly keep: number
  readonly warmMs: number
  readonly keptMs: number
}

/** A service that the configuration names, and the key that names it. */
export interface NamedService {
  readonly key: string
  readonly service: string
}

/** A program of the operator's, run on the host by a deploy. */
export interface Hook {
  readonly name: string
  readonly when: 'before-deploy' | 'before-restart' | 'after-healthy' | 'after-deploy'
  readonly command: readonly string[]
  readonly timeout: string
}

export type ApprovalPolicy = 'never' | 'data-loss' | 'always'

export interface Container {
  readonly id: string
  readonly service: string
  readonly imageId: string
  /** The reference that it was started by. */
  readonly imageRef: string
  readonly running: boolean
  /** As Docker calls it; `restarting` counts as running. */
  readonly state?: string
  readonly health: string | null
  /** Compose's own hash of the configuration that it was made from. */
  readonly configHash?: string
  /** Names of the volumes that are mounted into it. */
  readonly volumes?: readonly string[]
  /** Paths of the host that are mounted into it. */
  readonly binds?: readonly string[]
}

/** A database that stepback made, by its name. */
export interface Copy extends BesideDatabase {
  readonly open: boolean
  /** See `WarmCopy`. */
  readonly visits: string
}

export interface DatabaseFacts {
  readonly oid: number
  readonly copies: readonly Copy[]
  /** What runs built or began to, each with the 8 digits of its run, whether or not it is whole. */
  readonly built?: readonly (BesideDatabase & { readonly run8: string })[]
  /** What was live once, each with the 8 digits of the run that put it aside. */
  readonly former?: readonly (BesideDatabase & { readonly run8: string })[]
  readonly sizeBytes: number
  /** Names of the applied migrations in the order of their application. */
  readonly applied: readonly string[]
  readonly known: readonly MigrationInfo[]
  /** The checksum of the configured compiled migrations; absent where none are here. */
  readonly code?: string
  /** Why compiled migrations that the host keeps cannot be used. */
  readonly unusable?: readonly string[]
  readonly preparedTransactions: number
  /** What the server has, by name; missing where nobody asked. */
  readonly roles?: readonly string[]
  readonly extensions?: readonly string[]
  /** There are tables, and no record of a migration. */
  readonly unrecorded?: boolean
  /** The configuration leaves migrations to the release itself: what is applied says little about the schema. */
  readonly othersMigrate?: true
}

/** One thing that preflight looked at. `hint` says how to mend it where it is not well. */
export interface Finding {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
  readonly hint?: string
}

export interface Facts extends Shelf {
  /** When it was observed, by the worker's clock, ISO 8601. */
  readonly at: string
  readonly stack: Stack
  readonly findings: readonly Finding[]
  readonly containers: readonly Container[]
  readonly model: ComposeModel
  /** What the version check answered; null where there is none or the application does not answer. */
  readonly version: string | null
  readonly database: DatabaseFacts | null
  /** Programs of hooks that the host does not have. */
  readonly missingPrograms: readonly string[]
  readonly records: readonly Recorded[]
  /** What starting the stack from the files that are there would meet. */
  readonly ahead?: Ahead
}

/** What starting the stack from some files would meet. */
export interface Ahead {
  /** References that the files name, that nothing builds, and that are not on the host. */
  readonly absentImages: readonly string[]
  /** Null where the database's container would be left alone. */
  readonly recreation: Recreation | null
}

/** The database's container as it would be made anew. */
export interface Recreation {
  readonly service: string
  /** What it runs now. */
  readonly before: ServiceImage
  /** What it would run; its id is null where that is not on the host. */
  readonly after: { readonly ref: string; readonly id: string | null }
  /** Major versions of the server, the data's and the other image's; null for one that nobody could tell. */
  readonly majors: { readonly before: string | null; readonly after: string | null } | null
}

/** A release directory as the worker reads it, compared with the host. */
export interface ReleaseFacts {
  readonly directory: string
  /** Over the paths, modes and checksums of all its files. */
  readonly sha256: string
  readonly paths: readonly string[]
  readonly model: ComposeModel
  /** The revision that its own `release.json` says its code is written for. */
  readonly migrateTo: string | null
  /** What its environment file changes; null where it has none, or nothing differs. */
  readonly environment: EnvironmentChange | null
  /** How it changes the other configured files. */
  readonly changes?: readonly FileChange[]
  readonly ahead?: Ahead
}

/** The restore point that a rollback would go back to, compared with what is there. */
export interface CandidateFacts {
  readonly manifest: Manifest
  /** Its stack as Compose reads it, secrets and all else as they would be. */
  readonly model: ComposeModel
  /** Every path in the project directory that going back to it may touch. */
  readonly paths: readonly string[]
  /** Managed files that differ from it. */
  readonly changedFiles: readonly string[]
  /** Services whose image by reference is not the recorded one. */
  readonly changedImages: readonly string[]
  /** Recorded images that are no longer on the host. */
  readonly missingImages: readonly string[]
  /** What bringing its database in would lose. */
  readonly exposure: Exposure | null
  /** The restore point since which that was counted, where it is not this one. */
  readonly since?: string
  /** As they were when that was counted. */
  readonly counters?: Counters
  /** What reverting the migrations since would lose: rows of the tables that they drop; null where nobody can tell. */
  readonly downExposure: Exposure | null
  /** What going back changes in the environment file; null where nothing differs. */
  readonly environment: EnvironmentChange | null
  /** How the other configured files change. */
  readonly changes?: readonly FileChange[]
  readonly ahead?: Ahead
  /** Tables of the live database, where rows of it are to be carried. */
  readonly carryable?: readonly CarryableTable[]
  /** The schema is another one than then; asked only where others migrate. */
  readonly schemaChanged?: true
}

/** The images of a restore point, compared with what the stack's references have. */
export interface ContainersFacts {
  readonly manifest: Manifest
  /** The stack as it would be: of now, or with the compose files of the restore point. */
  readonly model: ComposeModel
  readonly images: readonly RecordedImage[]
  /** Compose files that differ from it. */
  readonly changedFiles: readonly string[]
  /** References of services without a recorded image that are not on the host. */
  readonly absentImages: readonly string[]
}

/** The reference is that of the stack as it would be, whatever it was then. */
export interface RecordedImage extends ServiceImage {
  /** What the reference has now; null for nothing. */
  readonly present: string | null
  /** Whether the image itself is still on the host. */
  readonly kept: boolean
}

/** The configured files of a restore point, compared with those of now. */
export interface ConfigurationFacts {
  readonly manifest: Manifest
  /** The stack as those files make it. */
  readonly model: ComposeModel
  /** Compose's hashes of each of its services: all that its container may have been made with. */
  readonly hashes: Readonly<Record<string, readonly string[]>>
  readonly changes: readonly FileChange[]
  /** Keys of the environment file that keep their live value. */
  readonly kept: readonly string[]
  readonly ahead: Ahead
}
