# --- the way back without Temporal: what stands above is this restore point's own -------------------------------------
# Every change is a job of the helper under the lease, as a worker's would be: fenced by a later token, ended by a
# take-over. Each can be done twice, so a start that was killed anywhere is gone on with by the next one.

umask 077
LC_ALL=C
PATH=$PATH:/usr/local/bin:/opt/homebrew/bin:${HOME:-}/.docker/bin:/Applications/Docker.app/Contents/Resources/bin:/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
RUN_WITH=${STEPBACK_SHELL:-/bin/sh}
NONCE=restore$$
SELF=restore_$RESTORE_POINT.sh
TOKEN=0
CHANGED=
BUILT=
# Renewed by nobody for so long, and without a living job, a lease is its holder's no more. Set by tests only.
UNRENEWED_SECONDS=${STEPBACK_UNRENEWED_SECONDS:-90}

usage() {
  cat <<USAGE
usage: sh $SELF [--yes] [--dry-run] [--wait]

Puts $TARGET back to $RESTORE_POINT, version $VERSION, taken at $TAKEN_AT: database, files, images and services.
  --dry-run  says what it would do, and changes nothing
  --yes      does not ask
  --wait     waits while somebody else holds the lease of $TARGET
Rows that were written since come along with nothing: they stay in the database of now, which is kept.
Killed on the way, it goes on when it is started again.
exit status: 0 done, 2 wrong use, 3 refused before a change, 4 failed before a change, 5 failed on the way, or not healthy
USAGE
}

say() { printf '%s\n' "$*"; }

# stop_here STATUS MESSAGE [HINT]: the lease goes back, so that nobody waits for it
stop_here() {
  printf 'stepback: %s\n' "$2" >&2
  [ -z "${3-}" ] || printf 'hint: %s\n' "$3" >&2
  release
  exit "$1"
}

# failed MESSAGE: on the way, where another start goes on
failed() {
  if [ -z "$CHANGED" ]; then
    [ -z "$BUILT" ] || { BUILT= && job db_drop "$(text db_drop)" "$(text db_ending)"; }
    stop_here 4 "$1" "nothing was changed; mend that, and start it again."
  fi
  # Not released: another start finds that it was ours, and goes on; nobody else should with a half of it.
  TOKEN=0
  stop_here 5 "$1" "the way back is not whole: mend that, and start it again."
}

# --- texts ------------------------------------------------------------------------------------------------------------

# tail_of KIND RUN MARK: TAIL, the end of a database's name; that of a long one has a hash
tail_of() {
  TAIL=__$1_$2
  [ "$3" = "__$1_$RUN_MARK" ] || TAIL=${TAIL}_$(printf %s "$DATABASE_NAME$TAIL" | sum256 | cut -c 1-6)
}

# text NAME [RUN]: the text of that name; in one of the database's the marks are what they stand for
text() {
  case $1 in db_*) ;; *)
    "text_$1"
    return
    ;;
  esac
  tx_run=${2:-$RUN8}
  tail_of new "$tx_run" "$NEW_MARK" && tx_new=$TAIL
  tail_of warm "$tx_run" "$WARM_MARK" && tx_warm=$TAIL
  tail_of before "$tx_run" "$BEFORE_MARK" && tx_before=$TAIL
  "text_$1" | sed -e "s/$NEW_MARK/$tx_new/g" -e "s/$WARM_MARK/$tx_warm/g" -e "s/$BEFORE_MARK/$tx_before/g" \
    -e "s/$TOKEN_MARK/$TOKEN/g" -e "s/$CLOSING_MARK/${CLOSING:-0}/g" -e "s/$RUN_MARK/$tx_run/g"
}

has() { command -v "text_$1" >/dev/null 2>&1; }

# look NAME: LOOKED, what a text printed that only reads, and its exit status
look() {
  lk_text=$(text "$1")
  LOOKED=$(eval "$lk_text" </dev/null)
}

# --- the helper -------------------------------------------------------------------------------------------------------

