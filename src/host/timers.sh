# --- timers: timers/<name>/ with cmd, claim.G, out, err, done ---------------------------------------------------------

# arm NAME LENGTH: a detached process that no take-over ends, since it is no job of a token; what it does it asks for
# itself. Armed once for one name; one that died is armed again. Returns when it runs.
op_arm() {
  timer "$1"
  [ -d "$JOB" ] || mkdir -p "$JOB" || fail cannot-write "$JOB"
  payload "$2" "$JOB"
  same_file "$PAYLOAD" "$JOB/cmd"
  ar_round=0
  ar_next=0
  while :; do
    timer "$1"
    if [ -e "$JOB/done" ]; then break; fi
    JOB_GENERATION=$LAST
    if [ "$LAST" -gt 0 ] && read_claim && alive "$JOB_PID" "$JOB_START"; then break; fi
    if [ -e "$JOB/done" ]; then break; fi
    if [ "$ar_next" -le "$LAST" ]; then
      ar_next=$((LAST + 1))
      detach $RUN_WITH "$HELPER" "$STATE" "$RUN_WITH" "$NONCE" tick "$1" "$ar_next"
    fi
    ar_round=$((ar_round + 1))
    [ "$ar_round" -le 200 ] || fail stuck "timer $1 does not start"
    sleep 0.05
  done
  printf 'armed %s\n' "$LAST"
}

timer() {
  plain "$1"
  JOB_ID=$1
  JOB=$STATE/timers/$1
  LAST=0
  while [ -e "$JOB/claim.$((LAST + 1))" ]; do LAST=$((LAST + 1)); done
}

# tick NAME GENERATION: the timer itself
op_tick() {
  trap '' HUP
  timer "$1"
  identify "$$" || exit 1
  put "$JOB/claim.$2" "$$ $GROUP $IDENTITY 0" sync || exit 0
  $RUN_WITH "$JOB/cmd" </dev/null >>"$JOB/out" 2>>"$JOB/err" && put "$JOB/done" "$2" sync
}
