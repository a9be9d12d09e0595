// Scripts that record, put and put back files.

import { fileFacts } from './file-facts.js'
import { clearsAway } from './full-disk.js'
import { asItIs, fits, places } from './places.js'
import { command, quote } from './shell.js'

/** Copies a restore point's files beside each other, each complete before it has its name. */
export function captureFiles(input: {
  readonly directory: string
  readonly backups: string
  readonly id: string
  readonly composeFile: string
  readonly envFile: string
  readonly paths: readonly string[]
  /** Managed directories, archived with all that is below them. */
  readonly trees: readonly string[]
  /** Lines that add what only the host knows to the words of the archive. */
  readonly more?: string
}): string {
  const { backups, id } = input
  const parts = [`docker-compose_${id}.yml`, `env_${id}`, `config_${id}.tar.gz`]
  return [
    'set -eu',
    'umask 077',
    `mkdir -p ${quote(backups)}`,
    `cd ${quote(input.directory)}`,
    `archive=${quote(`${backups}/config_${id}.tar.gz`)}`,
    ...clearsAway(
      `df -Pk ${quote(backups)}`,
      `rm -f ${parts.map((name) => quote(`${backups}/${name}.part`)).join(' ')}`,
    ),
    copyWhole(input.composeFile, `${backups}/docker-compose_${id}.yml`),
    `if [ -e ${quote(`./${input.envFile}`)} ]; then ${copyWhole(input.envFile, `${backups}/env_${id}`)}; fi`,
    'set --',
    ...input.paths.map((path) => addIfThere(path, '-f')),
    ...input.trees.map((path) => addIfThere(path, '-d')),
    ...(input.more === undefined ? [] : [input.more]),
    // An archive of nothing is refused by some tars, and nothing is what it would say.
    asItIs,
    'if [ $# -gt 0 ]; then tar $asis -czf "$archive.part" -- "$@"; mv -f "$archive.part" "$archive"; fi',
    '',
  ].join('\n')
}

export interface PlacedFile {
  readonly path: string
  readonly kind: 'file' | 'link' | 'directory'
  readonly sha256: string
  readonly mode: string
  readonly target?: string
}

/** A look whether a release fits into the project directory: it exits with 1, and says why, where it does not. */
export function fitFiles(input: {
  readonly directory: string
  readonly files: readonly Pick<PlacedFile, 'path' | 'kind'>[]
  /** Where its links lead. */
  readonly ends: readonly string[]
}): string {
  return [fits, `cd ${quote(input.directory)} || exit 1`, ...fitting(input.files, input.ends), ''].join('\n')
}

function fitting(files: readonly Pick<PlacedFile, 'path' | 'kind'>[], ends: readonly string[]): string[] {
  return [...files.map((file) => command('fits', file.kind, file.path)), ...ends.map((end) => command('leads', end))]
}

/** Moves uploaded files into place, each by rename, once all of them are whole. A link on the way is followed nowhere. */
export function placeFiles(input: {
  readonly directory: string
  readonly staging: string
  readonly files: readonly PlacedFile[]
  readonly ends: readonly string[]
}): string {
  const { files, staging } = input
  return [
    'set -eu',
    fileFacts,
    `cd ${quote(input.directory)}`,
    // What was staged is of no use to another try, and may be what fills the disk.
    ...clearsAway('df -Pk .', command('rm', '-rf', staging)),
    places,
    'check() {',
    '  [ -e "$3/$1" ] || { [ -f "./$1" ] && [ "$(sha256 "./$1")" = "$2" ] && return 0; fail "staged file is missing" "$1"; }',
    '  [ "$(sha256 "$3/$1")" = "$2" ] || fail "staged file has another checksum" "$1"',
    '}',
    openUmask,
    'place() { [ ! -e "$2/$1" ] || put_file "$1" "$2/$1" "$3"; }',
    ...fitting(files, input.ends),
    ...files.filter(isFile).map((file) => command('check', file.path, file.sha256, staging)),
    ...files.map((file) => (isFile(file) ? command('place', file.path, staging, file.mode) : putWithout(file))),
    '',
  ].join('\n')
}

/** Jobs are private; directories that are made on the way are for whoever may enter the project, its containers too. */
const openUmask = 'umask 022'

function isFile(file: { readonly kind: PlacedFile['kind'] }): boolean {
  return file.kind === 'file'
}

/** A link and a directory come from no other file. */
function putWithout(file: Omit<PlacedFile, 'sha256'>): string {
  if (file.kind === 'link') return command('put_link', file.path, file.target ?? '')
  return command('put_directory', file.path, file.mode)
}

/** A path as it is to be again. */
export interface RestoredFile extends Omit<PlacedFile, 'sha256'> {
  /** Where its content lies in the backups directory. */
  readonly name: string
  /** Whether that is an archive that holds it under its own path. */
  readonly archived: boolean
}

