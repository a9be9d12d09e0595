# --- jobs: jobs/<id>/ with cmd, end, claim.G, started.G, out.G, err.G, ended.G, exit.G, judged.G, cancel; G = generation

# unended CLAIM: reads a claim without an exit into JOB_*; false for any other
unended() {
  JOB=${1%/*}
  JOB_GENERATION=${1##*.}
  [ -e "$1" ] && [ ! -e "$JOB/exit.$JOB_GENERATION" ] || return 1
  JOB_ID=${JOB##*/}
  read_claim
}

read_claim() {
  { read -r JOB_PID JOB_GROUP JOB_START JOB_TOKEN <"$JOB/claim.$JOB_GENERATION"; } 2>/dev/null
}

# job ID: JOB, and LAST, the highest generation that was claimed
job() {
  plain "$1"
  JOB_ID=$1
  JOB=$STATE/jobs/$1
  LAST=0
  while [ -e "$JOB/claim.$((LAST + 1))" ]; do LAST=$((LAST + 1)); done
}

# start ID TOKEN GENERATION LENGTH ENDING [ROUNDS LIMIT]: answers which generation to follow: this one, spawned here or
# before, or an earlier one, where this one may not follow it, because that has an exit or a verdict by now. Then, where
# ROUNDS are given, what `wait` answers for it; but not where jobs are in the group of this very call, which is then ended
# with them.
op_start() {
  job "$1"
  renewed "$2"
  [ -d "$JOB" ] || mkdir -p "$JOB" || fail cannot-write "$JOB"
  tidy_later "$JOB"
  payload "$(($4 + $5))" "$JOB"
  same_files "$4" "$5"
  job "$1"
  if [ "$LAST" -lt "$3" ] && may_follow "$3"; then
    STEPBACK_JOB=$1/$3/
    export STEPBACK_JOB
    detach $RUN_WITH "$HELPER" "$STATE" "$RUN_WITH" "$NONCE" run "$1" "$2" "$3"
    LAST=$3
  fi
  tidy
  printf 'follow %s\n' "$LAST"
  if [ $# -gt 6 ] && leader; then until_exit "$LAST" "$6" "$7"; fi
}

# same_files LENGTH ENDING: one id is one command for ever, so a retry must bring the same
same_files() {
  sf_ending=
  if [ "$2" -gt 0 ]; then
    [ ! -e "$JOB/cmd" ] || [ -e "$JOB/end" ] || fail other-command "$JOB_ID"
    scratch "$JOB"
    sf_ending=$SCRATCH
    tail -c +"$(($1 + 1))" "$PAYLOAD" >"$sf_ending"
    scratch "$JOB"
    head -c "$1" "$PAYLOAD" >"$SCRATCH"
    mv -f "$SCRATCH" "$PAYLOAD"
    # Before the command: whoever finds a claim finds how to end it.
    same_file "$sf_ending" "$JOB/end"
  elif [ -e "$JOB/end" ]; then
    fail other-command "$JOB_ID"
  fi
  same_file "$PAYLOAD" "$JOB/cmd"
}

same_file() {
  if [ -e "$2" ]; then
    cmp -s "$1" "$2" || fail other-command "$JOB_ID"
    drop "$1"
  else
    # Not by `link`: its loser has nothing left to compare.
    if ! ln "$1" "$2" 2>/dev/null; then
      [ -e "$2" ] || fail cannot-link "$2"
      cmp -s "$1" "$2" || fail other-command "$JOB_ID"
    fi
    drop "$1"
  fi
}

# may_follow GENERATION: asked for by number, and only where the one before was judged so, or certainly never started
may_follow() {
  [ "$1" = 1 ] && return 0
  mf_before=$(($1 - 1))
  [ "$LAST" = "$mf_before" ] || return 1
  if [ -e "$JOB/judged.$mf_before" ]; then
    read -r mf_verdict <"$JOB/judged.$mf_before"
    [ "$mf_verdict" = again ]
  else
    JOB_GENERATION=$mf_before
    read_claim && ! alive "$JOB_PID" "$JOB_START" && [ ! -e "$JOB/started.$mf_before" ] && [ ! -e "$JOB/exit.$mf_before" ]
  fi
}

# run ID TOKEN GENERATION: the runner, detached, in its own group. Publish, then look: of this claim and a take-over's
# number, whichever is second sees the first.
op_run() {
  trap '' HUP
  # A handler, not '': it is reset in the child, so the command dies of TERM and the runner lives to record that.
  trap : TERM INT
  job "$1"
  tidy_later "$JOB"
  trap tidy EXIT
  identify "$$" || exit 1
  rn_group=$GROUP
  pause run-claim
  put "$JOB/claim.$3" "$$ $GROUP $IDENTITY $2" || exit 0
  pause run-claimed
  if [ -e "$JOB/cancel" ]; then
    put "$JOB/exit.$3" cancelled
    exit 0
  fi
  if ! in_force "$2"; then
    put "$JOB/exit.$3" fenced
    exit 0
  fi
  pause run-looked
  # Lost in a power cut, a claim would say that nothing ran: claim, start and their names are on the disk first.
  { printf '%s\n' "$$" >"$JOB/started.$3"; } 2>/dev/null || exit 1
  rn_end=
  [ -e "$JOB/end" ] && rn_end=$JOB/end
  durable "$JOB/cmd" ${rn_end:+"$rn_end"} "$JOB/claim.$3" "$JOB/started.$3" "$JOB"
  pause run-started
  $RUN_WITH "$JOB/cmd" </dev/null >>"$JOB/out.$3" 2>>"$JOB/err.$3"
  rn_status=$?
  # A TERM to the group must not end the `ln` that records the end.
  trap '' TERM INT
  pause run-ended
  # An exit says that nothing of the job acts any more: a take-over does not look behind it.
  end_others "$rn_group"
  [ "$rn_status" != 0 ] && [ -e "$JOB/cancel" ] && rn_status=cancelled
  if [ "$rn_status" != 0 ] && [ -e "$JOB/end" ]; then
    # Without an exit it is not over: whoever waits or takes over goes on ending it, and links this status then.
    put "$JOB/ended.$3" "$rn_status" sync
    run_ending || run_ending || exit 1
  fi
  put "$JOB/exit.$3" "$rn_status" sync "$JOB/out.$3" "$JOB/err.$3"
}

# wait ID TOKEN GENERATION ROUNDS LIMIT: the exit of this generation with the tails of its output, or how things stand:
# `more`, `unclaimed`, or `unstarted` when it certainly never ran
op_wait() {
  job "$1"
  renewed "$2"
  until_exit "$3" "$4" "$5"
}

# until_exit GENERATION ROUNDS LIMIT
until_exit() {
  JOB_GENERATION=$1
  wt_round=0
  while [ ! -e "$JOB/exit.$1" ]; do
    wt_round=$((wt_round + 1))
    if [ -e "$JOB/claim.$1" ]; then
      # Dead first, then without an exit: the other way round it may have ended in between.
      if read_claim && ! alive "$JOB_PID" "$JOB_START" && [ ! -e "$JOB/exit.$1" ]; then
        if [ ! -e "$JOB/started.$1" ]; then
          printf 'unstarted %s\n' "$1"
          return
        fi
        # A dead runner is not a dead job: its command may go on. Where a cancel killed it, we are only the first to see.
        wt_ended=lost
        [ ! -e "$JOB/cancel" ] || wt_ended=cancelled
        end_job "$wt_ended" || fail stuck "$JOB_ID ($STUCK)"
        continue
      fi
    elif [ "$wt_round" -gt 60 ]; then
      printf 'unclaimed %s\n' "$1"
      return
    fi
    if [ "$wt_round" -gt "$2" ]; then
      printf 'more %s\n' "$1"
      return
    fi
    case $wt_round in
    ? | [1-4]?) sleep 0.02 ;;
    *) sleep 0.05 ;;
    esac
  done
  tell_exit "$1" "$3"
}

