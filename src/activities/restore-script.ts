// What the script beside a restore point needs to know of its target, while it is as that restore point has it.

import { composeConfig } from '../commands/observe.js'
import type { RestoreScript } from '../commands/restore-script.js'
import { parseComposeModel } from '../plan/compose.js'
import { startLevels } from '../plan/start-order.js'
import { scaledByHand } from '../plan/running.js'
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

export async function observeStanding(context: ActContext, containers: readonly Container[]): Promise<Standing> {
  const { compose, database } = context.target
  const [json, login] = await together([
    context.look(composeConfig(context.stack)),
    database ? databaseLogin(context) : null,
  ])
  const model = parseComposeModel({ json, project: compose.project })
  const services = Object.keys(model.services).filter((it) => it !== database?.service)
  return {
    levels: startLevels({ model, services, scaled: scaledByHand({ model, containers }) }),
    database: database && login ? { service: database.service, name: database.name, psqlUser: login.user } : null,
  }
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
