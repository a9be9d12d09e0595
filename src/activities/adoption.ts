// A database that another tool migrated gets its records: what the migrations produce is made beside it, and compared.

import { setTimeout as sleep } from 'node:timers/promises'
import { randomUUID } from 'node:crypto'
import { schemaStructure } from '../commands/database/fingerprint.js'
import { newName } from '../commands/database/names.js'
import type { DatabaseAddress } from '../adapters/database.js'
import type { Holder, Host, LeaseState } from '../adapters/host.js'
import { type Baseline, chooseBaseline, ensureSameSchema, planAdoption, schemaDifferences } from '../plan/adoption.js'
import { durationMs } from '../plan/duration.js'
import { StepbackError } from '../plan/failure.js'
import { type LedgerEntry, type RunId, debts, runDigits } from '../plan/ledger.js'
import type { ActDefinition } from './act.js'
import { asMigrations, databaseOf, type DatabaseUser, withJournal } from './database-access.js'
import { raiseDatabaseFence } from './database-fence.js'
import type { Deps } from './deps.js'
import { knownMigrations } from './known-migrations.js'
import { isExpired } from './lease-judge.js'
import { ledgerRecords } from './observe/ledger.js'
import { Look } from './observe/look.js'
import { observeRevisions } from './observe/revisions.js'
import { messageOf } from './to-failure.js'

interface Adopter extends DatabaseUser {
  readonly host: Host
  readonly run8: string
}

/** The act, for whoever walks a plan: what it makes beside the live database it drops, however it ends. */
export const adoptMigrations: ActDefinition<'adoptMigrations'> = {
  jobs: [],
  run: async (context, args) => {
    await adopt(context, args)
    return `${args.migrations.length} migrations`
  },
}

/**
 * Records the migrations up to a revision as applied, where the schema is what they produce. It is a change to the
 * target, so it is made under the lease. No workflow does it: it asks nobody, takes seconds, and leaves nothing half
 * done; a command that dies leaves a lease that time frees, and a debt in the ledger that the next run pays.
 */
export async function adoptDatabase(
  deps: Deps,
  input: {
    readonly target: string
    readonly asked: string | null
    /** A directory that has the migrations, where they come with releases. */
    readonly release?: string | undefined
    readonly signal: AbortSignal
  },
): Promise<Baseline> {
  const { target, asked, release } = input
  const look = await Look.at(deps, target)
  const { known, applied, alembic } = await observeRevisions(look, release)
  const { alembic: alembicNames, migrations } = databaseOf(look.target)
  const inReleases = typeof migrations === 'object'
  const baseline = chooseBaseline({ target, known, applied, alembic, alembicNames, asked, inReleases })
  if (baseline.already) return baseline
  await refuseDebts(look, noRun)
  await underLease(look, { ...input, baseline })
  return baseline
}

const noRun: RunId = { workflowId: '', runId: '' }

async function underLease(
  look: Look,
  {
    signal,
    release,
    baseline,
  }: { readonly signal: AbortSignal; readonly release?: string | undefined; readonly baseline: Baseline },
): Promise<void> {
  const { deps, target, host, ssh } = look
  const run = {
    workflowId: `adopt-${target.name}-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}`,
    runId: randomUUID(),
  }
  const holder: Holder = { ...run, namespace: '', kind: 'adoption' }
  const token = await acquire(host, holder)
  const ended = new AbortController()
  const keeping = keep(host, { token, holder }, ended.signal)
  const append = (id: string, entry: LedgerEntry) =>
    host.appendLedger({ token, id: `${run.runId}.${token}.${id}`, entry })
  const step = { run, step: 0, act: 'adoptMigrations', undo: false } as const
  const user: Adopter = { deps, target, host, ssh, token, run8: runDigits(run), look: (script) => look.look(script) }
  try {
    await raiseDatabaseFence(deps, target, token, { run, attempt: 1 })
    await append('acquired', { kind: 'acquired', run, saw: 'free' })
    await payOwnDebts(user, run, append)
    const plan = planAdoption({ target: target.name, baseline, head: null })
    await append('plan', { kind: 'plan', run, plan })
    await append('start', { kind: 'start', ...step })
    try {
      await adopt({ ...user, signal }, { ...baseline, release })
    } catch (error) {
      await append('failed', { kind: 'end', ...step, outcome: 'failed', detail: messageOf(error) })
      // Only where nothing is left beside the live database; else the run stays open, and the next one pays.
      await dropBeside(user)
      await append('finished', { kind: 'finished', run, outcome: 'refused' })
      throw error
    }
    await append('done', { kind: 'end', ...step, outcome: 'done' })
    await append('finished', { kind: 'finished', run, outcome: 'done' })
  } finally {
    ended.abort()
    await keeping
    await host.release({ token, holder }).catch(() => undefined)
  }
}