tell_exit() {
  read -r te_exit <"$JOB/exit.$1"
  te_verdict=none
  [ -e "$JOB/judged.$1" ] && read -r te_verdict <"$JOB/judged.$1"
  read_claim
  te_force=no
  in_force "$JOB_TOKEN" && te_force=yes
  te_out=0
  te_err=0
  [ ! -s "$JOB/out.$1" ] || te_out=$(wc -c <"$JOB/out.$1")
  [ ! -s "$JOB/err.$1" ] || te_err=$(wc -c <"$JOB/err.$1")
  te_out=$((te_out > $2 ? $2 : te_out))
  te_err=$((te_err > $2 ? $2 : te_err))
  printf 'exit %s %s %s %s %s %s\n' "$1" "$te_exit" "$te_verdict" "$te_force" "$te_out" "$te_err"
  [ "$te_out" = 0 ] || tail -c "$te_out" "$JOB/out.$1"
  [ "$te_err" = 0 ] || tail -c "$te_err" "$JOB/err.$1"
}

# end_job EXIT: ends all of the claim in JOB_*, waits until it is gone, then links how it ended; false when STUCK
end_job() {
  ej_mark=$JOB_ID/$JOB_GENERATION/
  # First what left the group: a dying client must not leave a child or a session that nobody ends.
  run_ending
  if ! end_group "$JOB_PID" "$JOB_GROUP" "$JOB_START" "$ej_mark"; then
    STUCK="group $JOB_GROUP:$MEMBERS, $FOUND"
    return 1
  fi
  pause end-ended
  if ! run_ending; then
    STUCK="its ending failed, see $JOB/end.log"
    return 1
  fi
  ej_exit=$1
  [ ! -e "$JOB/ended.$JOB_GENERATION" ] || read -r ej_exit <"$JOB/ended.$JOB_GENERATION"
  put "$JOB/exit.$JOB_GENERATION" "$ej_exit" sync
  return 0
}

