# --- the lease: lease/t.N; the highest N is in force, N is the token -------------------------------------------------

# now: NOW, seconds by the host's clock, and TODAY, the same for people
now() {
  set -- $(date -u '+%s %Y-%m-%dT%H:%M:%SZ')
  NOW=$1
  TODAY=$2
}

# top: TOP, the highest number, 0 where there is none
top() {
  TOP=0
  for tp_file in "$STATE"/lease/t.*; do
    tp_number=${tp_file##*/t.}
    case $tp_number in '' | *[!0-9]*) continue ;; esac
    [ "$tp_number" -gt "$TOP" ] && TOP=$tp_number
  done
  while [ -e "$STATE/lease/t.$((TOP + 1))" ]; do TOP=$((TOP + 1)); done
}

# in_force TOKEN: whether it is the highest number. Numbers have no gap, so its successor tells, and one look is atomic.
in_force() {
  [ -e "$STATE/lease/t.$1" ] && [ ! -e "$STATE/lease/t.$(($1 + 1))" ]
}

# content N: CONTENT, and FREE, whether it is a release
content() {
  CONTENT=
  FREE=
  [ "$1" -gt 0 ] || return 1
  { IFS= read -r CONTENT <"$STATE/lease/t.$1"; } 2>/dev/null || return 1
  case $CONTENT in "{\"token\":$1,\"free\":true,"*) FREE=yes ;; esac
}

# renewed TOKEN: every call that carries a token renews
renewed() {
  [ "$1" -gt 0 ] || return 0
  now
  renewed_now "$1"
}

# renewed_now TOKEN: as of NOW; what was renewed less than 5 s ago is left, since nobody waits less than a minute
renewed_now() {
  [ "$1" -gt 0 ] && [ -e "$STATE/lease/t.$1" ] || return 0
  rw_last=0
  [ ! -e "$STATE/lease/renewed.$1" ] || read -r rw_last <"$STATE/lease/renewed.$1"
  rw_last=$((NOW - ${rw_last:-0}))
  [ "$rw_last" -lt 0 ] || [ "$rw_last" -ge 5 ] || return 0
  scratch "$STATE/lease"
  printf '%s\n' "$NOW" >"$SCRATCH" && mv -f "$SCRATCH" "$STATE/lease/renewed.$1"
}

# state: what a reader needs to judge the lease
state() {
  top
  content "$TOP"
  now
  st_renewed=
  [ -e "$STATE/lease/renewed.$TOP" ] && read -r st_renewed <"$STATE/lease/renewed.$TOP"
  printf 'number %s\nnow %s\nrenewed %s\ncontent %s\n' "$TOP" "$NOW" "$st_renewed" "$CONTENT"
  for st_claim in "$STATE"/jobs/*/claim.*; do
    unended "$st_claim" || continue
    [ "$JOB_TOKEN" = "$TOP" ] || continue
    group_of "$JOB_PID" "$JOB_GROUP" "$JOB_START" "$JOB_ID/$JOB_GENERATION/"
    [ "$FOUND" = empty ] || printf 'living %s\n' "$JOB_ID"
  done
}

op_lease() {
  state
}

# holder: WHO, the identity (workflow id and present run id), and HOLDER, all of it, from two lines of stdin. A line that
# was cut short has no end, and is none.
holder() {
  { IFS= read -r WHO && IFS= read -r HOLDER; } && [ -n "$WHO" ] && [ -n "$HOLDER" ] || fail short-payload holder
}

# names_us: whether CONTENT names this identity
names_us() {
  case $CONTENT in *"$WHO"*) return 0 ;; esac
  return 1
}

# find_us: US, the highest number that names this identity, as holder or as the one who released; 0 for none
find_us() {
  US=0
  for fu_number in $(cd "$STATE/lease" && grep -lF -e "$WHO" t.* 2>/dev/null); do
    fu_number=${fu_number#t.}
    [ "$fu_number" -gt "$US" ] && US=$fu_number
  done
}

# acquire EXPECTED SAW: takes what is free, and takes number EXPECTED from its holder because it was seen SAW
op_acquire() {
  holder
  while :; do
    top
    aq_top=$TOP
    pause acquire-listed
    # Look for oneself after the highest was fixed: the other way round, another attempt of this same identity acquires,
    # works and releases in between, and a finished run takes the lease.
    find_us
    [ "$US" -gt "$aq_top" ] && continue
    content "$aq_top"
    if [ "$US" = "$aq_top" ] && [ "$US" -gt 0 ] && [ -z "$FREE" ]; then
      aq_token=$aq_top
      break
    fi
    # One acquisition for one identity: under a later number it is fenced for good.
    if [ "$US" -gt 0 ]; then
      printf 'fenced\n'
      state
      return
    fi
    if [ "$aq_top" = 0 ] || [ -n "$FREE" ]; then
      aq_saw=free
    elif [ "$aq_top" = "$1" ]; then
      aq_saw=$2
    else
      printf 'held\n'
      state
      return
    fi
    now
    aq_token=$((aq_top + 1))
    pause acquire-link
    put "$STATE/lease/t.$aq_token" "{\"token\":$aq_token,\"free\":false,\"holder\":$HOLDER,\"saw\":\"$aq_saw\",\"takenAt\":\"$TODAY\",\"epoch\":$NOW}" sync && break
  done
  renewed "$aq_token"
  pause acquire-sweep
  # Always, also when a retry found itself: the attempt that linked may have died before it ended the older jobs.
  sweep "$aq_token"
  renewed "$aq_token"
  printf 'acquired %s\n' "$aq_token"
}

# sweep TOKEN: ends every job of a smaller token; returns when none is left
sweep() {
  sw_stuck=
  for sw_claim in "$STATE"/jobs/*/claim.*; do
    unended "$sw_claim" || continue
    [ "$JOB_TOKEN" -lt "$1" ] || continue
    end_job cancelled || sw_stuck="$sw_stuck $JOB_ID ($STUCK)"
  done
  [ -z "$sw_stuck" ] || fail stuck "$sw_stuck"
}

# holds TOKEN: whether the lease is this identity's under that token
holds() {
  content "$1" && names_us && [ -z "$FREE" ] && in_force "$1"
}

# renew TOKEN
op_renew() {
  holder
  if holds "$1"; then
    renewed "$1"
    printf 'extended\n'
  else
    not_ours "$1"
  fi
}

# release TOKEN: links the next number as free, so that release and take-over exclude each other; then ends what
# of the run still lives: an attempt that nobody heard of again, and whose step has no undo to seal it
op_release() {
  holder
  if ! content "$1" || ! names_us || [ -n "$FREE" ]; then
    not_ours "$1"
    return
  fi
  now
  rl_next=$(($1 + 1))
  pause release-link
  if put "$STATE/lease/t.$rl_next" "{\"token\":$rl_next,\"free\":true,\"by\":$HOLDER,\"takenAt\":\"$TODAY\",\"epoch\":$NOW}" sync; then
    let_go "$rl_next"
  elif content "$rl_next" && [ -n "$FREE" ] && names_us; then
    let_go "$rl_next"
  else
    not_ours "$1"
  fi
}

# let_go TOKEN: a job that cannot be ended must not keep a run from its own end; the next holder is refused because of it
let_go() {
  pause release-sweep
  (sweep "$1") >/dev/null
  printf 'released\n'
}

# not_ours TOKEN: who has that token, then the state
not_ours() {
  content "$1"
  printf 'other %s\n' "$CONTENT"
  state
}