install_helper() {
  [ -f "$HELPER" ] && return
  for ih_name in lease jobs ledger audit migrations staging timers; do mkdir -p "$STATE/$ih_name" || return 1; done
  chmod 700 "$STATE" && text_helper >"$HELPER.$$" && mv -f "$HELPER.$$" "$HELPER"
}

# ask OP WORD...: ANSWER, between the frames; false where the helper refused, and FAILURE says why
ask() {
  ak_all=$($RUN_WITH "$HELPER" "$STATE" "$RUN_WITH" "$NONCE" "$@" 2>/dev/null)
  FAILURE=
  case $ak_all in
  *"@@$NONCE fail "*)
    FAILURE=${ak_all##*"@@$NONCE fail "}
    return 1
    ;;
  *"@@$NONCE end "*) ;;
  *)
    FAILURE="the helper does not answer"
    return 1
    ;;
  esac
  ANSWER=$(printf '%s\n' "$ak_all" | sed -e '1,/^@@.* begin$/d' -e '/^@@.* end [0-9]*$/,$d')
}

# ask_with TEXT OP WORD...: with a payload
ask_with() {
  aw_text=$1
  shift
  ask "$@" <<PAYLOAD
$aw_text
PAYLOAD
}

# bytes TEXT: BYTES, with the line break that ends a payload
bytes() { BYTES=$(($(printf '%s\n' "$1" | wc -c))); }

line_of() { printf '%s\n' "$ANSWER" | sed -n "s/^$1 //p" | head -n 1; }

# --- the lease --------------------------------------------------------------------------------------------------------

field() { printf '%s\n' "$CONTENT" | sed -n "s/^.*\"$1\":\"\\([^\"]*\\)\".*\$/\\1/p"; }

# read_lease: NUMBER, and STANDS: free, ours (of a start of this script that died), dead (of another's), over, or held
read_lease() {
  ask lease </dev/null || stop_here 3 "the lease cannot be read: $FAILURE"
  NUMBER=$(line_of number)
  CONTENT=$(line_of content)
  LIVING=$(line_of living)
  rl_renewed=$(line_of renewed)
  rl_epoch=$(printf '%s\n' "$CONTENT" | sed -n 's/^.*"epoch":\([0-9]*\)}$/\1/p')
  [ "${rl_renewed:-0}" -ge "${rl_epoch:-0}" ] || rl_renewed=$rl_epoch
  UNRENEWED=$(($(line_of now) - ${rl_renewed:-0}))
  case $CONTENT in '' | *'"free":true'*) STANDS=free ;; *'"kind":"script"'*) of_script ;; *) of_run ;; esac
}

# A script has no server to ask: its process is named in its run id, and it lives as long as that does.
of_script() {
  os_run=$(field runId)
  os_rest=${os_run%-*}
  if ask who "${os_rest%%.*}" "${os_rest#*.}" </dev/null && [ "$ANSWER" = alive ]; then
    STANDS=held
  elif [ "$(field workflowId)" = "$SELF" ]; then
    STANDS=ours
  else
    STANDS=dead
  fi
}

of_run() {
  STANDS=held
  if [ "$UNRENEWED" -gt "$UNRENEWED_SECONDS" ] && [ -z "$LIVING" ]; then STANDS=over; fi
}

holder_says() {
  hs_job=${LIVING:+, and its job $LIVING runs}
  say "$(field kind) $(field workflowId), which renewed its lease $UNRENEWED s ago$hs_job"
}

ensure_free() {
  while read_lease && [ "$STANDS" = held ]; do
    [ -n "$WAIT" ] || stop_here 3 "$TARGET is held by $(holder_says)" \
      "stop what holds it, the worker too where Temporal is gone; it may be taken $UNRENEWED_SECONDS s later: --wait."
    [ "$WAIT" = said ] || say "waiting: $TARGET is held by $(holder_says)"
    WAIT=said
    sleep 2
  done
}