# run_ending: the step's own way to end what is out of the group's reach; true when it says that nothing is left
run_ending() {
  [ -e "$JOB/end" ] || return 0
  (
    unset STEPBACK_JOB
    exec $RUN_WITH "$JOB/end" "$JOB_ID"
  ) </dev/null >>"$JOB/end.log" 2>&1 &
  re_pid=$!
  re_round=0
  while identify "$re_pid"; do
    re_round=$((re_round + 1))
    # A daemon that hangs must not hold up an emergency for ever.
    [ "$re_round" -le 300 ] || kill -KILL "$re_pid" 2>/dev/null
    if [ "$re_round" -lt 5 ]; then sleep 0.02; else sleep 0.1; fi
  done
  wait "$re_pid"
}

# cancel ID TOKEN: published first, so that a runner which has not looked yet refuses itself; then the end of what runs
op_cancel() {
  job "$1"
  renewed "$2"
  [ -d "$JOB" ] || mkdir -p "$JOB" || fail cannot-write "$JOB"
  [ -e "$JOB/cancel" ] || put "$JOB/cancel" "$2" sync
  pause cancel-published
  job "$1"
  if [ "$LAST" -gt 0 ] && unended "$JOB/claim.$LAST"; then
    end_job cancelled || fail stuck "$JOB_ID ($STUCK)"
  fi
  printf 'cancelled %s\n' "$LAST"
}

# judge ID TOKEN GENERATION VERDICT: linked once; who is second obeys the first
op_judge() {
  job "$1"
  renewed "$2"
  { read -r jd_exit <"$JOB/exit.$3"; } 2>/dev/null && [ "$jd_exit" = lost ] || fail not-lost "$1"
  put "$JOB/judged.$3" "$4" sync
  read -r jd_verdict <"$JOB/judged.$3"
  printf 'judged %s\n' "$jd_verdict"
}

# list: id, generation, token, exit or `-`
op_list() {
  for ls_job in "$STATE"/jobs/*; do
    [ -d "$ls_job" ] || continue
    job "${ls_job##*/}"
    JOB_GENERATION=$LAST
    JOB_TOKEN=-
    [ "$LAST" = 0 ] || read_claim
    ls_exit=-
    [ ! -e "$JOB/exit.$LAST" ] || read -r ls_exit <"$JOB/exit.$LAST"
    printf 'job %s %s %s %s\n' "$JOB_ID" "$LAST" "$JOB_TOKEN" "$ls_exit"
  done
}

# prune DAYS: jobs, ended timers and lease numbers that are that old. Only jobs of an older token: a late ghost with the
# same id is then fenced, else it would start the job a second time. Renamed away first, so that no half of one is read.
op_prune() {
  top
  for pr_job in $(cd "$STATE/jobs" && find . -name '[!.]*' -prune -mtime +"$1" -print); do
    job "${pr_job#./}"
    JOB_GENERATION=$LAST
    [ "$LAST" -gt 0 ] && read_claim && [ "$JOB_TOKEN" -lt "$TOP" ] && [ -e "$JOB/exit.$LAST" ] || continue
    remove "$JOB"
    printf 'pruned %s\n' "$JOB_ID"
  done
  for pr_timer in $(cd "$STATE/timers" && find . -name '[!.]*' -prune -mtime +"$1" -print); do
    [ ! -e "$STATE/timers/$pr_timer/done" ] || remove "$STATE/timers/${pr_timer#./}"
  done
  # By age and from the lowest, never the highest: a ghost must find itself, and numbers must have no gap.
  pr_number=$(cd "$STATE/lease" && ls | sed -n 's/^t\.//p' | sort -n | head -n 1)
  while [ -n "$pr_number" ] && [ "$pr_number" -lt "$TOP" ]; do
    [ -n "$(find "$STATE/lease/t.$pr_number" -mtime +"$1")" ] || break
    rm -f "$STATE/lease/renewed.$pr_number" "$STATE/lease/t.$pr_number"
    pr_number=$((pr_number + 1))
  done
  # What calls that were killed left behind.
  find "$STATE" \( -name '.t.*' -o -name '.gone.*' \) -mtime +1 -prune -exec rm -rf {} +
}

remove() {
  rv_gone=${1%/*}/.gone.$NONCE.${1##*/}
  mv "$1" "$rv_gone" && rm -rf "$rv_gone"
}
