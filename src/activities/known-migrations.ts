// The code of a target's migrations: what the configuration names, and for applied ones that it no longer knows, what the
// host kept of the release that brought them.

import { readCode } from '../commands/migrations.js'
import type { MigrationClass } from '../adapters/database.js'
import type { Host } from '../adapters/host.js'
import type { Target } from '../config/schema.js'
import { keptMigrations } from '../plan/ledger.js'
import type { Deps } from './deps.js'
import { ledgerRecords } from './observe/ledger.js'
import { messageOf } from './to-failure.js'

export interface MigrationsUser {
  readonly deps: Deps
  readonly target: Target
  readonly host: Host
  look(script: string): Promise<string>
}

export interface KnownMigrations {
  readonly classes: readonly MigrationClass[]
  /** The checksum of the configured code; null where none is here. */
  readonly code: string | null
  /** Why copies that the host keeps cannot be used; what only they have is not among them. */
  readonly unusable: readonly string[]
}

/** `needed`: full names that must be among them where anything kept has them. `release`: a directory of one. */
export async function knownMigrations(
  user: MigrationsUser,
  input: { readonly needed: readonly string[]; readonly release?: string | undefined },
): Promise<KnownMigrations> {
  const { migrations } = user.deps
  const configured = await migrations.read(user.target, input.release)
  const classes = configured ? await migrations.load(configured) : []
  const missing = () => input.needed.filter((name) => !known.some((it) => migrations.nameOf(it) === name))
  const known = [...classes]
  // Inside a release that is not at hand: what the newest one left is what runs.
  const always = configured === null && typeof user.target.database?.migrations === 'object'
  const code = configured?.sha256 ?? null
  const unusable: string[] = []
  if (!always && missing().length === 0) return { classes: known, code, unusable }
  for (const [index, sha256] of keptMigrations(await ledgerRecords(user.host)).entries()) {
    const whole = always && index === 0
    if (!whole && missing().length === 0) break
    const wanted = missing()
    const kept = await fetch(user, sha256).catch((error: unknown) => {
      unusable.push(messageOf(error))
      return []
    })
    known.push(...kept.filter((it) => whole || wanted.includes(migrations.nameOf(it))))
  }
  return { classes: known, code, unusable }
}

/** None where it is gone from the host; `Refused`, before any of it runs, where it is not what the ledger says. */
async function fetch(user: MigrationsUser, sha256: string): Promise<readonly MigrationClass[]> {
  const { load, codeLimitBytes } = user.deps.migrations
  const { stateDirectory } = user.host
  const text = await user.look(readCode({ stateDirectory, sha256, limitBytes: codeLimitBytes }))
  return text === '' ? [] : await load({ sha256, text })
}