async function acquire(host: Host, holder: Holder): Promise<number> {
  const mayTake = async (state: LeaseState) => ((await isExpired(host, state)) ? ('expired' as const) : undefined)
  const got = await host.acquire({ holder, mayTake })
  if (got.outcome === 'acquired') return got.token
  const by = got.by.holder
  throw new StepbackError({
    type: 'Refused',
    message: `the lease is held by ${by ? `${by.kind} ${by.workflowId}` : 'somebody else'}; nothing was changed`,
    hint: 'ask again when that has ended; a command that died frees it after 15 minutes.',
  })
}

async function keep(host: Host, mine: { token: number; holder: Holder }, ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    await sleep(20_000, undefined, { signal: ended }).catch(() => undefined)
    // A lease that is lost is told by the next look at the token, before anything is changed.
    if (!ended.aborted) await host.renew(mine).catch(() => undefined)
  }
}

/** Debts of runs are for runs: they know how to undo them. */
async function refuseDebts(look: Pick<Look, 'host' | 'target'>, run: RunId): Promise<void> {
  const open = debts(await ledgerRecords(look.host), run).filter((it) => it.plan.kind !== 'adoption')
  if (open.length === 0) return
  throw new StepbackError({
    type: 'Refused',
    message: `run "${open[0]!.run.workflowId}" has no end, and is at work or must be undone first`,
    hint: `\`stepback status ${look.target.name}\` shows it; the next deploy or rollback undoes it.`,
  })
}

async function payOwnDebts(
  user: Adopter,
  run: RunId,
  append: (id: string, entry: LedgerEntry) => Promise<unknown>,
): Promise<void> {
  await refuseDebts(user, run)
  for (const debt of debts(await ledgerRecords(user.host), run)) {
    await dropBeside({ ...user, run8: runDigits(debt.run) })
    await append(`debt.${debt.run.runId}`, { kind: 'debt-closed', run: debt.run, how: 'undone' })
  }
}

async function dropBeside(user: Adopter): Promise<void> {
  await withJournal(user, 'drop', async (journal, address) => {
    await journal.checkFence({ target: user.target.name, token: user.token })
    await user.deps.database.dropEmptyDatabase(address, besideName(user))
  })
}

function besideName(user: Adopter): string {
  return newName({ database: databaseOf(user.target).name, run8: user.run8 })
}

async function adopt(
  user: Adopter & { readonly signal?: AbortSignal },
  input: { readonly revision: string; readonly migrations: readonly string[]; readonly release?: string | undefined },
): Promise<void> {
  const { ignore, lockTimeout } = databaseOf(user.target)
  const { database } = user.deps
  const names = input.migrations
  const structure = schemaStructure({ ...ignore, tables: ['alembic_version', ...ignore.tables] })
  const { classes: migrations } = await knownMigrations(user, { needed: names, release: input.release })
  const lockTimeoutMs = durationMs(lockTimeout)
  await withJournal(user, 'adopt', async (journal, address) => {
    const checkFence = () => journal.checkFence({ target: user.target.name, token: user.token })
    const withRunner = async <T>(at: DatabaseAddress, work: (runner: Runner) => Promise<T>): Promise<T> => {
      user.signal?.throwIfAborted()
      const runner = await database.MigrationRunner.connect({ ...at, migrations, lockTimeoutMs })
      return await work(runner).finally(() => runner.end())
    }
    const own = await asMigrations(user, address)
    const beside = { ...address, database: besideName(user) }
    await checkFence()
    await database.createEmptyDatabase(address, { name: beside.database, owner: own.user })
    try {
      await withRunner({ ...own, database: beside.database }, (runner) => runner.up({ names, checkFence }))
      const [made, live] = await Promise.all([read(user, beside, structure), read(user, address, structure)])
      ensureSameSchema(user.target.name, input.revision, schemaDifferences({ expected: made.lines, found: live.lines }))
      const expected = { settings: structure.settings, sql: structure.hash, sha256: made.sha256 }
      await withRunner(own, (runner) => runner.adopt({ names, checkFence, expected }))
    } finally {
      await database.dropEmptyDatabase(address, beside.database).catch(() => undefined)
    }
  })
}

type Runner = Awaited<ReturnType<Deps['database']['MigrationRunner']['connect']>>

async function read(user: Adopter, address: DatabaseAddress, structure: ReturnType<typeof schemaStructure>) {
  const session = await user.deps.database.TargetDatabase.connect(address)
  try {
    const lines = await session.schemaLines(structure)
    return { lines, sha256: await session.schemaSha256({ settings: structure.settings, sql: structure.hash }) }
  } finally {
    await session.end()
  }
}
