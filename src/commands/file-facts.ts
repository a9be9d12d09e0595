// Looks at files. What they print is one line for each fact, read by the activities.

import type { ManagedTree } from '../plan/managed.js'
import { command, quote } from './shell.js'

/** sha256, size and mode on GNU, BSD and busybox alike; what would run as somebody else (setuid, setgid) is left out. */
export const fileFacts = [
  'if command -v sha256sum >/dev/null 2>&1; then f_sums=sha256sum; elif command -v shasum >/dev/null 2>&1; then f_sums="shasum -a 256"; else f_sums="openssl dgst -sha256 -r"; fi',
  'sum256() { f_sum=$($f_sums); echo "${f_sum%% *}"; }',
  'sha256() { sum256 <"$1"; }',
  'modes_and_sizes() { stat -c "%a %s" "$@" 2>/dev/null || stat -f "%Lp %z" "$@"; }',
  'told() { f_mode=${1%% *}; f_size=${1##* }; while [ ${#f_mode} -gt 3 ]; do f_mode=${f_mode#?}; done; }',
  'mode_and_size() { told "$(modes_and_sizes "$1")"; }',
  'mode() { mode_and_size "$1"; echo "$f_mode"; }',
  'hex() { od -An -v -tx1 | tr -d " \\n"; }',
].join('\n')

/** One line: what is at `$1`, ending in the word `$2`. */
const describe = [
  'describe() {',
  '  if [ -L "$1" ]; then d_text=$(readlink "$1"; echo .); d_text=${d_text%?.}; echo "L $(printf %s "$d_text" | sum256) $(printf %s "$d_text" | hex) $2"',
  '  elif [ -f "$1" ]; then d_sum=$($f_sums <"$1"); mode_and_size "$1"; echo "F ${d_sum%% *} $f_size $f_mode $2"',
  '  elif [ -d "$1" ]; then mode_and_size "$1"; echo "D $f_mode $2"',
  '  elif [ -e "$1" ]; then echo "S $2"',
  '  else echo "A $2"; fi',
  '}',
].join('\n')

/**
 * The same of paths `$2` and on, which end in the numbers from `$1` on: two programs for all files that are among them.
 * Where that does not come to a line for each, as where one goes meanwhile or has a newline in its name, each is asked about
 * by itself.
 */
const describeEach = [
  "newline='\n'",
  'lines() { e_left=$1$newline e_count=0; while [ -n "$e_left" ]; do e_left=${e_left#*"$newline"} e_count=$((e_count + 1)); done; }',
  'describe_each() {',
  '  e_next=$1 e_end=$(($1 + $# - 1)) e_files=; shift',
  '  while [ "$e_next" -lt "$e_end" ]; do',
  '    e_path=$1; shift',
  '    if [ ! -L "$e_path" ] && [ -f "$e_path" ]; then set -- "$@" "$e_path"; e_files="$e_files $e_next"; else describe "$e_path" "$e_next"; fi',
  '    e_next=$((e_next + 1))',
  '  done',
  '  [ $# -gt 0 ] || return 0',
  '  if e_sums=$($f_sums "$@" 2>/dev/null) && e_told=$(modes_and_sizes "$@" 2>/dev/null) &&',
  '    lines "$e_sums" && [ "$e_count" = $# ] && lines "$e_told" && [ "$e_count" = $# ]; then',
  '    for e_next in $e_files; do',
  '      e_sum=${e_sums%%"$newline"*}; e_sum=${e_sum%% *}; told "${e_told%%"$newline"*}"',
  // A backslash marks a name in which something is escaped.
  '      echo "F ${e_sum#\\\\} $f_size $f_mode $e_next"',
  '      e_sums=${e_sums#*"$newline"} e_told=${e_told#*"$newline"}',
  '    done',
  '  else for e_next in $e_files; do describe "$1" "$e_next"; shift; done; fi',
  '}',
].join('\n')

/** So many names go to one program at once; any machine takes more. */
const atOnce = 64

/**
 * `F <sha256> <bytes> <mode>` for a file, `L <sha256> <target>` for a link, `D <mode>` for a directory, `S` for what is
 * none of them, `A` for what is not there; then the path's index, or, below one of the `trees`, the path itself in hex.
 */