# acquire: TOKEN, and RUN8, which an earlier start of this script may have begun with. The run id ends in it, as a
# worker's does, so that a worker finds this run's databases.
acquire() {
  ask who "$$" </dev/null
  aq_me=${ANSWER#is }
  while :; do
    ensure_free
    RUN8=$(printf '%s %s %s' "$RESTORE_POINT" "$$" "$(date -u +%s)" | sum256 | cut -c 1-8)
    aq_saw=closed
    case $STANDS in
    ours) RUN8=$(field runId) && RUN8=${RUN8##*-} ;;
    over) aq_saw=expired ;;
    esac
    RUN="{\"workflowId\":\"$SELF\",\"runId\":\"$$.$aq_me-$RUN8\"}"
    aq_inner=${RUN#?}
    HOLDER="${aq_inner%?}
${RUN%?},\"namespace\":\"\",\"kind\":\"script\"}"
    ask_with "$HOLDER" acquire "$NUMBER" "$aq_saw" || stop_here 3 "the lease cannot be taken: $FAILURE"
    TOKEN=$(line_of acquired)
    [ -z "$TOKEN" ] || return 0
    TOKEN=0
  done
}

release() {
  [ "$TOKEN" != 0 ] || return 0
  ask_with "$HOLDER" release "$TOKEN"
  TOKEN=0
}

# --- jobs -------------------------------------------------------------------------------------------------------------

# job NAME TEXT [ENDING]: runs it under the lease, and waits for its end: STATUS, or a word where it has none
job() {
  jb_id=script.$RUN8.$TOKEN.$1
  bytes "$2"
  jb_length=$BYTES
  jb_ending=0
  [ -z "${3-}" ] || { bytes "$3" && jb_ending=$BYTES; }
  ask_with "$2${3:+
$3}" start "$jb_id" "$TOKEN" 1 "$jb_length" "$jb_ending" || failed "$1 cannot be started: $FAILURE"
  jb_late=0
  while :; do
    ask wait "$jb_id" "$TOKEN" 1 200 0 </dev/null || failed "$1 cannot be followed: $FAILURE"
    STATUS=$(line_of exit | cut -d ' ' -f 2)
    [ -z "$STATUS" ] || break
    case $ANSWER in more*) ;; *) jb_late=$((jb_late + 1)) ;; esac
    [ "$jb_late" -lt 3 ] || { STATUS=unstarted && break; }
  done
  [ "$STATUS" = 0 ]
}

# said: what our own texts print for people; all else may hold a secret, and stays where it is
said() { sed -n 's/^stepback: /  /p' "$STATE/jobs/$jb_id/err.1" 2>/dev/null; }

# step NAME WHAT: a text as a job; ends here where that fails
step() {
  say "$2"
  sp_ending=
  case $1 in db_build | db_drop | db_journal) sp_ending=$(text db_ending) ;; esac
  job "$1" "$(text "$1")" "$sp_ending" && return
  said >&2
  case $STATUS in
  fenced | cancelled) failed "somebody else has taken the lease" ;;
  *) failed "it failed ($STATUS); what it printed is in $STATE/jobs/$jb_id/err.1" ;;
  esac
}

# --- the ledger -------------------------------------------------------------------------------------------------------

# record ID ENTRY
record() {
  ask_with "$2" append ledger "$TOKEN" "$RUN8.$TOKEN.$1" || failed "the ledger cannot be written: $FAILURE"
}

