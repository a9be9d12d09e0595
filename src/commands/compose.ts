import type { ServiceLevel } from '../plan/act.js'
import { command, quote } from './shell.js'

/** What names a stack: every call passes all of it, since a wrong project name starts a second stack. */
export interface ComposeStack {
  readonly project: string
  readonly directory: string
  readonly files: readonly string[]
  readonly envFile: string
  readonly profiles: readonly string[]
}

/** `docker compose` with the whole identity of the stack; `files` and `envFile` may be given as absolute paths. */
export function compose(stack: ComposeStack, ...words: readonly string[]): string {
  return command(...composeArgv(stack, ...words))
}

/** The same as an argument list. */
export function composeArgv(stack: ComposeStack, ...words: readonly string[]): string[] {
  const inside = (path: string) => (path.startsWith('/') ? path : `${stack.directory}/${path}`)
  return [
    'docker',
    'compose',
    '--project-name',
    stack.project,
    '--project-directory',
    stack.directory,
    ...stack.files.flatMap((file) => ['--file', inside(file)]),
    '--env-file',
    inside(stack.envFile),
    ...stack.profiles.flatMap((profile) => ['--profile', profile]),
    ...words,
  ]
}

/** One `up` for each level, and one before it for what it needs healthy; jobs are waited for until they have ended. */
export function up(stack: ComposeStack, levels: readonly ServiceLevel[]): string[] {
  const scales = Object.assign({}, ...levels.map((level) => level.scale ?? {})) as Readonly<Record<string, number>>
  const start = (services: readonly string[], wait: boolean) => {
    const scale = Object.entries(scales).filter(([service]) => services.includes(service))
    const words = [
      ...(wait ? ['--wait'] : []),
      ...scale.flatMap(([service, count]) => ['--scale', `${service}=${count}`]),
    ]
    return compose(stack, 'up', '--detach', '--no-deps', '--no-build', '--pull', 'never', ...words, ...services)
  }
  return levels.flatMap(({ services, wait, awaits = [], completes, restarts = [] }) => [
    ...(awaits.length > 0 ? [start(awaits, true)] : []),
    start(services, wait),
    ...(completes ? services.map((service) => complete(stack, service)) : []),
    ...restarts.map((it) => restartStale(stack, it)),
  ])
}

/**
 * All of them at once, also one that Docker is about to start again; `graceSeconds` is how long they may take before
 * they are killed. By label, not by `compose stop`: that one does nothing at all where one of the names is not in the
 * files of now.
 */
export function stop(project: string, services: readonly string[], graceSeconds: number): string[] {
  return withContainers(project, services, `docker stop --time ${graceSeconds} $ids`)
}

/** A line for each container that runs: its service. */
export function runningServices(project: string): string {
  return command('docker', 'ps', '--format', '{{.Label "com.docker.compose.service"}}', ...filters(project))
}

/** Without their volumes: what nobody named stays. Containers that run are left alone, and make it fail. */
export function remove(project: string, services: readonly string[]): string[] {
  return withContainers(project, services, 'docker rm $ids')
}

function withContainers(project: string, services: readonly string[], action: string): string[] {
  return services.length === 0 ? [] : [`ids=$(${containersOf(project, services)})`, `[ -z "$ids" ] || ${action}`]
}

/** The last lines of each container, as Docker kept them; of one whose log cannot be read there are none. */
export function lastLines(project: string, services: readonly string[], lines: number): string {
  return `for id in $(${containersOf(project, services)}); do docker logs --tail ${lines} "$id" 2>&1 || :; done`
}

/** Its exit status is that of pg_isready, or 4 where no container runs. */
export function askServer(project: string, service: string): string {
  const id = `id=$(${serviceContainers(project, service, 'running')} | head -n 1)`
  return `${id}\n[ -n "$id" ] || exit 4\ndocker exec "$id" pg_isready -q -t 5 </dev/null\n`
}

/** Asks pg_isready by the stack's own way to the container, which one that is made anew answers as well. */
export function isAccepting(stack: ComposeStack, service: string): string {
  return compose(stack, 'exec', '-T', service, 'pg_isready', '-q')
}

