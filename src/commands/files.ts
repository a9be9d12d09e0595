// Scripts that record, put and put back files. What they print is one line for each fact, read by the activities.

import { command, quote } from './shell.js'

/** sha256, size and mode on GNU, BSD and busybox alike. */
export const fileFacts = [
  'sha256() { if command -v sha256sum >/dev/null 2>&1; then sha256sum <"$1"; elif command -v shasum >/dev/null 2>&1; then shasum -a 256 <"$1"; else openssl dgst -sha256 -r <"$1"; fi | cut -c1-64; }',
  'mode() { stat -c %a "$1" 2>/dev/null || stat -f %Lp "$1"; }',
  'size() { wc -c <"$1" | tr -d " "; }',
].join('\n')

/** `F <sha256> <bytes> <mode> <index>` for each file, `L <index>` for a link, `A <index>` for one that is not there. */
export function describeFiles(directory: string, paths: readonly string[]): string {
  return [
    fileFacts,
    `cd ${quote(directory)} || exit 1`,
    'n=0',
    'describe() { if [ -L "$1" ]; then echo "L $n"; elif [ -f "$1" ]; then echo "F $(sha256 "$1") $(size "$1") $(mode "$1") $n"; else echo "A $n"; fi; n=$((n+1)); }',
    ...paths.map((path) => `describe ${quote(`./${path}`)}`),
    '',
  ].join('\n')
}

export interface FileFact {
  readonly path: string
  readonly kind: 'file' | 'link' | 'absent'
  readonly sha256: string
  readonly bytes: number
  readonly mode: string
}

/** Reads what `describeFiles` printed. */
export function parseFileFacts(stdout: string, paths: readonly string[]): FileFact[] {
  return stdout
    .split('\n')
    .filter((line) => /^[FLA] /.test(line))
    .map((line) => {
      const words = line.split(' ')
      const path = paths[Number(words.at(-1))]!
      if (words[0] === 'F') return { path, kind: 'file', sha256: words[1]!, bytes: Number(words[2]), mode: words[3]! }
      return { path, kind: words[0] === 'L' ? 'link' : 'absent', sha256: '', bytes: 0, mode: '' }
    })
}

/** Copies a restore point's files beside each other, each complete before it has its name. */
export function captureFiles(input: {
  readonly directory: string
  readonly backups: string
  readonly id: string
  readonly composeFile: string
  readonly envFile: string
  readonly paths: readonly string[]
}): string {
  const { backups, id } = input
  return [
    'set -eu',
    'umask 077',
    `mkdir -p ${quote(backups)}`,
    `cd ${quote(input.directory)}`,
    copyWhole(input.composeFile, `${backups}/docker-compose_${id}.yml`),
    `if [ -e ${quote(`./${input.envFile}`)} ]; then ${copyWhole(input.envFile, `${backups}/env_${id}`)}; fi`,
    'set --',
    ...input.paths.map((path) => addIfThere(path)),
    `archive=${quote(`${backups}/config_${id}.tar.gz`)}`,
    // An archive of nothing is refused by some tars, and nothing is what it would say.
    'if [ $# -gt 0 ]; then tar -czf "$archive.part" -- "$@"; mv -f "$archive.part" "$archive"; fi',
    '',
  ].join('\n')
}

/** Moves uploaded files into place, each by rename, once all of them are whole. A link on the way is followed nowhere. */
export function placeFiles(input: {
  readonly directory: string
  readonly staging: string
  readonly files: readonly { readonly path: string; readonly sha256: string; readonly mode: string }[]
}): string {
  return [
    'set -eu',
    fileFacts,
    noLinks,
    `cd ${quote(input.directory)}`,
    'check() {',
    '  no_links "$1"',
    '  if [ -d "./$1" ]; then echo "stepback: a directory is where a file should be: $1" >&2; exit 1; fi',
    '  [ -e "$4/$1" ] || { [ "$(sha256 "./$1")" = "$2" ] && return 0; echo "stepback: staged file is missing: $1" >&2; exit 1; }',
    '  [ "$(sha256 "$4/$1")" = "$2" ] || { echo "stepback: staged file has another checksum: $1" >&2; exit 1; }',
    '}',
    'place() {',
    '  [ -e "$4/$1" ] || return 0',
    '  mkdir -p "$(dirname "./$1")"',
    '  cp -p "$4/$1" "./$1.stepback-part" && chmod "$3" "./$1.stepback-part" && mv -f "./$1.stepback-part" "./$1"',
    '}',
    ...['check', 'place'].flatMap((act) =>
      input.files.map((file) => command(act, file.path, file.sha256, file.mode, input.staging)),
    ),
    '',
  ].join('\n')
}