# open_runs: the runs whose plan has no end, as the ledger names them. All before the entry's run is the helper's own,
# so the first match is the true one.
open_runs() {
  ask read ledger 0 </dev/null || return 0
  printf '%s\n' "$ANSWER" | awk '
    function number(name,  at) { at = index($0, "\"" name "\":"); return substr($0, at + length(name) + 3) + 0 }
    { at = index($0, "\"entry\":{\"kind\":\""); rest = substr($0, at + 17); kind = substr(rest, 1, index(rest, "\"") - 1)
      run = substr(rest, length(kind) + 9); end = index(run, "\",\"runId\":\""); if (!at || !end) next
      tail = substr(run, end + 11); run = substr(run, 1, end + 10 + index(tail, "\"")) "}"
      if (number("token") < number("high")) next
      if (kind == "plan") { if (!(run in open)) order[++n] = run; open[run] = 1 }
      if (kind == "finished" || kind == "debt-closed") open[run] = 0
      if (kind == "finished" && index($0, ",\"settles\":true}}")) for (i = 1; i <= n; i++) open[order[i]] = 0 }
    END { for (i = 1; i <= n; i++) if (open[order[i]]) print order[i] }'
}

# close_debts RUNS: SETTLED, those runs by name; all that they could have left is put back, or belongs to nobody
close_debts() {
  SETTLED=
  cd_runs=$1
  [ -n "$cd_runs" ] || return 0
  cd_number=0
  while IFS= read -r cd_run <&3; do
    [ "$cd_run" != "$RUN" ] || continue
    cd_number=$((cd_number + 1))
    cd_id=${cd_run##*'"runId":"'}
    cd_id=${cd_id%%'"'*}
    cd_run8=$(printf %s "$cd_id" | tr -d - | sed 's/^.*\(........\)$/\1/')
    case $cd_run8 in *[!0-9a-z]*) ;; ????????) clear_away "$cd_run8" ;; esac
    cd_name=${cd_run#*'"workflowId":"'}
    cd_name=$(printf %s "${cd_name%%'","runId"'*}" | tr -c 'A-Za-z0-9_.:@+-' _)
    # Its own earlier starts are no runs of others.
    [ "$cd_name" = "$SELF" ] || SETTLED="$SETTLED $cd_name"
    record "debt.$cd_number" "{\"kind\":\"debt-closed\",\"run\":$cd_run,\"how\":\"undone\"}"
  done 3<<RUNS
$cd_runs
RUNS
}

# clear_away RUN: what a run whose debt is closed left half-made
clear_away() {
  rm -rf "$STATE/staging/$1"
  [ "$DATABASE" != absent ] || return 0
  job "drop.$1" "$(text db_drop "$1")" "$(text db_ending)" || said >&2
}

# --- the database -----------------------------------------------------------------------------------------------------

# learn: DOOR and its CLOSING, and OPERATION, how the exchange stands
learn() {
  look db_learn || failed "the journal of database work cannot be read"
  DOOR=${LOOKED%%|*}
  OPERATION=${LOOKED##*|}
  CLOSING=${LOOKED#*|}
  CLOSING=${CLOSING%|*}
}

exchange() {
  say "exchange it with the live one"
  for ex_try in 1 2 3 4 5; do
    learn
    [ "$OPERATION" != swapped ] || return 0
    CLOSING=$((CLOSING + 1))
    # Armed before the close: whoever dies behind it must not leave the database closed.
    ex_timer=$(text db_timer)
    bytes "$ex_timer"
    ask_with "$ex_timer" arm "door.$TOKEN.$CLOSING" "$BYTES" || failed "the timer cannot be armed: $FAILURE"
    job "db_exchange.$ex_try" "$(text db_exchange)" "$(text db_ending)" && break
  done
  learn
  [ "$OPERATION" = swapped ] || failed "the databases could not be exchanged; why is in $STATE/jobs/$jb_id/err.1"
}

# needs_database: NEEDS, whether another database takes the live one's place
needs_database() {
  NEEDS=
  case $DATABASE in
  dump) NEEDS=yes ;;
  kept)
    look db_oids || failed "the database cannot be asked"
    [ "${LOOKED%% *}" = "$KEPT_OID" ] && return
    [ "${LOOKED##* }" = "$KEPT_OID" ] || failed "the database that this restore point kept is gone"
    NEEDS=yes
    ;;
  none)
    has db_head || return 0
    look db_head || failed "the database is at another migration than then, and this restore point holds none"
    ;;
  esac
}

# --- files ------------------------------------------------------------------------------------------------------------

