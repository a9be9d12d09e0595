// Looks: scripts that read and change nothing.

import { type ComposeStack, compose, containerIds, containerStates } from './compose.js'
import { command, quote } from './shell.js'

const dockerInfo = [
  '{{.ServerVersion}}',
  '{{range .ClientInfo.Plugins}}{{if eq .Name "compose"}}{{.Version}}{{end}}{{end}}',
  '{{.DockerRootDir}}',
].join('\n')

/**
 * Four lines, empty where nobody can tell: the version of the engine, that of the Compose plugin, where the engine
 * keeps images and containers, and the free bytes there. One call, since a start of the client costs more than its
 * answer.
 */
export const dockerFacts = [
  `info=$(${command('docker', 'info', '--format', dockerInfo)})`,
  'status=$?',
  `printf '%s\\n' "$info"`,
  freeOf(`df -Pk "$(printf '%s\\n' "$info" | sed -n 3p)" 2>/dev/null`),
  'exit $status',
  '',
].join('\n')

const asJson = ['config', '--format', 'json']

/** All that Docker knows of a project's containers, as one JSON list; nothing where there are none. */
export function inspectedContainers(project: string): string {
  return `${containerIds(project)} | xargs docker inspect --type container 2>/dev/null || true\n`
}

/**
 * Every container of the host as above, an empty line, and all that Docker knows of this project's own. At once, since each
 * start of the client costs more than its answer.
 */
export function containersAround(project: string): string {
  // A label cannot hold these quotes: in JSON they would be escaped.
  const own = command('sed', '-n', `s/^\\["\\([^"]*\\)",.*,"${project}","False",.*/\\1/p`)
  return [
    `all=$(${everyContainer.trimEnd()}) || exit 1`,
    `printf '%s\\n\\n' "$all"`,
    `ids=$(printf '%s\\n' "$all" | ${own})`,
    '[ -z "$ids" ] || docker inspect --type container $ids 2>/dev/null || true',
    '',
  ].join('\n')
}

/** The same of one container; nothing where it is gone. */
export function inspectedContainer(id: string): string {
  return `${command('docker', 'inspect', '--type', 'container', id)} 2>/dev/null || true\n`
}

/**
 * What changes where anything of a stack is changed: which containers there are and whether they run, in `statesOf`'s
 * words, and its files.
 */
export function atAGlance({ project, ...files }: { readonly project: string } & GlancedFiles): string {
  return `${containerStates(project)} || exit 1\n${filesAtAGlance(files)}`
}

/** A line for each container, as `docker ps` has them. */
export function statesOf(containers: readonly { readonly id: string; readonly state: string }[]): string {
  return containers.map(({ id, state }) => `${id} ${state}\n`).join('')
}

interface GlancedFiles {
  readonly directory: string
  readonly paths: readonly string[]
  readonly backups: string
}

/**
 * Names, modes, times and checksums of a stack's files, and the names and times of what lies among the backups. To compare,
 * not to read.
 */
export function filesAtAGlance({ directory, paths, backups }: GlancedFiles): string {
  const find = command('find', ...paths.map((path) => `./${path}`))
  return [
    `cd ${quote(directory)} || exit 1`,
    `${find} -exec ls -ldn {} + 2>&1`,
    `${find} -type f -exec cksum {} + 2>&1`,
    `ls -ln ${quote(backups)} 2>&1 || :`,
    '',
  ].join('\n')
}

/**
 * One JSON list a line for every container of the host, whoever made it, since a label may hold anything: id, state, what
 * it mounts, name, and by Compose's labels project, whether it is of a `run`, directory, compose files, environment file.
 */
export const everyContainer = rows(
  ['docker', 'ps', '--all', '--no-trunc'],
  [
    '.ID',
    '.State',
    '.Mounts',
    '.Names',
    'project',
    'oneoff',
    'project.working_dir',
    'project.config_files',
    'project.environment_file',
  ],
)
/** The same of volumes that Compose made: name, project, key. */
export const labelledVolumes = rows(
  ['docker', 'volume', 'ls', '--filter', 'label=com.docker.compose.project'],
  ['.Name', 'project', 'volume'],
)

/** Where Docker keeps its data; nothing where it does not answer. */
export const dockerRoot = `${command('docker', 'info', '--format', '{{.DockerRootDir}}')} || :\n`

/** Ids of images without a name. */
export const danglingImages = `${command('docker', 'images', '--quiet', '--no-trunc', '--filter', 'dangling=true')} | sort -u\n`

/** Every word of the compose files that restore points hold: what stands there may come back. */
export function rememberedWords(backups: string): string {
  const words = `LC_ALL=C tr -cs 'A-Za-z0-9_.-' '\\n' | sort -u`
  return `cd ${quote(backups)} 2>/dev/null && cat docker-compose_*.yml 2>/dev/null | ${words} || :\n`
}

