// A restore point is proven by really restoring it. The database that proves it is worth keeping: going back is a rename then.

import { mismatchExit } from '../commands/database/restore.js'
import { describeFiles, parseFileFacts } from '../commands/file-facts.js'
import { writeManifest } from '../commands/manifest.js'
import { databaseFreeBytes } from '../commands/observe.js'
import { script } from '../commands/shell.js'
import { StepbackError } from '../plan/failure.js'
import type { Manifest, RestorePointState, WarmCopy } from '../plan/manifest.js'
import type { ActDefinition } from './act.js'
import { amountIn, besideNames, buildBeside, dropBeside, dumpOf, observeServer } from './beside.js'
import { type ActContext, doneAgain } from './context.js'
import { databaseContainer, withJournalAt, withTunnel } from './database-access.js'
import { readManifest, readManifests } from './observe/manifests.js'
import { endRehearsals, rehearsalJobs, rehearse } from './rehearsal.js'

export const proveRestorePoint: ActDefinition<'proveRestorePoint'> = {
  jobs: ['proof', ...rehearsalJobs, 'verdict', 'drop'],
  run: async (context, { from, keepCopy, rehearse: migrations = [], release, accept }) => {
    const id = context.restorePoint(from)
    const manifest = await readManifest(context, id)
    const { warmName: name } = besideNames(context)
    if (manifest.database?.warm?.name === name) {
      if (migrations.length > 0) await endRehearsals(context)
      return 'its warm copy stands'
    }
    await ensureIntact(context, manifest)
    await buildBeside(context, { manifest, name, job: 'proof' }).catch((error: unknown) => failed(context, id, error))
    const copy = await seen(context, name)
    const keeps = keepCopy && copy.roomLeft
    const tried = { copyOf: name, manifest, migrations: copy.roomLeft ? migrations : [], release }
    const { rehearsed, words } = await rehearse(context, tried)
    const small = accept ? undefined : manifest.small
    await judge(context, id, ({ doubt: _doubt, small: _small, ...proven }) => ({
      ...provenAs(proven, keeps ? copy.warm : undefined),
      ...(small === undefined ? {} : { small }),
      ...(rehearsed.length > 0 ? { rehearsed } : {}),
    }))
    if (!keeps) await dropBeside(context, [name])
    const room = keepCopy ? ['no room to keep the copy'] : []
    const doubts = small === undefined ? [] : [small]
    return [amountIn(dumpOf(manifest)), ...(keeps ? [`kept as ${name}`] : room), ...words, ...doubts].join('; ')
  },
}

export const dropUnprovenCopy: ActDefinition<'dropUnprovenCopy'> = {
  jobs: ['drop'],
  run: async (context, { from }) => {
    const id = context.restorePoint(from)
    const { warmName: name, newName: tried } = besideNames(context)
    const manifest = (await readManifests(context)).find((it) => it.id === id)
    if (manifest?.database?.warm?.name === name) return `${name} is whole, and stays`
    await dropBeside(context, [name, tried])
    return null
  },
}

export const dropCopies: ActDefinition<'dropCopies'> = {
  jobs: ['drop', 'manifests'],
  run: async (context, { copies }) => {
    const { databases } = await withTunnel(context, 'copies', (address) => observeServer(context, address))
    // The oid says whether it is the one that the plan named.
    const there = copies.filter((it) => databases.some(({ name, oid }) => name === it.name && oid === it.oid))
    if (there.length > 0)
      await dropBeside(
        context,
        there.map((it) => it.name),
      )
    const without = (await readManifests(context)).flatMap((manifest) => {
      const dropped = copies.find((it) => it.of === manifest.id)
      return dropped ? [withoutCopy(manifest, dropped.name)] : []
    })
    const writes = without.map((manifest) => writeManifest({ backups: context.backups, manifest }))
    await context.job('manifests', script(...writes), { holds: doneAgain })
    return null
  },
}

/** A dump that is not the one that was taken is broken, whatever it would restore. */
async function ensureIntact(context: ActContext, manifest: Manifest): Promise<void> {
  const { file } = dumpOf(manifest)
  const recorded = manifest.files.find((it) => it.name === file)?.sha256
  const [found] = parseFileFacts(await context.look(describeFiles(context.backups, [file])), [file])
  if (found?.kind === 'file' && found.sha256 === recorded) return
  const why = found?.kind === 'file' ? `"${file}" has another checksum than the recorded one` : `"${file}" is missing`
  await judge(context, manifest.id, (it) => brokenBy(it, why))
  throw new StepbackError({ type: 'StepFailed', message: `restore point "${manifest.id}" is broken: ${why}` })
}

/** What came out different condemns the dump; a restore that could not be done says nothing for certain. */
async function failed(context: ActContext, id: string, error: unknown): Promise<never> {
  if (!(error instanceof StepbackError) || error.type !== 'StepFailed') throw error
  const [why] = error.message.split('\n')
  const { exitCode } = (error.details ?? {}) as { exitCode?: number }
  const differs = exitCode === mismatchExit
  await judge(context, id, (it) => (differs ? brokenBy(it, why!) : { ...it, doubt: `its proof failed: ${why}` }))
  await dropBeside(context, [besideNames(context).warmName])
  throw error
}

function brokenBy(manifest: Manifest, doubt: string): Manifest {
  return { ...manifest, state: 'broken', doubt }
}

function provenAs(manifest: Manifest, warm: WarmCopy | undefined): Manifest {
  const database = { ...manifest.database!, ...(warm ? { warm } : {}) }
  return { ...manifest, state: database.warm ? 'warm' : 'proven', database }
}

/** The restore point without its copy: a warm one is proven all the same, a kept one is no way back any more. */
function withoutCopy(manifest: Manifest, name: string): Manifest {
  if (manifest.database?.warm?.name === name) {
    const { warm: _warm, ...database } = manifest.database
    return { ...manifest, state: manifest.state === 'warm' ? 'proven' : manifest.state, database }
  }
  const state: RestorePointState = manifest.kept?.name === name ? 'taken' : manifest.state
  return { ...manifest, state }
}

/** The manifest as it is now, not as it was before the restore. */
async function judge(context: ActContext, id: string, verdict: (manifest: Manifest) => Manifest): Promise<void> {
  const manifest = verdict(await readManifest(context, id))
  await context.job('verdict', writeManifest({ backups: context.backups, manifest }), { holds: doneAgain })
}

/** The copy as the server sees it once everybody has left it, and whether a restore would still find room beside it. */
async function seen(
  context: ActContext,
  name: string,
): Promise<{ readonly warm: WarmCopy; readonly roomLeft: boolean }> {
  const { disk } = context.target
  const observed = await withTunnel(context, 'proof', async (address) => {
    const before = (await observeServer(context, address)).databases.find((it) => it.name === name)
    if (!before) throw new StepbackError({ type: 'StepFailed', message: `the copy "${name}" is not there` })
    await withJournalAt(context, address, (journal) => journal.endSessionsOf({ oid: before.oid }))
    return (await observeServer(context, address)).databases.find((it) => it.oid === before.oid)!
  })
  const { oid, visits, sizeBytes } = observed
  const { Id } = await databaseContainer(context)
  const free = Number(await context.look(databaseFreeBytes(Id)))
  // NaN where nobody can tell.
  const roomLeft = !(free < disk.freeBytes + sizeBytes * 1.2)
  return { warm: { name, oid, visits }, roomLeft }
}
