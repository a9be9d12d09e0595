// Putting things into the project directory and taking them out, as shell functions. The directory is not ours alone:
// every way into it is walked step by step, and no link on it is followed, since it could lead out of the project or
// into a protected path.

/** Says what is wrong and ends; names come from elsewhere, so what a terminal would obey is not printed. */
const fail = `fail() { printf 'stepback: %s: %s\\n' "$1" "$(printf %s "$2" | LC_ALL=C tr '\\001-\\037\\177' '?')" >&2; exit 1; }`

/**
 * `fits <kind> <path>`: nothing of another kind is where it goes, and no link is on the way; `gone` for what is to be
 * removed. `leads <path>`: no link of the project is on the way to where a link of the release ends. Changes nothing.
 */
export const fits = [
  fail,
  'fits() {',
  '  f_rest=$2 f_at=.',
  '  while case $f_rest in */*) ;; *) false ;; esac; do',
  '    f_at=$f_at/${f_rest%%/*} f_rest=${f_rest#*/}',
  '    [ ! -L "$f_at" ] || fail "a directory on the way is a link" "$f_at"',
  '    [ "$1" = gone ] || [ -d "$f_at" ] || [ ! -e "$f_at" ] || fail "a file is where a directory should be" "$f_at"',
  '  done',
  '  f_at=./$2',
  '  case $1 in',
  '    gone) ;;',
  '    directory) { [ ! -L "$f_at" ] && { [ -d "$f_at" ] || [ ! -e "$f_at" ]; }; } || fail "a file is where a directory should be" "$2" ;;',
  '    *) [ -L "$f_at" ] || [ ! -d "$f_at" ] || fail "a directory is where a file should be" "$2"',
  '       [ -L "$f_at" ] || [ -f "$f_at" ] || [ ! -e "$f_at" ] || fail "neither a file nor a link is where a file should be" "$2" ;;',
  '  esac',
  '}',
  'leads() { fits gone "$1"; [ ! -L "./$1" ] || fail "a link of the release leads through a link" "./$1"; }',
].join('\n')

/**
 * `enter <path> make|look` goes into the directory of a path and sets `leaf`. Once inside, a directory that is exchanged
 * for a link behind our back cannot redirect what is done: the kernel's own word on where we are is compared.
 */
export const places = [
  fits,
  'root=$(pwd -P; echo .) root=${root%?.} me=$(id -u)',
  'enter() {',
  '  cd "$root" || exit 1',
  '  e_rest=$1',
  '  while case $e_rest in */*) ;; *) false ;; esac; do',
  '    e_part=${e_rest%%/*} e_rest=${e_rest#*/}',
  '    [ ! -L "./$e_part" ] || fail "a directory on the way is a link" "./$e_part"',
  '    if [ ! -d "./$e_part" ]; then [ "$2" = make ] || return 1; mkdir "./$e_part" || exit 1; own_like . "./$e_part"; fi',
  '    cd "./$e_part" || exit 1',
  '  done',
  '  leaf=./$e_rest',
  '  case $1 in */*) e_here=$(pwd -P; echo .)',
  '    [ "${e_here%?.}" = "$root/${1%/*}" ] || fail "a directory on the way is a link" "$1" ;; esac',
  '}',
  'owner() { stat -c %u:%g "$1" 2>/dev/null || stat -f %u:%g "$1"; }',
  '# Only root may give a file away: what it replaces, or the directory that it lies in, says to whom.',
  'own_like() { [ "$me" != 0 ] || chown "$(owner "$1")" "$2" || exit 1; }',
  'own_as_there() { if [ -e "$leaf" ] && [ ! -L "$leaf" ]; then own_like "$leaf" "$1"; else own_like . "$1"; fi; }',
  'part=./.stepback-part',
  '# A plain mv over a link that leads to a directory would move into that directory.',
  'settle() {',
  '  if [ -L "$leaf" ] && [ -d "$leaf" ]; then',
  '    mv -fT "$part" "$leaf" 2>/dev/null || mv -fh "$part" "$leaf" 2>/dev/null || { rm -f "$leaf" && mv -f "$part" "$leaf"; }',
  '  else mv -f "$part" "$leaf"; fi',
  '}',
  'put_file() { enter "$1" make; rm -f "$part"; cp "$2" "$part"; own_as_there "$part"; chmod "$3" "$part"; settle; }',
  'put_link() { enter "$1" make; rm -f "$part"; ln -s -- "$2" "$part"; settle; }',
  'put_directory() { enter "$1" make; [ -d "$leaf" ] || { mkdir "$leaf"; own_like . "$leaf"; chmod "$2" "$leaf"; }; }',
  '# A directory goes only when nothing is left in it: what else lies there is not ours.',
  'take_out() {',
  '  enter "$1" look || return 0',
  '  if [ -d "$leaf" ] && [ ! -L "$leaf" ]; then rmdir "$leaf" 2>/dev/null || :; else rm -f "$leaf"; fi',
  '}',
].join('\n')

/** GNU tar reads a backslash in a name as an escape, unless it is told not to; others know no such word. */
export const asItIs = 'case $(tar --version 2>/dev/null) in *"GNU tar"*) asis=--no-unquote ;; *) asis= ;; esac'
