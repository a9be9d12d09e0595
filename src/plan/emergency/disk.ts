// The disk is full: what may go, and nothing that anyone could still need. Nothing here is taken back by an undo, so
// what is not known for certain stays.

import type { PrunedPoint, Step } from '../act.js'
import type { LabelledVolume } from '../identity.js'
import { heldRestorePoints, stopInForce } from '../ledger.js'
import type { Manifest } from '../manifest.js'
import type { EmergencyRequest } from '../request.js'
import { isProven } from '../retention.js'
import {
  measureDisk,
  pruneBuildCache,
  removeContainers,
  removeDumps,
  removeImages,
  removeLogs,
  removeVolumes,
} from '../steps/disk.js'
import type { Decision, EmergencyFacts } from './facts.js'

export interface DiskFacts {
  /** Where Docker keeps its data; null where nobody can tell. */
  readonly dockerRoot: string | null
  /** Of `docker compose run`, ended. */
  readonly endedRuns: readonly string[]
  readonly danglingImages: readonly string[]
  /** Made by Compose, of whatever project. */
  readonly volumes: readonly LabelledVolume[]
  /** What the containers of the host have mounted, running or not, volumes by name. */
  readonly mounted: readonly string[]
  /**
   * Keys and names of the volumes that the files of the stack name, all profiles included; null where nobody can read
   * them, or nothing hangs on it.
   */
  readonly named: readonly string[] | null
  /** Words of the compose files that restore points hold; none where nothing hangs on it. */
  readonly remembered: readonly string[]
  readonly manifests: readonly Manifest[]
  /** Restore points whose manifest cannot be read. */
  readonly unreadable: number
  /** Names in the backups directory. */
  readonly shelf: readonly string[]
}

export function planDiskFull(_request: EmergencyRequest, facts: EmergencyFacts): Decision {
  const { disk, settings, freeBytes } = facts
  if (!disk) throw new TypeError('the disk was not looked at')
  const { manifests, shelf } = disk
  const rules = settings.disk
  const at = disk.dockerRoot
  const places = [facts.backups, ...(at === null ? [] : [at])]
  const containers = rules.containers ? containersToGo(facts, disk) : []
  const images = rules.images ? imagesToGo(disk) : []
  const volumes = rules.volumes ? volumesToGo(facts, disk) : []
  const dumps = dumpsToGo({ manifests, shelf, keep: rules.dumps, held: heldRestorePoints(facts.records) })
  const steps: readonly (Step | null)[] = [
    measureDisk({ places, when: 'before' }),
    containers.length > 0 ? removeContainers({ containers, at }) : null,
    images.length > 0 ? removeImages({ images, at }) : null,
    rules.buildCache ? pruneBuildCache({ at }) : null,
    volumes.length > 0 ? removeVolumes({ volumes, at }) : null,
    dumps.files.length + dumps.points.length > 0 ? removeDumps({ ...dumps, keep: rules.dumps }) : null,
    rules.logs ? removeLogs(rules.logs) : null,
    { ...measureDisk({ places, when: 'after' }), background: true },
  ]
  const free = Number.isNaN(freeBytes) ? 'nobody knows how much is free' : `${megabytes(freeBytes)} MB are free`
  return { because: `${free} where backups lie`, steps: steps.filter((it) => it !== null) }
}

/**
 * Dumps beyond the newest ones: those from before stepback by their names, oldest first, then restore points with a
 * dump. The last proven one stays whatever its age, and the last of them that is not suspiciously small, as do those with a pin, those that somebody may go back to, and those
 * whose database still stands beside the live one, which nobody would find again.
 */
export function dumpsToGo(input: {
  readonly manifests: readonly Manifest[]
  readonly shelf: readonly string[]
  readonly keep: number
  readonly held: readonly string[]
}): { readonly files: string[]; readonly points: PrunedPoint[] } {
  const { keep, held } = input
  const newestFirst = input.manifests.filter((it) => it.database?.file !== undefined).toSorted(byId)
  const lastProven = newestFirst.find(isProven) ?? newestFirst[0]
  const lastTrusted = newestFirst.find((it) => isProven(it) && it.small === undefined)
  const legacy = input.shelf.filter(isLegacy).toSorted().toReversed()
  const beyond = newestFirst.slice(keep)
  const stays = (it: Manifest) =>
    it === lastProven ||
    it === lastTrusted ||
    it.pins.length > 0 ||
    held.includes(it.id) ||
    it.database?.warm !== undefined
  return {
    files: legacy
      .slice(Math.max(0, keep - newestFirst.length))
      .filter((name) => !held.includes(name))
      .toReversed(),
    points: beyond
      .filter((it) => !stays(it))
      .map(({ id, images }) => ({ id, services: images.map((it) => it.service) }))
      .toReversed(),
  }
}

function byId(a: Manifest, b: Manifest): number {
  return a.id < b.id ? 1 : -1
}

/** A plain dump that carries no id of ours. */
function isLegacy(name: string): boolean {
  return /^db_.*\.sql(\.gz)?$/.test(name) && !/^db_\d{8}T\d{6}Z-/.test(name)
}

/** Ended ones; never the database's, one that a stop on purpose stopped, or one whose volume would not come back with it. */
function containersToGo({ containers, stack, records }: EmergencyFacts, { named, endedRuns }: DiskFacts) {
  const waiting = stopInForce(records)?.ran ?? []
  const own = containers
    .filter(hasEnded)
    .filter((it) => it.service !== stack.databaseService && !waiting.includes(it.service))
  const comesBack = (name: string) => named?.includes(name) === true
  return [
    ...own
      .filter((it) => (it.volumes ?? []).every(comesBack))
      .map(({ id, service }) => ({ id, service }))
      .toSorted((a, b) => (a.service < b.service ? -1 : 1)),
    ...endedRuns.map((id) => ({ id, service: 'an ended `run`' })),
  ]
}

/** Of a container by its state. */
export function hasEnded({ state }: { readonly state?: string }): boolean {
  return state === 'exited' || state === 'dead'
}

/** A restore point may need an image that lost its name. */
function imagesToGo({ danglingImages, manifests, unreadable }: DiskFacts): string[] {
  const needed = new Set(manifests.flatMap((it) => it.images.map((image) => image.id)))
  return unreadable > 0 ? [] : danglingImages.filter((it) => !needed.has(it))
}

/** Whether what the files of the stack name decides over anything. */
export function asksForNames(
  { stack, containers }: Pick<EmergencyFacts, 'stack' | 'containers'>,
  disk: Pick<DiskFacts, 'volumes' | 'mounted'>,
): boolean {
  return unmounted(stack.project, disk).length > 0 || containers.some((it) => hasEnded(it) && it.volumes?.length)
}

/** Volumes of this project that no container has. */
function unmounted(project: string, { volumes, mounted }: Pick<DiskFacts, 'volumes' | 'mounted'>): LabelledVolume[] {
  return volumes.filter((it) => it.project === project && it.key !== '' && !mounted.includes(it.name))
}

/**
 * With this project's label, and nobody's: no container has it, no service of the files could, in whatever profile, nor
 * one that a restore point would bring back.
 */
function volumesToGo({ stack }: EmergencyFacts, disk: DiskFacts): string[] {
  const { named, remembered } = disk
  // Further compose files of restore points lie in archives, which are not read here.
  if (named === null || (stack.composeFiles.length > 1 && disk.manifests.length + disk.unreadable > 0)) return []
  return unmounted(stack.project, disk)
    .filter(({ name, key }) => ![key, name].some((it) => named.includes(it) || remembered.includes(it)))
    .map(({ name }) => name)
    .toSorted()
}

export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)
}