/**
 * Runs a command in the first container of a service, quietly; its exit status is the command's. Not by `compose exec`,
 * which reads the whole stack to find the container, and is asked again with every poll.
 */
export function insideService(project: string, service: string, words: readonly string[]): string {
  const id = `id=$(${firstContainer(project, service)})`
  return `{ ${id}; [ -n "$id" ] && docker exec "$id" ${command(...words)} >/dev/null 2>&1 </dev/null; }`
}

/** The same in a container whose id is known; exit 125 where Docker says of it, by its id, that nothing can run in it. */
export function insideContainer(id: string, words: readonly string[]): string {
  const said = `said=$(${command('docker', 'exec', id, ...words)} 2>&1 >/dev/null </dev/null)`
  return [said, 'status=$?', `case $said in *${quote(id)}*) exit 125 ;; esac`, 'exit "$status"', ''].join('\n')
}

/** The id of a service's first container that runs; nothing where none does. */
export function firstContainer(project: string, service: string): string {
  return `${serviceContainers(project, service, 'running')} | tail -n 1`
}

/** A job that ended badly is an error here, rather than in whoever needs what it should have made. */
function complete(stack: ComposeStack, service: string): string {
  const failed = `{ echo ${quote(`stepback: service ${service} should have ended well, and ended with exit status`)} "$code" >&2; exit 1; }`
  return [
    `for id in $(${serviceContainers(stack.project, service)}); do code=$(docker wait "$id")`,
    `[ "$code" = 0 ] || ${failed}`,
    'done',
  ].join('; ')
}

/** Told by when they started, so that a second try knows what the first one still owed. */
function restartStale(
  stack: ComposeStack,
  it: { readonly service: string; readonly after: readonly string[] },
): string {
  const started = (services: readonly string[]) =>
    `for id in $(${services.map((service) => serviceContainers(stack.project, service, 'running')).join('; ')}); do docker inspect --format '{{.State.StartedAt}}' "$id"; done`
  return [
    `own=$(${started([it.service])} | LC_ALL=C sort | head -n 1)`,
    `needed=$(${started(it.after)} | LC_ALL=C sort | tail -n 1)`,
    `if [ -n "$own" ] && LC_ALL=C expr "x$own" '<' "x$needed" >/dev/null; then ${compose(stack, 'restart', '--no-deps', it.service)}; fi`,
  ].join('; ')
}

/** Ids of one service's containers, running or not, that Compose made for `up`. */
export function serviceContainers(project: string, service: string, status?: 'running'): string {
  const more = [`label=com.docker.compose.service=${service}`, ...(status ? [`status=${status}`] : [])]
  return command('docker', 'ps', '--all', '--quiet', '--no-trunc', ...filters(project, more))
}

/** The same of several services, in their order: Docker is asked once, since each start of its client takes its time. */
function containersOf(project: string, services: readonly string[]): string {
  const format = '{{.ID}} {{.Label "com.docker.compose.service"}}'
  const all = command('docker', 'ps', '--all', '--no-trunc', ...filters(project), '--format', format)
  const own = `printf '%s\\n' "$all" | while read -r id of; do [ "$of" != "$service" ] || echo "$id"; done`
  return `all=$(${all}) || exit 1; for service in ${command(...services)}; do ${own}; done`
}

export function build(stack: ComposeStack, services: readonly string[]): string {
  return compose(stack, 'build', ...services)
}

/** Ids of this project's containers, running or not, that Compose made for `up` (no one-off runs). */
export function containerIds(project: string): string {
  return listed(project, '--quiet')
}

/** A line for each: its id, and whether it runs. */
export function containerStates(project: string): string {
  return listed(project, '--format', '{{.ID}} {{.State}}')
}

function listed(project: string, ...how: readonly string[]): string {
  return command('docker', 'ps', '--all', ...how, '--no-trunc', ...filters(project))
}

/** What `docker ps` is asked for: this project's own containers, and of them what is so besides. */
function filters(project: string, more: readonly string[] = []): string[] {
  const labels = [`label=com.docker.compose.project=${project}`, 'label=com.docker.compose.oneoff=False']
  return [...labels, ...more].flatMap((it) => ['--filter', it])
}
