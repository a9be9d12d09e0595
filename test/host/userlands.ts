// Userlands that a host may have in place of this machine's: busybox's tools alone, and stand-ins that take and answer
// what macOS's tools do. What GNU has besides is not on their PATH, or is refused as there.

import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Userland {
  readonly name: string
  /** The words that run a script. */
  readonly shell: string
  /** The one directory of its PATH. */
  readonly bin: string
  readonly env: NodeJS.ProcessEnv
}

/** What a script that needs Docker finds in its place. */
const docker = `#!/bin/sh
case "$*" in
*'config --format json') printf '{"services":{}}\\n' ;;
*' ps '* | 'ps '*) printf 'c1\\nc2\\n' ;;
info*) printf '28.0\\n2.26\\n/\\n' ;;
*'image inspect'*PG_MAJOR* | *'{{range .Config.Env}}'*) printf 'A=b\\nPG_MAJOR=17\\n' ;;
*StartedAt*) echo 2026-11-23T14:02:11.5Z ;;
wait*) echo 0 ;;
*) printf 'docker %s\\n' "$*" ;;
esac
`

/** A directory to stand before this machine's own tools, where these are what the others are compared with. */
export function onlyDocker(root: string): string {
  const bin = join(root, 'docker')
  mkdirSync(bin)
  put(bin, 'docker', docker)
  return bin
}

export function userlands(root: string): Userland[] {
  const busybox = join(root, 'busybox')
  const macos = join(root, 'macos')
  busyboxTools(busybox)
  macosTools(macos)
  const env = { HOME: root, LANG: 'C.UTF-8' }
  return [
    { name: "busybox sh with busybox's tools", shell: `${busybox}/sh`, bin: busybox, env },
    { name: "dash with busybox's tools", shell: '/bin/dash', bin: busybox, env },
    {
      name: 'dash with tools as those of macOS',
      shell: '/bin/dash',
      bin: macos,
      env: { ...env, STEPBACK_WITHOUT: 'proc,setsid' },
    },
  ]
}

/** The same text without what it adds to PATH, which would bring this machine's own tools back. */
export function withoutOtherTools(text: string): string {
  return text.replaceAll(/^PATH=.*$/gm, ':')
}

function busyboxTools(bin: string): void {
  mkdirSync(bin)
  const program = where('busybox')
  const hidden = ['sha256sum', 'realpath', 'tac', 'timeout', 'nproc', 'shuf', 'free']
  const applets = execFileSync(program, ['--list'], { encoding: 'utf8' }).trim().split('\n')
  for (const applet of applets) if (!hidden.includes(applet)) symlinkSync(program, join(bin, applet))
  symlinkSync(where('openssl'), join(bin, 'openssl'))
  put(bin, 'docker', docker)
}

/** As they are on macOS: without a stand-in of its own a tool is this machine's. */
function macosTools(bin: string): void {
  mkdirSync(bin)
  for (const name of alike.split(' ')) symlinkSync(where(name), join(bin, name))
  for (const [name, text] of Object.entries(standIns)) put(bin, name, text)
  put(bin, 'docker', docker)
}

function put(bin: string, name: string, text: string): void {
  writeFileSync(join(bin, name), text)
  chmodSync(join(bin, name), 0o755)
}

function where(name: string): string {
  const found = ['/usr/bin', '/bin', '/usr/sbin', '/sbin']
    .map((place) => join(place, name))
    .find((it) => existsSync(it))
  if (found) return found
  throw new Error(`the tests of portability need "${name}"`)
}

const alike =
  'awk basename cat chmod chown cmp cut dd dirname env expr false gzip id kill ls mkdir mkfifo perl printf pwd rm rmdir sh sleep tee test touch tr true uname uniq'

