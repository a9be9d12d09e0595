// Looks: scripts that read and change nothing.

import { type ComposeStack, compose } from './compose.js'
import { command, quote } from './shell.js'

/** `V <version>` or nothing, the reason on standard error. */
export const dockerVersion = `${command('docker', 'version', '--format', '{{.Server.Version}}')}\n`
export const composeVersion = `${command('docker', 'compose', 'version', '--short')}\n`

const asJson = ['config', '--format', 'json']

/** One JSON list a line, since a label may hold anything: name, project, directory, compose files, environment file. */
export const labelledContainers = rows(
  ['docker', 'ps', '--all'],
  ['.Names', 'project', 'project.working_dir', 'project.config_files', 'project.environment_file'],
)
/** The same of volumes: name, project, key. */
export const labelledVolumes = rows(['docker', 'volume', 'ls'], ['.Name', 'project', 'volume'])

function rows(list: readonly string[], fields: readonly string[]): string {
  const values = fields.map((field) => (field.startsWith('.') ? field : `(.Label "com.docker.compose.${field}")`))
  const format = `[${values.map((value) => `{{json ${value}}}`).join(',')}]`
  return `${command(...list, '--filter', 'label=com.docker.compose.project', '--format', format)}\n`
}

/** The stack as Compose reads it, as JSON; it holds secrets, so it is read and dropped, never kept. */
export function composeConfig(stack: ComposeStack): string {
  return `${compose(stack, ...asJson)}\n`
}

/**
 * The same with some of its files replaced by what a release brings: they lie in a directory of their own for as long
 * as the look takes.
 */
export function composeConfigWith(input: {
  readonly stack: ComposeStack
  readonly stateDirectory: string
  /** `print` is a command whose output is the file's content. */
  readonly replaced: readonly { readonly path: string; readonly print: string }[]
  readonly words?: readonly string[]
}): string {
  const names = new Map(input.replaced.map((file, index) => [file.path, `"$d"/${index}`]))
  const inside = (path: string) => names.get(path) ?? quote(`${input.stack.directory}/${path}`)
  const { project, directory, files, envFile, profiles } = input.stack
  return [
    'umask 077',
    `mkdir -p ${quote(`${input.stateDirectory}/staging`)}`,
    `d=$(mktemp -d ${quote(`${input.stateDirectory}/staging/look.XXXXXX`)}) || exit 1`,
    `trap 'rm -rf "$d"' EXIT`,
    ...input.replaced.map((file, index) => `${file.print} >"$d"/${index} || exit 1`),
    [
      command('docker', 'compose', '--project-name', project, '--project-directory', directory),
      ...files.map((file) => `--file ${inside(file)}`),
      `--env-file ${inside(envFile)}`,
      ...profiles.map((profile) => `--profile ${quote(profile)}`),
      command(...(input.words ?? asJson)),
    ].join(' '),
    '',
  ].join('\n')
}

/** Prints the major version of the PostgreSQL in an image; nothing where that cannot be told. It never starts a server. */
export function imageMajor(image: string): string {
  const told = command('docker', 'image', 'inspect', '--format', '{{range .Config.Env}}{{println .}}{{end}}', image)
  const run = command('docker', 'run', '--rm', '--pull', 'never', '--network', 'none', '--entrypoint', 'postgres')
  const asked = `${run} ${command(image, '--version')}`
  return [
    `major=$(${told} | sed -n 's/^PG_MAJOR=\\([0-9]*\\).*/\\1/p')`,
    `[ -n "$major" ] || major=$(${asked} 2>/dev/null </dev/null | sed -n 's/^[^0-9]*\\([0-9]*\\).*/\\1/p')`,
    'echo "$major"',
    '',
  ].join('\n')
}

/** The major version that the data of a running container belong to. */
export function dataMajor(container: string): string {
  const inner = 'cat "${PGDATA:-/var/lib/postgresql/data}/PG_VERSION"'
  return `${command('docker', 'exec', container, 'sh', '-c', inner)} </dev/null || true\n`
}

/** Free bytes where a path, or the nearest parent of it that exists, lies. */
export function freeBytes(path: string): string {
  return [
    `p=${quote(path)}`,
    'while [ ! -e "$p" ]; do p=$(dirname "$p"); done',
    `df -Pk "$p" | awk 'NR == 2 { printf "%.0f\\n", $4 * 1024 }'`,
    '',
  ].join('\n')
}

/** Free bytes where Docker keeps images and containers, and inside a database's container where its data lies. */
export function dockerFreeBytes(): string {
  return `p=$(docker info --format '{{.DockerRootDir}}') && df -Pk "$p" 2>/dev/null | awk 'NR == 2 { printf "%.0f\\n", $4 * 1024 }'\n`
}

export function databaseFreeBytes(stack: ComposeStack, service: string): string {
  const inner = 'df -Pk "${PGDATA:-/var/lib/postgresql}"'
  return `${compose(stack, 'exec', '-T', service, 'sh', '-c', inner)} </dev/null | awk 'NR == 2 { printf "%.0f\\n", $4 * 1024 }'\n`
}

/** A line for each reference: the id of its image, or `-` where there is none. */
export function imageIds(references: readonly string[]): string {
  const inspect = "docker image inspect --format '{{.Id}}'"
  const one = (reference: string) => `id=$(${inspect} ${quote(reference)} 2>/dev/null) && echo "$id" || echo -`
  // All at once where all are there, since each start of the client costs more than its answer.
  const all = `ids=$(${inspect} ${command(...references)} 2>/dev/null) && echo "$ids"`
  return `${all} || {\n${references.map(one).join('\n')}\n}\n`
}

/** An environment file, live or saved; it holds secrets, so it is read and dropped. */
export function readEnvFile(directory: string, envFile: string): string {
  return `cat ${quote(`${directory}/${envFile}`)}\n`
}