/** A line for each file: `whole` where it has so many bytes. Nothing of it is read. */
export function sizedFiles(
  directory: string,
  files: readonly { readonly name: string; readonly bytes: number }[],
): string {
  const one = ({ name, bytes }: (typeof files)[number]) =>
    `[ -n "$(find ${quote(`${directory}/${name}`)} -type f -size ${bytes}c 2>/dev/null)" ] && echo whole || echo no\n`
  return `:\n${files.map(one).join('')}`
}

/** The entries of a ledger as they are, in no order. */
export function ledgerEntries(stateDirectory: string): string {
  return `find ${quote(`${stateDirectory}/ledger`)} -name '[0-9]*.json' -exec cat {} + 2>/dev/null || :\n`
}

function rows(list: readonly string[], fields: readonly string[]): string {
  const values = fields.map((field) => (field.startsWith('.') ? field : `(.Label "com.docker.compose.${field}")`))
  const format = `[${values.map((value) => `{{json ${value}}}`).join(',')}]`
  return `${command(...list, '--format', format)}\n`
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
  const { words = asJson } = input
  const own = files.map(inside)
  const ask: Ask = (from, asked) =>
    [
      command('docker', 'compose', '--project-name', project, '--project-directory', directory),
      ...from.map((file) => `--file ${file}`),
      `--env-file ${inside(envFile)}`,
      ...profiles.map((profile) => `--profile ${quote(profile)}`),
      command(...asked),
    ].join(' ')
  return [
    'umask 077',
    // Before the first run there is no state directory, and a look makes none.
    `d=$(mktemp -d ${quote(`${input.stateDirectory}/staging/look.XXXXXX`)} 2>/dev/null) || d=$(mktemp -d) || exit 1`,
    `trap 'rm -rf "$d"' EXIT`,
    ...input.replaced.map((file, index) => `${file.print} >"$d"/${index} || exit 1`),
    ...(words.includes('--hash') ? hashLines(ask, own, words) : [ask(own, words)]),
    '',
  ].join('\n')
}

type Ask = (files: readonly string[], words: readonly string[]) => string

/**
 * An `up` hashes what `env_file` brings with the rest, and some versions of `config --hash` do not: these are asked about
 * the stack as it is once that is read.
 */
function hashLines(ask: Ask, files: readonly string[], words: readonly string[]): string[] {
  const whole = '"$d"/whole.json'
  // A service that an inactive profile leaves out may still be named by others, which is no reason to know no hash.
  const read = `${ask(files, asJson)} >${whole} && ${ask([whole], [words[0]!, '--no-consistency', ...words.slice(1)])}`
  return [`{ grep -qs env_file ${files.join(' ')} && ${read}; } || ${ask(files, words)}`]
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
  return `${nearest(path)}\n${freeOf('df -Pk "$p"')}\n`
}

/** What it printed; NaN where nobody could tell. */
export function parseBytes(printed = ''): number {
  return Number(printed.trim() || Number.NaN)
}

/** A line with the name of each directory that may be written to, or made where it is not there yet. */
export function writablePlaces(places: {
  readonly directory: string
  readonly backups: string
  readonly stateDirectory: string
}): string {
  const { directory, backups, stateDirectory } = places
  const may = '[ -d "$p" ] && [ -w "$p" ]'
  return [
    `p=${quote(directory)}`,
    `if ${may}; then echo directory; fi`,
    nearest(backups),
    `if ${may}; then`,
    nearest(stateDirectory),
    `if ${may}; then echo backups; fi`,
    'fi',
    '',
  ].join('\n')
}

function nearest(path: string): string {
  return `p=${quote(path)}; while [ ! -e "$p" ]; do p=$(dirname "$p"); done`
}

/**
 * Free bytes where a database's data lies: on the host at `place`, where it may look there, else inside the container, which
 * costs more than all else that a plan asks.
 */
export function databaseFreeBytes(container: string, place?: string): string {
  const inner = 'df -Pk "${PGDATA:-/var/lib/postgresql}"'
  const inside = `${command('docker', 'exec', container, 'sh', '-c', inner)} </dev/null`
  const outside = place === undefined ? [] : [`${command('df', '-Pk', place)} 2>/dev/null`]
  return `${freeOf(`{ ${[...outside, inside].join(' || ')}; }`)}\n`
}

function freeOf(df: string): string {
  return `${df} | awk 'NR == 2 { printf "%.0f\\n", $4 * 1024 }'`
}

/** The seconds of the host's clock. */
export const hostClock = 'date -u +%s\n'

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
