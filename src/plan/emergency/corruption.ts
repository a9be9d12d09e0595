// The database is damaged: the newest proven restore point is built beside it, exchanged with it in one transaction, and
// what was damaged is kept. Until that exchange everything can be put back as it was.

import { startLevels } from '../start-order.js'
import { allLevels, capturedPaths, runningLevels, scaledByHand } from '../running.js'
import { StepbackError } from '../failure.js'
import { restorePointId } from '../ledger.js'
import type { Manifest } from '../manifest.js'
import type { EmergencyRequest } from '../request.js'
import { isProven } from '../retention.js'
import { sideBySide } from '../steps/beside.js'
import { restoreDatabase, swapDatabase } from '../steps/database.js'
import { fenceDatabase } from '../steps/emergency.js'
import { checkHealth, collectLogs } from '../steps/health.js'
import { setPins, takeRestorePoint } from '../steps/restore-point.js'
import { list } from '../steps/list.js'
import { restartServices, startServices, stopForNow } from '../steps/services.js'
import type { Decision, EmergencyFacts } from './facts.js'
import { ensureThere, filesOf, runningAmong, versionOf } from './stop.js'

/** Restore points, and which of them have their dump as it is recorded, by its size: a checksum would take too long. */
export interface Dumps {
  readonly manifests: readonly Manifest[]
  readonly whole: readonly string[]
}

export function planDatabaseCorruption(request: EmergencyRequest, facts: EmergencyFacts): Decision {
  const { stack, containers, records, settings } = facts
  const { application, databaseService, logs } = stack
  if (databaseService === null) throw refused(request, `target "${request.target}" has no database`)
  ensureThere(request, facts)
  const { model } = filesOf(request, facts)
  const manifest = newestProven(request, facts)
  const running = runningAmong(facts, application)
  const before = runningLevels({ containers, model, stack })
  const services = running.length > 0 ? running : application
  const levels = startLevels({ model, services, scaled: scaledByHand({ model, containers }) })
  const version = versionOf(facts)
  const safety = restorePointId({ at: facts.at, version })
  const isDown = runningAmong(facts, [databaseService]).length === 0
  const stop = stopForNow({ services: application, graceSeconds: settings.stopGraceSeconds, levels: before })
  const fence = fenceDatabase({ must: true })
  const pin = { by: request.requestedBy ?? 'emergency', reason: 'the damaged database, kept for study' }
  return {
    because: becauseOf(manifest, version),
    restorePoint: manifest.id,
    undo: { scope: 'database' },
    steps: [
      ...(isDown
        ? [stop, startServices({ levels: [{ services: [databaseService], wait: true }] }), fence]
        : sideBySide([stop, fence])),
      ...sideBySide([
        takeRestorePoint({
          version,
          database: 'kept',
          head: null,
          paths: capturedPaths({ stack, records }, []),
          levels: allLevels({ containers, model, stack }),
        }),
        restoreDatabase({ from: manifest.id }),
      ]),
      swapDatabase({ from: manifest.id, mayLoseRows: null, unjudged: true }),
      setPins({ id: safety, pins: [pin], before: [] }),
      restartServices({ levels, application: services, commit: true }),
      checkHealth(),
      ...(logs ? [collectLogs()] : []),
    ],
  }
}

/**
 * The proof says that it can be restored, the size that nobody cut it off since. One whose dump is suspiciously small may
 * be of a database that was damaged by then, which only a person can tell.
 */
function newestProven(request: EmergencyRequest, { dumps }: EmergencyFacts): Manifest {
  const { manifests, whole } = dumps ?? { manifests: [], whole: [] }
  const proven = manifests.filter(isProven)
  const trusted = proven.filter((it) => it.small === undefined)
  const [newest] = trusted.filter((it) => whole.includes(it.id)).toSorted((a, b) => (a.id < b.id ? 1 : -1))
  if (newest) return newest
  const broken = trusted.length > 0 ? `; the dumps of ${list(trusted.map((it) => it.id))} are not whole` : ''
  const small = proven.filter((it) => it.small !== undefined).map((it) => `; of ${it.id} ${it.small}`)
  throw refused(
    request,
    `target "${request.target}" has no proven restore point with its dump${[broken, ...small].join('')}`,
  )
}

function becauseOf({ id, version }: Manifest, current: string): string {
  const other =
    version === current || current === 'unknown'
      ? ''
      : `; it is of ${version}, and ${current} runs: migrations since are not in it`
  return `${id} is the newest proven restore point; rows written since stay in the kept database only${other}`
}

function refused({ target }: EmergencyRequest, message: string): StepbackError {
  const hint = `stepback restore-points ${target} shows what there is; stepback rollback ${target} --scope database --to <id> takes one that is not proven.`
  return new StepbackError({ type: 'Refused', message, hint })
}
