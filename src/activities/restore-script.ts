// What the script beside a restore point needs to know of its target, while it is as that restore point has it.

import { composeConfig } from '../commands/observe.js'
import type { RestoreScript } from '../commands/restore-script.js'
import { parseComposeModel } from '../plan/compose.js'
import { allLevels } from '../plan/running.js'
import { durationMs } from '../plan/duration.js'
import type { ServiceLevel } from '../plan/act.js'
import type { Container } from '../plan/facts.js'
import type { Manifest } from '../plan/manifest.js'
import { wayBack } from '../plan/way-back.js'
import type { ActContext } from './context.js'
import { databaseLogin } from './credentials.js'
import { restored } from './files.js'
import { together } from './together.js'

/** What can be asked while the restore point is being taken. */
export interface Standing {
  readonly levels: readonly ServiceLevel[]
  readonly database: RestoreScript['database']
}

/** `levels`: as a plan that knows them says it. */
export async function observeStanding(
  context: ActContext,
  input: { readonly containers: Promise<readonly Container[]>; readonly levels: readonly ServiceLevel[] | undefined },
): Promise<Standing> {
  const { database } = context.target
  const [levels, login] = await together([
    input.levels ?? askForLevels(context, input.containers),
    database ? databaseLogin(context) : null,
  ])
  return {
    levels,
    database: database && login ? { service: database.service, name: database.name, psqlUser: login.user } : null,
  }
}

async function askForLevels(context: ActContext, found: Promise<readonly Container[]>): Promise<ServiceLevel[]> {
  const { compose, database } = context.target
  const [json, containers] = await together([context.look(composeConfig(context.stack)), found])
  const model = parseComposeModel({ json, project: compose.project })
  return allLevels({ model, containers, stack: { databaseService: database?.service ?? null } })
}

export function scriptOf(context: ActContext, manifest: Manifest, standing: Standing): RestoreScript {
  const { target, stack, backups, host } = context
  const { services, health, deployLog, incidents, secrets, managed } = target
  const { files, absent, sources } = wayBack(manifest, [manifest], manifest.id)
  return {
    manifest,
    stack,
    ...standing,
    stateDirectory: host.stateDirectory,
    backups,
    application: services.application,
    graceSeconds: seconds(services.stopGrace),
    files: { sources, files: files.map(restored), absent, liveKeys: secrets },
    trees: manifestTrees(manifest, managed),
    checks: health.checks.map((check) => ({ ...check, timeoutSeconds: seconds(check.timeout) })),
    health: {
      withinSeconds: seconds(health.timeout),
      everySeconds: durationMs(health.interval) / 1_000,
      successes: health.successes,
    },
    deployLog: deployLog ?? null,
    incidents: incidents ?? null,
    ...host.standalone,
  }
}

function manifestTrees({ files }: Manifest, managed: readonly string[]): string[] {
  return managed.filter((path) => files.some((file) => file.path === path && file.kind === 'directory'))
}

function seconds(duration: string): number {
  return Math.ceil(durationMs(duration) / 1_000)
}
