// What is done behind a run before anybody judges: what it left is found by the next one, and all comes to rest.

import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runDigits } from '../src/plan/ledger.js'
import { type Manifest, parseManifest } from '../src/plan/manifest.js'
import type { Ground } from './ground.js'
import { leftoversIn, strayDatabases } from './leftovers.js'
import { condition, databases } from './look.js'
import { attend } from './person.js'
import type { Scenario } from './scenarios.js'
import type { Seen } from './seen.js'
import { strangers } from './strangers.js'
import { type Ended, mayLeave } from './verdict.js'

/** How long what is over may take to settle: containers that come up, sessions that end. */
const settlesWithinMs = 45_000

/** What a run left that could not end by itself is found by the next one, whatever that is for. */
export async function reconcile({ client, sandbox, state }: Ground, ended: readonly Ended[]): Promise<string[]> {
  if (!ended.some(mayLeave) || leftoversIn(state).length === 0) return []
  const run = await client.startBackup({ target: sandbox.target, reason: 'chaos: the next run' })
  const { outcome, message } = await attend(client, run)
  return outcome === 'done' ? [] : [`the next run, ${run}, ended as ${outcome}: ${message}`]
}

/** What is left once all that is under way has come to rest, but for databases that `there` names. */
export async function settle(ground: Ground, wanted: Scenario['wanted'], there: readonly string[]): Promise<string[]> {
  const deadline = Date.now() + settlesWithinMs
  const stops = typeof wanted === 'object' && 'stopped' in wanted
  for (;;) {
    const stray = (await strays(ground)).filter((it) => !there.includes(it))
    const left = [...leftoversIn(ground.state), ...(await strangers(ground)), ...stray]
    const calm = left.length === 0 && (stops || isCalm(await condition(ground)))
    if (calm || Date.now() > deadline) return left
    await sleep(500)
  }
}

/** Until every service is as healthy as it becomes: Docker asks less often than a run does. */
export async function comeToRest(ground: Ground): Promise<void> {
  const deadline = Date.now() + settlesWithinMs
  while (Date.now() < deadline && !isCalm(await condition(ground))) await sleep(500)
}

function isCalm({ services, failing }: Pick<Seen, 'services' | 'failing'>): boolean {
  return failing.length === 0 && Object.values(services).every((it) => /^running( \(healthy\))?$/.test(it))
}

/** Databases that neither the stack nor a restore point knows, a line each. */
export async function strays(ground: Ground): Promise<string[]> {
  const { backups } = ground.sandbox
  const manifests = readdirSync(backups)
    .filter((it) => it.startsWith('manifest_'))
    .map((it) => parseManifest(readFileSync(join(backups, it), 'utf8')))
  // What an undo put aside stays as long as the restore point of its deploy.
  const putAside = (it: Manifest) => `aria_blue__before_${runDigits(it.run)}`
  const named = manifests.flatMap((it) =>
    [it.kept?.name, it.database?.warm?.name, putAside(it)].filter((name) => name !== undefined),
  )
  try {
    return strayDatabases(await databases(ground), ['aria_blue', 'stepback'], named)
  } catch (error) {
    return [`databases cannot be listed: ${(error as Error).message}`]
  }
}
