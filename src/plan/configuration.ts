// Configuration alone goes back: configured files, and the services that they mean something to.

import type { Step } from './act.js'
import { ensureStartable } from './ahead.js'
import { startLevels } from './start-order.js'
import { behind, readable } from './containers.js'
import { currentVersion, runningImages, runningLevels, scaledByHand, takeNow } from './running.js'
import type { ConfigurationFacts, Container, Facts } from './facts.js'
import type { Plan } from './plan.js'
import { ensureFit } from './preflight.js'
import type { RollbackRequest } from './request.js'
import { goneServices } from './gone.js'
import { common, ensureSupported } from './rollback.js'
import { restoreFiles } from './steps/files.js'
import { checkHealth, collectLogs } from './steps/health.js'
import { recreateBack, recreateDatabase } from './steps/recreate.js'
import { sideBySide } from './steps/beside.js'
import { keepImages } from './steps/restore-point.js'
import { list } from './steps/list.js'
import { removeServices, restartServices, stopForNow } from './steps/services.js'

/** The plan of a rollback of compose files, environment file and managed files. */
export function planConfiguration(
  request: RollbackRequest,
  observed: Facts,
  found: ConfigurationFacts,
  because: string,
): Omit<Plan, 'digest'> {
  ensureSupported(request)
  const facts = readable(observed, found)
  ensureFit(request.target, behind(facts, found), ['migrations'])
  const services = meant(observed, found)
  const references = services.map((service) => found.model.services[service]!.image)
  const absentImages = found.ahead.absentImages.filter((it) => references.includes(it))
  const recreation = found.changes.length > 0 ? found.ahead.recreation : null
  ensureStartable(request.target, { absentImages, recreation })
  const already = found.changes.length === 0
  const does = services.length > 0 ? `restarts ${list(services)}` : 'restarts no service'
  return {
    ...common(request, facts, { exposure: null, loss: null }),
    version: currentVersion(facts),
    answers: facts.version,
    because: already ? because : `${because}; it ${does}`,
    restorePoint: found.manifest.id,
    configuration: found.changes,
    ...(found.kept.length > 0 ? { environment: { changed: [], kept: found.kept } } : {}),
    already,
    steps: already ? [] : configurationSteps({ request, facts, found, services }),
  }
}

/** Whose definition is another one than their containers', or that have a changed file mounted; the database is apart. */
function meant(facts: Facts, { model, manifest, hashes, changes }: ConfigurationFacts): string[] {
  const { directory, application, databaseService } = facts.stack
  const paths = changes.map(({ path }) => `${directory}/${path}`)
  const changed = ({ service, configHash, binds = [] }: Container) =>
    !hashes[service]?.includes(configHash ?? '') || binds.some((bind) => paths.some((path) => concerns(bind, path)))
  const known = Object.keys(facts.model.services)
  return Object.keys(model.services)
    .filter((service) => service !== databaseService)
    .filter((service) => {
      const own = facts.containers.filter((it) => it.service === service)
      const dropped = known.length > 0 && !known.includes(service)
      if (own.length === 0) return dropped && manifest.images.some((it) => it.service === service)
      // What somebody stopped stays so, but the application is meant to run.
      return own.some(changed) && (application.includes(service) || own.some((it) => it.running))
    })
    .toSorted()
}

function concerns(bind: string, path: string): boolean {
  return path === bind || path.startsWith(`${bind}/`) || bind.startsWith(`${path}/`)
}

function configurationSteps(input: {
  readonly request: RollbackRequest
  readonly facts: Facts
  readonly found: ConfigurationFacts
  readonly services: readonly string[]
}): Step[] {
  const { request, facts, found } = input
  const { model, manifest, ahead } = found
  const { recreation } = ahead
  const { application, composeFiles, envFile, managed, logs } = facts.stack
  const running = facts.containers.filter((it) => it.running).map((it) => it.service)
  // Nobody should write while the database's server goes away.
  const writers = recreation ? application.filter((it) => running.includes(it) && model.services[it]) : []
  const services = [...new Set([...input.services, ...writers])]
  const gone = goneServices(model, facts)
  const stopped = [...new Set([...services, ...gone])]
  return [
    ...sideBySide([takeNow(facts, { database: 'none' }), keepImages({ images: runningImages(facts) })]),
    ...(stopped.length > 0 ? [stopForNow({ services: stopped, levels: runningLevels(facts, stopped) })] : []),
    restoreFiles({
      from: manifest.id,
      secrets: request.secrets,
      only: [...composeFiles, envFile, ...managed],
      madeFrom: recreateBack(recreation),
    }),
    ...(recreation ? [recreateDatabase({ service: recreation.service, image: null })] : []),
    ...(services.length > 0
      ? [
          restartServices({
            levels: startLevels({ model, services, scaled: scaledByHand(facts) }),
            application: services,
            commit: true,
          }),
        ]
      : []),
    checkHealth(),
    ...(logs ? [collectLogs()] : []),
    ...removeServices(gone),
  ]
}
