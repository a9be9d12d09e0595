import type { ServiceLevel } from '../plan/act.js'
import { command } from './shell.js'

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

/** One `up` for each level; a level that a later one needs healthy is waited for. */
export function up(stack: ComposeStack, levels: readonly ServiceLevel[]): string[] {
  return levels.map((level) =>
    compose(
      stack,
      'up',
      '--detach',
      '--no-deps',
      '--no-build',
      '--pull',
      'never',
      ...(level.wait ? ['--wait'] : []),
      ...level.services,
    ),
  )
}

/** `graceSeconds` is how long a container may take before it is killed. */
export function stop(stack: ComposeStack, services: readonly string[], graceSeconds: number): string {
  return compose(stack, 'stop', '--timeout', String(graceSeconds), ...services)
}

export function build(stack: ComposeStack, services: readonly string[]): string {
  return compose(stack, 'build', ...services)
}

/** Ids of this project's containers, running or not, that Compose made for `up` (no one-off runs). */
export function containerIds(project: string): string {
  return command(
    'docker',
    'ps',
    '--all',
    '--quiet',
    '--no-trunc',
    '--filter',
    `label=com.docker.compose.project=${project}`,
    '--filter',
    'label=com.docker.compose.oneoff=False',
  )
}