/** Puts a restore point's files back and removes what did not exist then; checksums first. */
export function restoreFiles(input: {
  readonly directory: string
  readonly backups: string
  readonly staging: string
  readonly id: string
  readonly composeFile: string
  readonly envFile: string
  /** What the restore point consists of, to be checked before anything is touched. */
  readonly archives: readonly { readonly name: string; readonly sha256: string }[]
  /** Paths in the project directory, each with the mode that it had. */
  readonly modes: Readonly<Record<string, string>>
  /** Paths that the archive holds. */
  readonly paths: readonly string[]
  readonly absent: readonly string[]
  /** Keys of the environment file that keep the value that is live now. */
  readonly liveKeys: readonly string[]
}): string {
  const { backups, id } = input
  return [
    'set -eu',
    'umask 077',
    fileFacts,
    noLinks,
    'check() { [ "$(sha256 "$1")" = "$2" ] || { echo "stepback: checksum of $1 is not the recorded one" >&2; exit 1; }; }',
    ...input.archives.map((archive) => command('check', `${backups}/${archive.name}`, archive.sha256)),
    `staging=${quote(input.staging)}`,
    'rm -rf "$staging"; mkdir -p "$staging"',
    `if [ -e ${quote(`${backups}/config_${id}.tar.gz`)} ]; then tar -xpzf ${quote(`${backups}/config_${id}.tar.gz`)} -C "$staging"; fi`,
    `cd ${quote(input.directory)}`,
    'back() { no_links "$2"; mkdir -p "$(dirname "./$2")"; rm -f "./$2.stepback-part"; cp -pP "$1" "./$2.stepback-part"; [ -z "$3" ] || chmod "$3" "./$2.stepback-part"; mv -f "./$2.stepback-part" "./$2"; }',
    ...input.paths.map((path) => `back "$staging"/${quote(path)} ${quote(path)} ''`),
    command('back', `${backups}/docker-compose_${id}.yml`, input.composeFile, input.modes[input.composeFile] ?? ''),
    ...(input.archives.some((archive) => archive.name === `env_${id}`) ? restoreEnv(input) : []),
    ...input.absent.map((path) => `no_links ${quote(path)}; rm -f -- ${quote(`./${path}`)}`),
    'rm -rf "$staging"',
    '',
  ].join('\n')
}

/** A database's roles and a provider's keys are not rolled back with a file, so their lines are the live ones. */
function restoreEnv(input: Parameters<typeof restoreFiles>[0]): string[] {
  const saved = `${input.backups}/env_${input.id}`
  const mode = input.modes[input.envFile] ?? ''
  if (input.liveKeys.length === 0) return [command('back', saved, input.envFile, mode)]
  const live = quote(`./${input.envFile}`)
  return [
    `[ -e ${live} ] || : >${live}`,
    `LC_ALL=C awk -v keys=${quote(input.liveKeys.join(' '))} ${quote(mergeEnv)} ${live} ${quote(saved)} >"$staging/.env-merged"`,
    `back "$staging/.env-merged" ${quote(input.envFile)} ${quote(mode)}`,
  ]
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

/** Refuses a path of which a parent directory is a link: it could lead out of the project, or into a protected path. */
const noLinks = [
  'no_links() {',
  '  nl_rest=$1 nl_done=.',
  '  while :; do case $nl_rest in */*) nl_done=$nl_done/${nl_rest%%/*} nl_rest=${nl_rest#*/};; *) return 0;; esac',
  '    if [ -L "$nl_done" ]; then echo "stepback: a directory on the way is a link: $nl_done" >&2; exit 1; fi',
  '  done',
  '}',
].join('\n')

/** Three commands and not one list: `set -e` lets the failure of a list's first members pass, a full disk's too. */
function copyWhole(path: string, to: string): string {
  const part = quote(`${to}.part`)
  return `cp -p ${quote(`./${path}`)} ${part}; chmod 600 ${part}; mv -f ${part} ${quote(to)}`
}

function addIfThere(path: string): string {
  const word = quote(`./${path}`)
  return `if [ -e ${word} ] || [ -L ${word} ]; then set -- "$@" ${word}; fi`
}