/** `refuses`: patterns of words that end it with what the BSDs say; then the rest runs, with the real tool as `$real`. */
function standIn(name: string, refuses: string, rest = 'exec "$real" "$@"'): string {
  return `#!/bin/sh
real=${where(name)}
for word do
  case $word in ${refuses}) echo "${name}: illegal option -- $word" >&2; exit 64 ;; esac
done
${rest}
`
}

const long = '--?*'
const standIns: Record<string, string> = {
  cp: standIn('cp', `${long} | -T* | -[aprfP]*[tTuZ]*`),
  date: standIn('date', `${long} | -d* | -I?* | *%N*`),
  df: standIn('df', `${long} | -T* | -B*`),
  du: standIn('du', `${long} | -b*`),
  find: standIn('find', '-printf | -regextype | -quit | -readable | -writable | -executable'),
  grep: standIn('grep', `--perl-regexp | -P* | -[a-zA-Z]*P*`),
  head: standIn('head', `${long} | -[nc]-*`),
  ln: standIn('ln', `${long} | -*T* | -*r*`),
  mktemp: standIn('mktemp', long),
  // `-h` is its word for what GNU calls -T.
  mv: standIn(
    'mv',
    `${long} | -*T* | -*t`,
    'case $1 in -fh) shift; exec "$real" -fT "$@" ;; *) exec "$real" "$@" ;; esac',
  ),
  od: standIn('od', long),
  ps: standIn(
    'ps',
    long,
    'case $1 in -E) shift; [ "$1" = -ww ] && shift; exec "$real" eww "$@" ;; *) exec "$real" "$@" ;; esac',
  ),
  readlink: standIn('readlink', `${long} | -e | -m`),
  sed: standIn('sed', `${long} | -i | -r | -z | -s | -E?*`, 'exec "$real" --posix "$@"'),
  // Neither sha256sum nor sha256 is there: a script of perl's.
  shasum: `#!/bin/sh\n[ "$1 $2" = '-a 256' ] || exit 64\nshift 2\nexec ${where('sha256sum')} "$@"\n`,
  sort: standIn('sort', long),
  stat: `#!/bin/sh
[ $# = 3 ] && [ "$1" = -f ] || { echo "stat: illegal option -- $1" >&2; exit 1; }
case $2 in
'%Lp %z') exec ${where('stat')} -c '%a %s' -- "$3" ;;
%u:%g) exec ${where('stat')} -c %u:%g -- "$3" ;;
*) exit 1 ;;
esac
`,
  // It takes no words: all of the disks, or nothing.
  sync: '#!/bin/sh\n[ $# = 0 ] || { echo "usage: sync" >&2; exit 1; }\n',
  sysctl: `#!/bin/sh
case $* in
'-n kern.bootsessionuuid') echo 6B5AA3A2-0000-4000-8000-000000000000 ;;
'-n hw.memsize') echo 25769803776 ;;
*) exit 1 ;;
esac
`,
  tail: standIn('tail', `${long} | -[nc]-*`),
  // It takes a name as it is.
  tar: standIn(
    'tar',
    '--no-unquote',
    'case $1 in --version) echo "bsdtar 3.5.3 - libarchive 3.7.4" ;; *) exec "$real" --no-unquote "$@" ;; esac',
  ),
  vm_stat: `#!/bin/sh
echo 'Mach Virtual Memory Statistics: (page size of 16384 bytes)'
echo 'Pages free:                               10000.'
echo 'Pages active:                            500000.'
echo 'Pages inactive:                           20000.'
echo 'Pages speculative:                         1000.'
echo 'Pages throttled:                              0.'
echo 'Pages wired down:                        100000.'
echo 'Pages purgeable:                            500.'
`,
  wc: standIn(
    'wc',
    long,
    '"$real" "$@" | while read -r count rest; do printf "%8d%s\\n" "$count" "${rest:+ $rest}"; done',
  ),
  // With nothing to read it runs nothing.
  xargs: standIn('xargs', `${long} | -a | -d*`, 'exec "$real" -r "$@"'),
}
