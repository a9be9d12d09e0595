// What runs on a target now: what a restore point of this moment holds, and what starts again when a run is undone.

import type { ServiceImage, ServiceLevel, Step } from './act.js'
import type { Facts, Recreation } from './facts.js'
import { broughtPaths, releaseLine } from './ledger.js'
import { startLevels } from './start-order.js'
import { takeRestorePoint } from './steps/restore-point.js'

/** The version that runs, by the ledger; before the first recorded release, by what the application answers. */
export function currentVersion(facts: Pick<Facts, 'records' | 'version'>): string {
  return releaseLine(facts.records).at(-1)?.version ?? facts.version ?? 'unknown'
}

/** What runs now, by image id: the way back for images. Of a service with several containers the first one speaks. */
export function runningImages(facts: Facts): ServiceImage[] {
  const services = [...new Set(facts.containers.map((container) => container.service))]
  return services
    .filter((service) => service !== facts.stack.databaseService)
    .flatMap((service) => {
      const ref = facts.model.services[service]?.image
      const id = facts.containers.find((container) => container.service === service)!.imageId
      return ref === undefined ? [] : [{ service, id, ref }]
    })
    .toSorted((a, b) => (a.service < b.service ? -1 : 1))
}

/** A database's image is kept where its container will be another one. */
export function withDatabase(
  images: readonly ServiceImage[],
  recreation: Recreation | null | undefined,
): ServiceImage[] {
  return recreation ? [...images, recreation.before] : [...images]
}

/** Levels that start again exactly the services that run now, or those `among` them, the database left alone. */
export function runningLevels(
  facts: Pick<Facts, 'containers' | 'model' | 'stack'>,
  among?: readonly string[],
): ServiceLevel[] {
  const running = facts.containers.filter((container) => container.running).map((container) => container.service)
  const services = running.filter((it) => it !== facts.stack.databaseService && (among?.includes(it) ?? true))
  return startLevels({ model: facts.model, services, scaled: scaledByHand(facts) })
}

/** Services that have more containers than their file asks for. */
export function scaledByHand(facts: Pick<Facts, 'model' | 'containers'>): Readonly<Record<string, number>> {
  const counts = Object.entries(facts.model.services).map(([service, { scale = 1 }]) => {
    const count = facts.containers.filter((container) => container.service === service).length
    return [service, count, scale] as const
  })
  return Object.fromEntries(counts.filter(([, count, scale]) => count > scale))
}

/** The restore point of this moment, which a run takes before it changes anything. */
export function takeNow(
  facts: Facts,
  { database, brought = [] }: { readonly database: 'dump' | 'kept' | 'none'; readonly brought?: readonly string[] },
): Step {
  return takeRestorePoint({
    version: currentVersion(facts),
    database,
    head: migrationHead(facts),
    paths: capturedPaths(facts, brought),
    levels: allLevels(facts),
  })
}

/** Levels of every service of the files as they are, the database left alone. */
export function allLevels(
  facts: Pick<Facts, 'containers' | 'model'> & { readonly stack: Pick<Facts['stack'], 'databaseService'> },
): ServiceLevel[] {
  const services = Object.keys(facts.model.services).filter((it) => it !== facts.stack.databaseService)
  return startLevels({ model: facts.model, services, scaled: scaledByHand(facts) })
}

/** The newest applied migration; null without a database, or where none is applied. */
export function migrationHead(facts: Facts): string | null {
  return facts.database?.applied.at(-1) ?? null
}

/** Files beside compose and environment files that a restore point has to hold. */
export function capturedPaths(facts: Pick<Facts, 'stack' | 'records'>, brought: readonly string[]): string[] {
  const own = new Set([...facts.stack.composeFiles.slice(0, 1), facts.stack.envFile])
  const paths = [
    ...facts.stack.composeFiles.slice(1),
    ...facts.stack.managed,
    ...broughtPaths(facts.records),
    ...brought,
  ]
  return [...new Set(paths)].filter((path) => !own.has(path)).toSorted()
}