# outside: OUTSIDE, paths that were brought only after this restore point; the first later one that names a path says
outside() {
  OUTSIDE=
  ot_known=$(sed -n -e 's/^#known //p' -e 's/^#gone //p' "$BACKUPS/$SELF")
  ot_later=
  for ot_file in "$BACKUPS"/restore_*.sh; do
    if [ "$ot_file" = "$BACKUPS/$SELF" ]; then
      ot_later=yes
      continue
    fi
    [ -n "$ot_later" ] && grep -q "^#target $TARGET\$" "$ot_file" || continue
    for ot_path in $(sed -n 's/^#gone //p' "$ot_file"); do
      case "
$ot_known
" in *"
$ot_path
"*) ;; *) OUTSIDE="$OUTSIDE $ot_path" ;; esac
    done
    ot_known="$ot_known
$(sed -n -e 's/^#known //p' -e 's/^#gone //p' "$ot_file")"
  done
}

files_text() {
  text files
  text outside
  for ft_path in $OUTSIDE; do
    printf "p=\$(printf '%%b.' '%s'); take_out \"\${p%%.}\"\n" "$ft_path"
  done
}

put_files() {
  say "put the files of then back"
  job files "$(files_text)" && return
  said >&2
  failed "the files are not all put back ($STATUS)"
}

# --- the procedure ----------------------------------------------------------------------------------------------------

show() {
  say "$SELF puts $TARGET back to version $VERSION as of $TAKEN_AT:"
  [ "$DATABASE" != dump ] || say "  - build the database of then beside the live one, and compare it with what was recorded"
  say "  - take a restore point of what is there now"
  say "  - stop $APPLICATION"
  say "  - put the files of then back, secrets as they are now"
  case $DATABASE in dump | kept) say "  - exchange the databases, in one transaction; the one of now is kept beside it" ;; esac
  say "  - give the images of then their names back, and start $STARTED"
  say "  - ask the health checks"
  has db_counts || return 0
  look db_counts 2>/dev/null || return 0
  [ -z "$LOOKED" ] || say "Rows written since then are not in the database of then:" "
$(printf '%s\n' "$LOOKED" | sed 's/^/  /')"
}

confirm() {
  [ -z "$YES" ] || return 0
  printf 'Go back? Type yes: '
  IFS= read -r cf_answer || cf_answer=
  [ "$cf_answer" = yes ] || stop_here 3 "not confirmed; nothing was changed" "answer yes, or start it with --yes."
}

check() {
  look look || stop_here 3 "nothing was changed" "mend what is said above, or go back to another restore point."
}

bring_database() {
  [ "$DATABASE" != absent ] || return 0
  step db_server "see that the database runs"
  step db_journal "see to the journal of database work"
  step db_fence "end the database sessions of earlier runs"
  needs_database
  [ -n "$NEEDS" ] || return 0
  learn
  if [ "$OPERATION" = swapped ]; then NEEDS= && return; fi
  if [ "$DATABASE" = dump ]; then build; fi
  step db_open "note the exchange in the journal"
}

# running_version: what the ledger says is there now
running_version() {
  ask read ledger 0 </dev/null || ANSWER=
  rv_found=$(printf '%s\n' "$ANSWER" |
    sed -n 's/^.*"outcome":"done","release":{"kind":"[a-z]*","version":"\([A-Za-z0-9._+-]*\)".*$/\1/p' | tail -n 1)
  printf '%s' "${rv_found:-unknown}"
}

