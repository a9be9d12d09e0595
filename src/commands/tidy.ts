import { places } from './places.js'
import { command, quote } from './shell.js'

export interface ForPeople {
  /** The project directory; what is written lies inside, and no link on the way is followed. */
  readonly directory: string
  readonly log?: { readonly path: string; readonly line: string } | undefined
  /** The text ends in a line break. */
  readonly note?: { readonly path: string; readonly text: string } | undefined
}

/** The last that a run does on the host: what it staged goes, and people get their line and their note. */
export function tidyUp(input: {
  readonly staging: string
  /** What says whether the reserve is there. */
  readonly reserve?: string
  readonly forPeople?: ForPeople | undefined
}): string {
  const { staging, reserve = '', forPeople } = input
  return [
    'status=0',
    `${command('rm', '-rf', staging)} || status=1`,
    ...(forPeople ? [`(${tellPeople(forPeople)}) || status=1`] : []),
    ...(reserve === '' ? [] : [`(${reserve.trimEnd()})`]),
    'exit "$status"',
    '',
  ].join('\n')
}

/** Whether directories and the log are made where they are missing. */
type Anew = 'make' | 'look'

/**
 * Appends a line and writes a note; one that cannot be written keeps the other from nothing, and the exit says so. What
 * is there already is not written again, so that it may run twice. Prints `noted` once the note is there.
 */
export function tellPeople({ directory, log, note }: ForPeople, anew: Anew = 'make'): string {
  return [
    telling(directory, anew),
    ...(log ? [command('tell', 'log_line', log.path, oneLine(log.line))] : []),
    ...(note ? [`${command('tell', 'write_note', note.path, note.text.replace(/\n$/, ''))} && echo noted`] : []),
    'exit "$told"',
    '',
  ].join('\n')
}

/** `tell log_line <path> <line>` and `tell write_note <path> <text>`; `told` is 1 once one of them could not. */
export function telling(directory: string, anew: Anew = 'make'): string {
  return [
    `cd ${quote(directory)} || { echo ${quote('stepback: the project directory is missing')} >&2; exit 1; }`,
    'umask 022',
    places,
    functions,
    `anew=${anew} told=0`,
    'tell() { ("$@") || { told=1; return 1; }; }',
  ].join('\n')
}

/** By cat, since not every shell's own printf says that the disk is full. */
const functions = [
  'log_line() {',
  '  enter "$1" look || fail "its directory is missing" "$1"',
  '  [ ! -L "$leaf" ] || fail "a link, which is not followed" "$1"',
  '  [ ! -d "$leaf" ] || fail "a directory is where a file should be" "$1"',
  '  if [ -e "$leaf" ]; then ! grep -qxF -e "$2" "$leaf" || return 0',
  '  elif [ "$anew" = look ]; then return 0',
  '  else { cat </dev/null >>"$leaf"; } 2>/dev/null || fail "cannot be written" "$1"; own_like . "$leaf"; fi',
  `  printf '%s\\n' "$2" | { cat >>"$leaf"; } 2>/dev/null || fail "cannot be written" "$1"`,
  '}',
  'write_note() {',
  '  (enter "$1" "$anew") || fail "its directory cannot be entered" "$1"',
  '  enter "$1" "$anew"',
  '  [ ! -L "$leaf" ] || fail "a link, which is not followed" "$1"',
  '  [ ! -e "$leaf" ] || return 0',
  '  part=./.stepback-note.$$',
  `  printf '%s\\n' "$2" | { cat >"$part"; } 2>/dev/null && own_like . "$part" && mv -f "$part" "$leaf" || { rm -f "$part"; fail "cannot be written" "$1"; }`,
  '}',
].join('\n')

/** A line is an entry: the name of a run, which anyone may choose, cannot make two of it. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
}
