// Containers alone go back to the images that ran at a restore point: no build, no pull, and never the database.

import type { Step } from './act.js'
import { ensureStartable } from './ahead.js'
import { isJob } from './compose.js'
import { startLevels } from './start-order.js'
import { currentVersion, migrationHead, runningImages, runningLevels, scaledByHand, takeNow } from './running.js'
import type { ContainersFacts, Facts, Finding, RecordedImage } from './facts.js'
import { StepbackError } from './failure.js'
import { broughtServices, goneServices } from './gone.js'
import { isOfOneVersion } from './ledger.js'
import type { Plan } from './plan.js'
import { ensureFit, findingsWith } from './preflight.js'
import type { RollbackRequest } from './request.js'
import { common, ensureSupported } from './rollback.js'
import { restoreFiles } from './steps/files.js'
import { checkHealth, checkVersion, collectLogs } from './steps/health.js'
import { restoreImages } from './steps/images.js'
import { sideBySide } from './steps/beside.js'
import { keepImages } from './steps/restore-point.js'
import { list } from './steps/list.js'
import { removeServices, restartServices, stopForNow } from './steps/services.js'

/** The plan for some services, or, without names, for all but the database, the compose files with them. */
export function planContainers(
  request: RollbackRequest,
  observed: Facts,
  found: ContainersFacts,
  because: string,
): Omit<Plan, 'digest'> {
  ensureSupported(request)
  const facts = readable(observed, found)
  if (request.services) ensureNamed(request, request.services, facts, found)
  if (request.services) ensureFit(request.target, facts.findings, ['migrations', 'directory'])
  else ensureFit(request.target, behind(facts, found), ['migrations'])
  const services = request.services ? [...new Set(request.services)].toSorted() : allBut(facts, found)
  const images = found.images.filter((it) => services.includes(it.service))
  ensureKept(found, images)
  ensureOwn(facts, found, images)
  ensureStartable(request.target, { absentImages: found.absentImages, recreation: null })
  const already = isThere(facts, found, images)
  const whole = request.services === undefined
  const ran = runningImages(facts).map((it) => it.service)
  return {
    ...common(request, facts, { exposure: null, loss: null }),
    version: whole ? found.manifest.version : currentVersion(facts),
    ...(whole && isOfOneVersion(facts.records, found.manifest) ? {} : { answers: null }),
    ...(request.services?.some((it) => !ran.includes(it)) ? { undo: null } : {}),
    because: [because, databaseStays(facts, found)].filter((it) => it !== null).join('; '),
    restorePoint: found.manifest.id,
    already,
    steps: already ? [] : containerSteps({ facts, found, images, services, whole }),
  }
}

/** Where nobody can read the files of now, those that come know which services there are. */
export function readable(facts: Facts, { model }: Pick<ContainersFacts, 'model'>): Facts {
  return Object.keys(facts.model.services).length > 0 ? facts : { ...facts, model }
}

/** The findings of now for the files that come, which Compose has read. */
export function behind(facts: Facts, { model }: Pick<ContainersFacts, 'model'>): Finding[] {
  return findingsWith(model, facts).map((it) => (it.check === 'compose file' ? { ...it, ok: true } : it))
}

function allBut({ stack }: Facts, { model }: ContainersFacts): string[] {
  return Object.keys(model.services).filter((service) => service !== stack.databaseService)
}

function containerSteps(input: {
  readonly facts: Facts
  readonly found: ContainersFacts
  readonly images: readonly RecordedImage[]
  readonly services: readonly string[]
  readonly whole: boolean
}): Step[] {
  const { facts, found, images, services, whole } = input
  const { manifest, model } = found
  const { application, composeFiles, asksVersion, logs } = facts.stack
  const before = runningImages(facts)
  const gone = whole ? goneServices(model, facts) : []
  const stopped = whole ? [...new Set([...application, ...gone])] : services
  return [
    ...sideBySide([takeNow(facts, { database: 'none' }), keepImages({ images: before })]),
    ...sideBySide([
      stopForNow({ services: stopped, levels: runningLevels(facts, whole ? undefined : services) }),
      restoreImages({
        images: images.map(({ service, id, ref }) => ({ service, id, ref })),
        before: whole ? before : before.filter((it) => services.includes(it.service)),
      }),
    ]),
    ...(whole ? [restoreFiles({ from: manifest.id, secrets: 'restore', only: composeFiles })] : []),
    restartServices({
      levels: startLevels({ model, services, scaled: scaledByHand(facts) }),
      application: whole ? application : services,
      brought: whole ? broughtServices(model, facts) : [],
      commit: true,
    }),
    checkHealth(),
    ...(whole && asksVersion && isOfOneVersion(facts.records, manifest)
      ? [checkVersion({ version: manifest.version })]
      : []),
    ...(logs ? [collectLogs()] : []),
    ...removeServices(gone),
  ]
}