# take_safety: SAFETY, the restore point by which this is undone; one that an earlier start took is as things were
take_safety() {
  say "take a restore point of what is there now"
  ts_taken=$(grep -l "\"runId\":\"[^\"]*-$RUN8\"" "$BACKUPS"/manifest_*.json 2>/dev/null | head -n 1)
  ts_taken=${ts_taken##*/manifest_}
  SAFETY=${ts_taken%.json}
  [ -z "$SAFETY" ] || return 0
  ts_version=$(running_version)
  SAFETY=$(date -u +%Y%m%dT%H%M%SZ)-$ts_version
  ts_more='"state":"taken"'
  if [ -n "${NEEDS-}" ]; then
    look db_live || failed "the database cannot be asked"
    tail_of before "$RUN8" "$BEFORE_MARK"
    ts_more="\"state\":\"kept\",\"kept\":{\"name\":$(printf '%s\n' "$BEFORE_JSON" | sed "s/$BEFORE_MARK/$TAIL/"),\"oid\":$LOOKED}"
  fi
  if [ "$DATABASE" != absent ] && look db_newest 2>/dev/null; then
    case $LOOKED in '' | *[!A-Za-z0-9_.-]*) ;; *) ts_more="$ts_more,\"migrationHead\":\"$LOOKED\"" ;; esac
  fi
  job safety "$(printf 'SAFETY=%s\nVERSION_NOW=%s\nTAKEN_NOW=%s\nOUTSIDE=%s\nRUN=%s\nMORE=%s\n' "$SAFETY" "$ts_version" \
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(quoted "$OUTSIDE")" "$(quoted "$RUN")" "$(quoted "$ts_more")"
  text safety | sed "s/@SAFETY@/$SAFETY/g")" && return
  said >&2
  failed "the restore point could not be taken ($STATUS); what it printed is in $STATE/jobs/$jb_id/err.1"
}

