// A Compose project from outside, for whoever drafts a configuration of it.

import { tryPlain } from '../../adapters/host/plain.js'
import type { SshConnection } from '../../adapters/ssh.js'
import { composeConfig, inspectedContainers, readEnvFile } from '../../commands/observe.js'
import { homeAndDirectory, pathKinds } from '../../commands/project.js'
import { draftServices } from '../../config/draft/application.js'
import { healthPaths, versionPaths } from '../../config/draft/checks.js'
import type { Found, FoundService, FoundSsh, HttpAnswer, Mount } from '../../config/draft/found.js'
import { parseEnvFile } from '../../config/env-file.js'
import { type ComposeModel, isJob, parseComposeModel, parseComposeProfiles } from '../../plan/compose.js'
import { published } from '../../plan/endpoint.js'
import { StepbackError } from '../../plan/failure.js'
import type { Deps } from '../deps.js'
import { type InspectedContainer, onHost, parseInspect, serviceOf } from './containers.js'
import { composeProblem } from './facts.js'
import type { ProjectFiles } from './projects.js'

interface Asked {
  readonly deps: Pick<Deps, 'http'>
  readonly ssh: SshConnection
  readonly files: ProjectFiles
  readonly target: string
  readonly given: FoundSsh
}

/** Secrets that it reads are in memory only. `Refused` where Compose cannot read the files. */
export async function observeProject(asked: Asked): Promise<Found> {
  const { ssh, files, target, given } = asked
  const [env, place, stdout] = await Promise.all([
    tryPlain(ssh, readEnvFile(files.directory, files.envFile)),
    tryPlain(ssh, homeAndDirectory(files.directory)),
    tryPlain(ssh, inspectedContainers(files.project)).then((it) => it.stdout),
  ])
  const containers = parseInspect(stdout)
  const environment = env.exitCode === 0 ? parseEnvFile(env.stdout) : null
  const { model, profiles } = await readModel(ssh, files, environment !== null, containers.map(serviceOf))
  const [home = '', writable] = place.stdout.split('\n')
  const found: Found = {
    target,
    ssh: given,
    ...files,
    environment,
    profiles,
    services: await Promise.all(servicesOf(containers).map((it) => foundService(asked, model, it))),
    writable: writable === 'writable',
    home,
  }
  return await withAnswers(asked, found, containers)
}

/** The stack with all its profiles; those of them that run. */
async function readModel(ssh: SshConnection, files: ProjectFiles, hasEnvFile: boolean, running: readonly string[]) {
  const { composeFiles, envFile, ...rest } = files
  const stack = { ...rest, files: composeFiles, envFile: hasEnvFile ? envFile : '/dev/null', profiles: ['*'] }
  const config = await tryPlain(ssh, composeConfig(stack))
  if (config.exitCode === 0) {
    const profiles = parseComposeProfiles(config.stdout)
    const used = running.flatMap((service) => profiles.get(service)?.slice(0, 1) ?? [])
    return {
      model: parseComposeModel({ json: config.stdout, project: files.project }),
      profiles: [...new Set(used)].toSorted(),
    }
  }
  throw new StepbackError({
    type: 'Refused',
    message: `docker compose cannot read ${composeFiles.join(', ')} in "${files.directory}": ${composeProblem(config)}`,
    hint: 'mend the files, or start the project again with the environment file that it needs (--env-file).',
  })
}

/** One container of each service; a running one, where there is one. */
function servicesOf(containers: readonly InspectedContainer[]): InspectedContainer[] {
  const first = new Map<string, InspectedContainer>()
  for (const container of containers) {
    if (!first.get(serviceOf(container))?.State.Running) first.set(serviceOf(container), container)
  }
  return [...first.values()].toSorted((a, b) => (serviceOf(a) < serviceOf(b) ? -1 : 1))
}

async function foundService(
  { ssh, files }: Asked,
  model: ComposeModel,
  container: InspectedContainer,
): Promise<FoundService> {
  const name = serviceOf(container)
  const { Env, Healthcheck } = container.Config
  const pairs = (Env ?? []).map((it) => [it.slice(0, it.indexOf('=')), it.slice(it.indexOf('=') + 1)] as const)
  return {
    name,
    builds: model.services[name]?.builds ?? false,
    job: isJob(model, name),
    dependsOn: model.services[name]?.dependsOn ?? [],
    environment: new Map(pairs),
    mounts: await mountsOf(ssh, files.directory, container),
    healthcheck: wordsOf(Healthcheck?.Test ?? []),
    answers: [],
  }
}

async function mountsOf(ssh: SshConnection, directory: string, { Mounts }: InspectedContainer): Promise<Mount[]> {
  const sources = (Mounts ?? []).map((it) => ({ ...it, Source: onHost(it) }))
  const inside = sources.filter((it) => it.Type === 'bind' && it.Source.startsWith(`${directory}/`))
  if (inside.length === 0) return []
  const { stdout } = await tryPlain(ssh, pathKinds(inside.map((it) => it.Source)))
  const kinds = stdout.split('\n')
  return inside.flatMap(({ Source, Destination, RW }, index) => {
    const kind = kinds[index]
    if (kind !== 'file' && kind !== 'directory') return []
    const secret = Destination.startsWith('/run/secrets/')
    return [{ path: Source.slice(directory.length + 1), kind, writable: RW, secret }]
  })
}

/** As `docker exec` would say what Docker itself asks. */
function wordsOf([how, ...words]: readonly string[]): readonly string[] | null {
  if (how === 'CMD' && words.length > 0) return words
  return how === 'CMD-SHELL' ? ['sh', '-c', words.join(' ')] : null
}

/** What stops for a rollback is asked how it is, as the host itself would ask. */
async function withAnswers(asked: Asked, found: Found, containers: readonly InspectedContainer[]): Promise<Found> {
  const { application } = draftServices(found)
  const services = await Promise.all(
    found.services.map(async (service) => {
      const own = containers.filter((it) => it.State.Running && serviceOf(it) === service.name)
      const asks = application.includes(service.name) ? own.slice(0, 1) : []
      return { ...service, answers: (await Promise.all(asks.map((it) => answersOf(asked, it)))).flat() }
    }),
  )
  return { ...found, services }
}

async function answersOf({ deps, ssh }: Asked, container: InspectedContainer): Promise<HttpAnswer[]> {
  const addresses = published(container).map(({ host, port }) => `http://${host}:${port}`)
  const urls = addresses.flatMap((address) => [...new Set([...healthPaths, ...versionPaths])].map((it) => address + it))
  const bodies = await Promise.all(urls.map((url) => deps.http.text(ssh, url)))
  return urls.flatMap((url, index) => (bodies[index] === null ? [] : [{ url, body: bodies[index]! }]))
}