function isThere(facts: Facts, found: ContainersFacts, images: readonly RecordedImage[]): boolean {
  const runs = ({ service, id }: RecordedImage) => {
    const own = facts.containers.filter((it) => it.service === service)
    return own.length > 0 && own.every((it) => it.imageId === id && (it.running || isJob(found.model, service)))
  }
  return found.changedFiles.length === 0 && images.every((it) => it.present === it.id && runs(it))
}

function databaseStays(facts: Facts, { manifest }: ContainersFacts): string | null {
  const [now, then] = [migrationHead(facts), manifest.migrationHead ?? null]
  return now === then ? null : `the database stays at ${now ?? 'no migration'}, and was at ${then ?? 'none'} then`
}

/** What a service is cannot be told without the files that describe it; the database is another scope's. */
function ensureNamed(request: RollbackRequest, names: readonly string[], facts: Facts, found: ContainersFacts): void {
  const { manifest } = found
  const whole = `stepback rollback ${request.target} --scope containers --to ${manifest.id}`
  const unreadable = facts.findings.some((it) => it.check === 'compose file' && !it.ok)
  const unknown = unreadable ? [] : names.filter((it) => facts.model.services[it] === undefined)
  if (names.includes(facts.stack.databaseService ?? '')) {
    throw refused(
      `service "${facts.stack.databaseService}" is the database, which a rollback of containers never touches`,
      `stepback rollback ${request.target} --scope database brings its data back.`,
    )
  }
  if (unknown.length > 0) {
    const then = unknown.every((it) => manifest.images.some((image) => image.service === it))
    throw refused(
      `the compose file of now has no service ${quoted(unknown)}; it has ${Object.keys(facts.model.services).toSorted().join(', ')}`,
      then ? `\`${whole}\` brings the compose file back, too.` : 'mend --services.',
    )
  }
  const unrecorded = names.filter((it) => !manifest.images.some((image) => image.service === it))
  if (unrecorded.length === 0) return
  throw refused(
    `restore point "${manifest.id}" has no image of ${quoted(unrecorded)}; it has ${list(manifest.images.map((it) => it.service))}`,
    'choose another restore point with --to.',
  )
}

function ensureKept({ manifest }: ContainersFacts, images: readonly RecordedImage[]): void {
  const gone = images.filter((it) => !it.kept)
  if (gone.length === 0) return
  throw refused(
    `images of restore point "${manifest.id}" are gone from the host: ${gone.map((it) => `${it.service} ${it.id}`).join(', ')}`,
    'choose another restore point with --to; nothing was changed.',
  )
}

/** A reference that is given another image means it for every service that has it; one by digest is never given another. */
function ensureOwn({ containers }: Facts, { model }: ContainersFacts, images: readonly RecordedImage[]): void {
  const moved = images.filter((it) => it.present !== it.id)
  const fixed = moved.filter(({ ref }) => /@sha256:|^sha256:/.test(ref))
  if (fixed.length > 0) {
    throw refused(
      `the compose file names the image of ${quoted(fixed.map((it) => it.service))} by its digest, which no other image can have`,
      'leave --services out, so that the compose file goes back, too.',
    )
  }
  for (const { service, id, ref } of moved) {
    const running = [...new Set(containers.map((it) => it.service))]
    const sharing = running.filter((it) => it !== service && model.services[it]?.image === ref)
    const other = sharing.filter((it) => images.find((image) => image.service === it)?.id !== id)
    if (other.length === 0) continue
    throw refused(
      `service "${service}" has its image reference "${ref}" in common with ${quoted(other)}, which would get its image, too`,
      'name them all in --services, or go back to a restore point at which they ran the same image.',
    )
  }
}

function quoted(names: readonly string[]): string {
  return names.map((it) => `"${it}"`).join(', ')
}

function refused(message: string, hint: string): StepbackError {
  return new StepbackError({ type: 'Refused', message, hint })
}
