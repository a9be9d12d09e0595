# The helper of stepback on a target: lease, jobs, ledger and timers, in POSIX sh, for dash, bash, busybox and macOS.
# Called as: SHELL helper-<sha256>.sh STATE SHELL NONCE OP WORD...
#   STATE  the state directory of one target, absolute    SHELL  the words that run a script here, /bin/sh but in tests
#   NONCE  frames the answer, since login shells print noise, and keeps the names of temporary files apart
# Everything rests on one primitive: `ln` of a finished file is exclusive and complete at once. What is linked never
# changes, so no lock exists that could go stale. sh has no local variables: each function prefixes its own.

umask 077
LC_ALL=C
PATH=$PATH:/usr/local/bin:/opt/homebrew/bin:${HOME:-}/.docker/bin:/Applications/Docker.app/Contents/Resources/bin:/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH

# fail CODE MESSAGE: ends the call; nothing after it is believed
fail() {
  printf '\n@@%s fail %s %s\n' "$NONCE" "$1" "$2"
  exit 1
}

# scratch: SCRATCH, a name for a temporary file. Never one that was used before: an old name may be a link to a finished
# file, and writing to it would change what must never change.
SCRATCHES=0
scratch() {
  SCRATCHES=$((SCRATCHES + 1))
  SCRATCH=$1/.t.$NONCE.$$.$SCRATCHES
}

# put FILE LINE [sync [FIRST SECOND]]: links a finished file of one line; false when the name is taken. With `sync` it is
# on the disk before its name is, and so are FIRST and SECOND.
put() {
  scratch "${1%/*}"
  # Read back, because a full disk must not link an empty claim or lease.
  { printf '%s\n' "$2" >"$SCRATCH" && IFS= read -r pt_line <"$SCRATCH" && [ "$pt_line" = "$2" ]; } 2>/dev/null || {
    rm -f "$SCRATCH"
    fail cannot-write "$1"
  }
  [ -z "${3-}" ] || durable "$SCRATCH" ${4+"$4"} ${5+"$5"}
  link "$SCRATCH" "$1" || return 1
  [ -z "${3-}" ] || durable "${1%/*}"
}

# link FROM TO: false when TO is taken; FROM is gone in any case
link() {
  ln "$1" "$2" 2>/dev/null
  lk_status=$?
  drop "$1"
  [ "$lk_status" = 0 ] && return 0
  [ -e "$2" ] || fail cannot-link "$2"
  return 1
}

# drop FILE: a temporary file goes; where this process tidies up later, only then, since somebody waits for it now
TIDIES=
drop() {
  [ -n "$TIDIES" ] || rm -f "$1"
}

# tidy_later DIRECTORY: that all temporary files of this process lie there, and go by `tidy`
tidy_later() {
  TIDIES=$1/.t.$NONCE.$$
}

tidy() {
  rm -f "$TIDIES".*
}

# durable PATH...: on the disk, not only in memory, since a power cut may else leave a name with nothing behind it
durable() {
  sync "$@" 2>/dev/null || sync
}

# payload LENGTH DIRECTORY: PAYLOAD, a file with what came on stdin; a payload that was cut short does nothing
payload() {
  scratch "$2"
  PAYLOAD=$SCRATCH
  if [ "$1" -gt 0 ]; then head -c "$1" >"$PAYLOAD"; else : >"$PAYLOAD"; fi
  py_size=$(wc -c <"$PAYLOAD")
  [ "$((py_size))" = "$1" ] && return
  rm -f "$PAYLOAD"
  fail short-payload "$((py_size)) of $1 bytes came"
}

# plain WORD: what becomes part of a file's name
plain() {
  case $1 in '' | .* | *[!A-Za-z0-9._-]*) fail bad-name "$1" ;; esac
}

# without NAME: whether a test asks to do as on a host that lacks it; never set elsewhere
without() {
  case ",${STEPBACK_WITHOUT-}," in *",$1,"*) return 0 ;; esac
  return 1
}

# pause NAME: where a test can hold this process, as long as a file of that name is in the directory that it names
pause() {
  [ -n "${STEPBACK_PAUSE-}" ] && [ -e "$STEPBACK_PAUSE/$1" ] || return 0
  : >"$STEPBACK_PAUSE/$1.reached.$$"
  while [ -e "$STEPBACK_PAUSE/$1" ]; do sleep 0.02; done
}