export function describeFiles(directory: string, paths: readonly string[], trees: readonly string[] = []): string {
  return [
    `facts=${quote([fileFacts, describe].join('\n'))}`,
    'eval "$facts"',
    ...(paths.length > 0 ? [describeEach] : []),
    `cd ${quote(directory)} || exit 1`,
    ...chunksOf(paths).map(
      (some, index) => `describe_each ${index * atOnce} ${command(...some.map((path) => `./${path}`))}`,
    ),
    ...trees.map((tree) => below(tree, '-exec sh -c "$facts$each" sh {} +')),
    '',
  ].join('\n')
}

function chunksOf(paths: readonly string[]): (readonly string[])[] {
  const starts = Array.from({ length: Math.ceil(paths.length / atOnce) }, (_none, index) => index * atOnce)
  return starts.map((start) => paths.slice(start, start + atOnce))
}

/** Names go from find to sh as arguments, so none of them can be read as anything else. */
function below(tree: string, act: string): string {
  const each = '\nfor p do describe "$p" "@$(printf %s "$p" | hex)"; done'
  return `each=${quote(each)}; if [ -d ${quote(`./${tree}`)} ] && [ ! -L ${quote(`./${tree}`)} ]; then find ${quote(`./${tree}`)} ${act}; fi`
}

export interface FileFact {
  readonly path: string
  readonly kind: 'file' | 'link' | 'directory' | 'special' | 'absent'
  readonly sha256: string
  readonly bytes: number
  readonly mode: string
  /** Of a link, its text. */
  readonly target?: string
}

/** Reads what `describeFiles` printed. */
export function parseFileFacts(stdout: string, paths: readonly string[]): FileFact[] {
  const lines = stdout.split('\n').filter((line) => /^[FLDSA] /.test(line))
  const place = (words: readonly string[]) => (words.at(-1)!.startsWith('@') ? paths.length : Number(words.at(-1)))
  const facts = lines.map((line) => line.split(' ')).toSorted((a, b) => place(a) - place(b))
  return facts.map((words) => fact(words, paths))
}

function fact(words: readonly string[], paths: readonly string[]): FileFact {
  const last = words.at(-1)!
  const path = last.startsWith('@') ? unhex(last.slice(1)).replace(/^\.\//, '') : paths[Number(last)]!
  const none = { path, sha256: '', bytes: 0, mode: '' }
  if (words[0] === 'F') return { path, kind: 'file', sha256: words[1]!, bytes: Number(words[2]), mode: words[3]! }
  if (words[0] === 'L') return { ...none, kind: 'link', sha256: words[1]!, target: unhex(words[2]!) }
  if (words[0] === 'D') return { ...none, kind: 'directory', mode: words[1]! }
  return { ...none, kind: words[0] === 'S' ? 'special' : 'absent' }
}

function unhex(text: string): string {
  return Buffer.from(text, 'hex').toString('utf8')
}

/** `T <index> <entries> <kilobytes> <special>` for each path that is a directory, or nothing that can be archived. */
export function measureTrees(directory: string, paths: readonly string[]): string {
  return [
    fileFacts,
    `cd ${quote(directory)} || exit 1`,
    'measure() {',
    '  if [ -L "./$1" ] || [ -f "./$1" ] || [ ! -e "./$1" ]; then return 0; fi',
    '  m_kilobytes=0; [ ! -d "./$1" ] || m_kilobytes=$(cd "./$1" && du -sk . | cut -f1)',
    '  echo "T $2 $(find "./$1" -exec printf "%.0sx" {} + | wc -c) $m_kilobytes $(find "./$1" ! -type d ! -type f ! -type l -print | hex)"',
    '}',
    ...paths.map((path, index) => command('measure', path, String(index))),
    '',
  ].join('\n')
}

/** Reads what `measureTrees` printed. */
export function parseTrees(stdout: string, paths: readonly string[]): ManagedTree[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('T '))
    .map((line) => {
      const [, index, entries, kilobytes, special = ''] = line.split(/ +/)
      const first = unhex(special).split('\n', 1)[0]!.replace(/^\.\//, '')
      return {
        path: paths[Number(index)]!,
        entries: Number(entries),
        kilobytes: Number(kilobytes),
        special: first === '' ? null : first,
      }
    })
}