# record_plan: what a worker would need to undo this, should nobody start it again
record_plan() {
  rp_images=$(cat "$BACKUPS/manifest_$SAFETY.json")
  rp_images=${rp_images##*'"images":'}
  rp_images=${rp_images%%',"state":'*}
  rp_services=$(printf '%s\n' "$rp_images" | tr '{' '\n' | sed -n 's/^"service":\("[^"]*"\).*$/\1/p' |
    awk -v not="\"$DATABASE_SERVICE\"" '$0 != not { printf "%s%s", comma, $0; comma = "," }')
  rp_plan=$(text plan | sed -e "s/@SAFETY@/$SAFETY/" -e "s/@VERSION@/${SAFETY#*Z-}/")
  rp_plan=${rp_plan%%'[{"service":"@IMAGE@"'*}$rp_images${rp_plan#*'"@IMAGE@","id":"","ref":""}]'}
  rp_plan=${rp_plan%%'"@SERVICES@"'*}$rp_services${rp_plan#*'"@SERVICES@"'}
  record plan "{\"kind\":\"plan\",\"run\":$RUN,\"plan\":$rp_plan}"
  record start "{\"kind\":\"start\",\"run\":$RUN,\"step\":0,\"act\":\"restoreFiles\",\"undo\":false}"
}

quoted() { printf "'%s'" "$(printf '%s\n' "$1" | sed "s/'/'\\\\''/g")"; }

# build: the live one is named nowhere in it; what is half-made is dropped where it fails
build() {
  BUILT=yes
  step db_build "build the database of then beside the live one"
}

# ended RUN: whether an earlier start had come to its end
ended() {
  ask read ledger 0 </dev/null || return 1
  printf '%s\n' "$ANSWER" |
    grep -q "\"entry\":{\"kind\":\"finished\",\"run\":{\"workflowId\":\"$SELF\",\"runId\":\"[^\"]*-$1\"}"
}

# begin: takes the lease. An earlier start that died behind its end is not gone on with: its restore point is of a state
# that it left for good.
begin() {
  while :; do
    acquire
    record acquired "{\"kind\":\"acquired\",\"run\":$RUN,\"saw\":\"$STANDS\"}"
    { [ "$STANDS" = ours ] && ended "$RUN8"; } || return 0
    release
  done
}

go_back() {
  bring_database
  outside
  take_safety
  record_plan
  CHANGED=yes
  step stop "stop the application"
  put_files
  [ "$DATABASE" = absent ] || step db_recreate "see that the database's container is the one of then"
  [ -z "${NEEDS-}" ] || exchange
  step images "give the images of then their names back"
  step up "start the services"
}

# healthy: until every check is well often enough in a row, or the time is over
healthy() {
  say "ask the health checks"
  hl_well=0
  hl_end=$(($(date -u +%s) + HEALTH_SECONDS))
  while :; do
    if look health; then hl_well=$((hl_well + 1)); else hl_well=0; fi
    [ "$hl_well" -lt "$HEALTH_SUCCESSES" ] || return 0
    [ "$(date -u +%s)" -le "$hl_end" ] || return 1
    sleep "$HEALTH_INTERVAL"
  done
}

finish() {
  fi_debts=$(open_runs)
  # One entry ends this run and settles the debts below it: closed before, they would be lost where this one is undone;
  # closed only behind it, they would be undone upon it.
  record finished "{\"kind\":\"finished\",\"run\":$RUN,\"outcome\":\"done\",\"release\":{\"kind\":\"rollback\",\"version\":\"$VERSION\",\"restorePoint\":\"$RESTORE_POINT\",\"paths\":[]},\"settles\":true}"
  close_debts "$fi_debts"
  tell_people "$1"
  release
}

# tell_people OUTCOME: a line and a note, as a worker leaves them; that one cannot be written is said, and fails nothing.
# Under the name of its restore point, so that another start finds it.
tell_people() {
  [ -n "$DEPLOY_LOG$INCIDENTS" ] || return 0
  tp_now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  tp_file=$INCIDENTS/incident_${SAFETY%%-*}_rollback_$RUN8.md
  tp_text=$(
    text people
    for tp_run in $SETTLED; do line_for_people "$tp_run: ended without an end; undone by $SELF"; done
    line_for_people "$SELF rollback full $VERSION: $1"
    [ -z "$INCIDENTS" ] || printf 'tell write_note %s %s\n' "$(quoted "$tp_file")" "$(quoted "$(note "$1")")"
    printf 'exit "$told"\n'
  )
  job people "$tp_text" && { [ -z "$INCIDENTS" ] || say "noted in $tp_file"; } || said >&2
}

line_for_people() {
  [ -z "$DEPLOY_LOG" ] || printf 'tell log_line %s %s\n' "$(quoted "$DEPLOY_LOG")" "$(quoted "$tp_now $1")"
}

note() {
  cat <<NOTE
# Rollback of $TARGET: $1

- outcome: $1
- severity: not said
- why: $SELF was started on the host, without Temporal
- asked for by: $(id -un)
- scope: full
- destination: $RESTORE_POINT
- ended: $tp_now
- run: $SELF, $RUN8
- settled, since it never came to its end:${SETTLED:- none}

Undo it, once Temporal is back: \`stepback rollback $TARGET --to $SAFETY\`.

NOTE
}

options() {
  YES=
  DRY=
  WAIT=
  for op_word in "$@"; do
    case $op_word in
    --yes) YES=yes ;;
    --dry-run) DRY=yes ;;
    --wait) WAIT=yes ;;
    --help | -h)
      usage
      exit 0
      ;;
    *)
      usage >&2
      exit 2
      ;;
    esac
  done
}

main() {
  options "$@"
  check
  show
  [ -z "$DRY" ] || exit 0
  install_helper || stop_here 3 "the helper cannot be put into $STATE"
  ensure_free
  confirm
  trap 'printf "\nstepback: interrupted; start it again to go on\n" >&2; exit 130' INT TERM HUP
  begin
  go_back
  if healthy; then
    [ -z "$LOOKED" ] || say "$LOOKED"
    finish done
    say "done: $TARGET is at $VERSION again"
    say "undo it, once Temporal is back: stepback rollback $TARGET --to $SAFETY"
  else
    [ -z "$LOOKED" ] || say "$LOOKED" >&2
    finish "not healthy"
    stop_here 5 "everything is put back, and not healthy within $HEALTH_SECONDS s" "look at the logs of what is not well."
  fi
}

# The last line, so that a script that is not whole does nothing.
main "$@"