/** Puts a restore point's files back and removes what did not exist then; checksums first. */
export function restoreFiles(input: {
  readonly directory: string
  readonly backups: string
  readonly staging: string
  /** All that is read in the backups directory, to be checked before anything is touched. */
  readonly sources: readonly { readonly name: string; readonly sha256: string }[]
  readonly files: readonly RestoredFile[]
  readonly absent: readonly string[]
  readonly envFile: string
  /** Keys of the environment file that keep the value that is live now. */
  readonly liveKeys: readonly string[]
}): string {
  const { backups, files } = input
  const archives = [...new Set(files.flatMap((file) => (file.archived ? [file.name] : [])))]
  return [
    'set -eu',
    'umask 077',
    fileFacts,
    `cd ${quote(input.directory)}`,
    places,
    'check() { [ -f "$1" ] && [ "$(sha256 "$1")" = "$2" ] || fail "another checksum than the recorded one" "$1"; }',
    ...input.sources.map((source) => command('check', `${backups}/${source.name}`, source.sha256)),
    ...files.map((file) => command('fits', file.kind, file.path)),
    ...input.absent.map((path) => command('fits', 'gone', path)),
    `staging=${quote(input.staging)}`,
    'rm -rf "$staging"; mkdir -p "$staging"',
    ...archives.map(
      (name, index) => `mkdir "$staging/${index}"; tar -xpzf ${quote(`${backups}/${name}`)} -C "$staging/${index}"`,
    ),
    ...mergeEnvFile(input),
    openUmask,
    'back() { enter "$1" make; rm -f "$part"; cp -pP "$2" "$part"; [ -L "$part" ] || chmod "$3" "$part"; settle; }',
    ...files.map((file) => {
      if (!isFile(file)) return putWithout(file)
      if (file.path === input.envFile && input.liveKeys.length > 0)
        return `put_file ${quote(file.path)} "$staging/env" ${quote(file.mode)}`
      const from = file.archived
        ? `"$staging/${archives.indexOf(file.name)}"/${quote(file.path)}`
        : quote(`${backups}/${file.name}`)
      return `back ${quote(file.path)} ${from} ${quote(file.mode)}`
    }),
    ...input.absent.map((path) => command('take_out', path)),
    'rm -rf "$staging"',
    '',
  ].join('\n')
}

/** A database's roles and a provider's keys are not rolled back with a file, so their lines are the live ones. */
function mergeEnvFile(input: Parameters<typeof restoreFiles>[0]): string[] {
  const saved = input.files.find((file) => file.path === input.envFile && isFile(file))
  if (!saved || input.liveKeys.length === 0) return []
  return [
    `${mergedEnv({ live: `./${input.envFile}`, saved: `${input.backups}/${saved.name}`, liveKeys: input.liveKeys })} >"$staging/env"`,
  ]
}

/** Prints the saved environment file with the live lines of some keys. */
export function mergedEnv(input: {
  readonly live: string
  readonly saved: string
  readonly liveKeys: readonly string[]
}): string {
  const keys = quote(input.liveKeys.join(' '))
  const live = `live=${quote(input.live)}; [ -e "$live" ] || live=/dev/null`
  return `{ ${live}; LC_ALL=C awk -v keys=${keys} ${quote(mergeEnv)} "$live" ${quote(input.saved)}; }`
}

// Whole statements: a quoted value may span lines, and what looks like a key in it is none.
const mergeEnv = [
  'BEGIN { n = split(keys, k, " "); for (i = 1; i <= n; i++) live[k[i]] = 1 }',
  'FNR == 1 { open = ""; sub(/^\\357\\273\\277/, "") }',
  'open == "" {',
  '  text = key = $0; value = ""',
  '  sub(/^[ \\t]*(export[ \\t]+)?/, "", key)',
  '  if (match(key, /^[^ \\t=:#]+[ \\t]*[=:][ \\t]*/)) {',
  '    value = substr(key, RLENGTH + 1); key = substr(key, 1, RLENGTH); sub(/[ \\t]*[=:].*/, "", key)',
  '  } else key = ""',
  '  open = substr(value, 1, 1)',
  '  if (open != "\\"" && open != "\\047" || closes(substr(value, 2), open)) open = ""',
  '  statement(); next',
  '}',
  '{ text = text "\\n" $0; if (closes($0, open)) open = ""; statement() }',
  // A key that came later keeps its live value, too.
  'END { if (open != "") print text; for (i = 1; i <= n; i++) if ((k[i] in kept) && !(k[i] in saved)) print kept[k[i]] }',
  'function closes(rest, mark,  at, c) {',
  '  for (at = 1; at <= length(rest); at++) { c = substr(rest, at, 1); if (c == "\\\\") at++; else if (c == mark) return 1 }',
  '  return 0',
  '}',
  'function statement() {',
  '  if (open != "") return',
  '  if (FILENAME == ARGV[1] && (key in kept)) kept[key] = kept[key] "\\n" text',
  '  else if (FILENAME == ARGV[1]) { if (key in live) kept[key] = text }',
  '  else if (!(key in live) || !(key in kept)) print text',
  '  else if (!(key in saved)) { print kept[key]; saved[key] = 1 }',
  '}',
].join('\n')

/** Three commands and not one list: `set -e` lets the failure of a list's first members pass, a full disk's too. */
function copyWhole(path: string, to: string): string {
  const part = quote(`${to}.part`)
  return `cp -p ${quote(`./${path}`)} ${part}; chmod 600 ${part}; mv -f ${part} ${quote(to)}`
}

/** A link is there also where it leads nowhere, and it is no directory though it leads to one. */
function addIfThere(path: string, kind: '-f' | '-d'): string {
  const word = quote(`./${path}`)
  const there = kind === '-f' ? `[ -L ${word} ] || [ -f ${word} ]` : `[ ! -L ${word} ] && [ -d ${word} ]`
  return `if ${there}; then set -- "$@" ${word}; fi`
}
