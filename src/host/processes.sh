# --- processes: who is who, although numbers come again -------------------------------------------------------------

# has_proc: whether processes are read from /proc, else from ps
has_proc() {
  [ -r /proc/self/stat ] && ! without proc
}

# boot: BOOT, which start of the host this is
BOOT=
boot() {
  [ -n "$BOOT" ] && return
  if [ -r /proc/sys/kernel/random/boot_id ]; then
    read -r BOOT </proc/sys/kernel/random/boot_id
  else
    BOOT=$(sysctl -n kern.bootsessionuuid 2>/dev/null)
  fi
  [ -n "$BOOT" ] || BOOT=unknown
}

# identify PID: IDENTITY, its start, and GROUP, its process group; false when it is gone or a zombie
identify() {
  IDENTITY=
  GROUP=
  boot
  if has_proc; then
    stat_line "$1" || return 1
    set -- ${STAT##*") "}
    id_state=$1
    GROUP=$3
    shift 19
    IDENTITY=proc:$1:$BOOT
  else
    set -- $(TZ=UTC0 ps -o stat= -o pgid= -o lstart= -p "$1" 2>/dev/null)
    [ $# -ge 7 ] || return 1
    id_state=$1
    GROUP=$2
    IDENTITY=ps:$3_$4_$5_$6_$7:$BOOT
  fi
  # kill -0 succeeds for a zombie too, and the first process of a container may never reap one.
  case $id_state in [ZX]*) return 1 ;; esac
}

# stat_line PID: STAT, of which all behind the last ") " can be trusted: a process chooses its own name
stat_line() {
  { IFS= read -r STAT <"/proc/$1/stat"; } 2>/dev/null || return 1
  case $STAT in *") "*) return 0 ;; esac
  STAT=$(tr '\n' ' ' 2>/dev/null <"/proc/$1/stat")
  case $STAT in *") "*) return 0 ;; esac
  return 1
}

# same_start A B: ps computes the start from the clock, which may have been set meanwhile: 2 s are the same
same_start() {
  [ "$1" = "$2" ] && return 0
  case $1 in ps:*) ;; *) return 1 ;; esac
  clock_of "$1"
  ss_rest=$REST
  ss_clock=$CLOCK
  clock_of "$2"
  [ "$ss_rest" = "$REST" ] || return 1
  ss_apart=$((ss_clock - CLOCK))
  [ "${ss_apart#-}" -le 2 ]
}

clock_of() {
  co_rest=${1#*_*_*_}
  co_time=${co_rest%%_*}
  REST=${1%"$co_rest"}${co_rest#*_}
  co_h=${co_time%%:*}
  co_s=${co_time##*:}
  co_m=${co_time#*:}
  co_m=${co_m%:*}
  CLOCK=$((${co_h#0} * 3600 + ${co_m#0} * 60 + ${co_s#0}))
}

# alive PID IDENTITY: whether that very process runs
alive() {
  identify "$1" && same_start "$IDENTITY" "$2"
}

# who PID [IDENTITY]: which process that is; with an identity, whether it is that very one
op_who() {
  if [ $# -gt 1 ]; then
    if alive "$1" "$2"; then echo alive; else echo gone; fi
  elif identify "$1"; then
    printf 'is %s\n' "$IDENTITY"
  else
    echo gone
  fi
}

# members GROUP: MEMBERS, its living processes. One scan can miss a child whose parent ends under it, so none is only
# believed where the kernel agrees, or three times in a row (zombies, which the kernel counts).
members() {
  for mb_try in 1 2 3; do
    scan_members "$1"
    [ -z "$MEMBERS" ] || return 0
    kill -0 -"$1" 2>/dev/null || return 0
  done
}

scan_members() {
  MEMBERS=
  if has_proc; then
    # One grep, not a loop: `read` takes a system call for each byte. Only numbers may follow up to the line's end, so
    # that no name of a process can look like a state.
    for sm_file in $(grep -lE "\\) [^ZX] -?[0-9]+ $1 [-0-9 ]*\$" /proc/[0-9]*/stat 2>/dev/null); do
      sm_pid=${sm_file#/proc/}
      sm_pid=${sm_pid%/stat}
      # grep saw itself, if it ran in that group.
      identify "$sm_pid" && [ "$GROUP" = "$1" ] && MEMBERS="$MEMBERS $sm_pid"
    done
  else
    sm_list=$(ps -A -o pid= -o pgid= -o stat= 2>/dev/null)
    while read -r sm_pid sm_group sm_state; do
      [ "$sm_group" = "$1" ] || continue
      case $sm_state in [ZX]*) continue ;; esac
      # ps saw itself, if it ran in that group.
      identify "$sm_pid" && MEMBERS="$MEMBERS $sm_pid"
    done <<LIST
$sm_list
LIST
  fi
}

# group_of PID GROUP IDENTITY MARK: FOUND is
#   empty    nothing of it lives, for certain: only then may anything follow
#   ours     it lives, and is that group for certain: only then is it signalled
#   unclear  something of that number lives and cannot be told: neither
group_of() {
  FOUND=empty
  boot
  case $3 in *":$BOOT") ;; *) return ;; esac
  members "$2"
  [ -n "$MEMBERS" ] || return 0
  if alive "$1" "$3"; then
    FOUND=ours
    return
  fi
  # The number of a leader is not given again while its group lives: another start means another group.
  if [ "$1" = "$2" ] && [ -n "$IDENTITY" ] && ! same_start "$IDENTITY" "$3"; then return; fi
  for go_pid in $MEMBERS; do
    if marked "$go_pid" "$4"; then
      FOUND=ours
      return
    fi
  done
  # They may have ended while we looked.
  members "$2"
  [ -z "$MEMBERS" ] || FOUND=unclear
}

# marked PID MARK: whether it inherited the job's name in its environment
marked() {
  if has_proc; then
    grep -qF "STEPBACK_JOB=$2" "/proc/$1/environ" 2>/dev/null
  else
    { ps -E -ww -o command= -p "$1" 2>/dev/null || ps eww -o command= -p "$1" 2>/dev/null; } |
      grep -qF "STEPBACK_JOB=$2"
  fi
}

# end_group PID GROUP IDENTITY MARK: returns when the group is empty, or false when it cannot be ended
end_group() {
  eg_round=0
  while :; do
    group_of "$1" "$2" "$3" "$4"
    [ "$FOUND" = empty ] && return 0
    eg_round=$((eg_round + 1))
    # Not ours to signal, so only its own end can help: not as long as for what was sent a KILL.
    [ "$FOUND" = ours ] || [ "$eg_round" -le 50 ] || return 1
    [ "$eg_round" -le 150 ] || return 1
    if [ "$FOUND" = ours ]; then
      # Again and again: a TERM that arrives before the runner has forked its command is swallowed by the runner's trap.
      # `kill -TERM -GROUP` is the one spelling that all shells take.
      if [ "$eg_round" -ge 50 ]; then
        kill -KILL -"$2" 2>/dev/null
      elif [ $((eg_round % 8)) = 1 ]; then
        kill -TERM -"$2" 2>/dev/null
      fi
    fi
    if [ "$eg_round" -lt 4 ]; then sleep 0.02; else sleep 0.1; fi
  done
}

# end_others: what a command left behind in this process's own group
end_others() {
  eo_round=0
  while :; do
    scan_members "$1"
    eo_left=
    for eo_pid in $MEMBERS; do [ "$eo_pid" = "$$" ] || eo_left="$eo_left $eo_pid"; done
    [ -n "$eo_left" ] || return 0
    eo_round=$((eo_round + 1))
    if [ "$eo_round" -lt 50 ]; then kill -TERM $eo_left 2>/dev/null; else kill -KILL $eo_left 2>/dev/null; fi
    [ "$eo_round" -le 150 ] || return 1
    if [ "$eo_round" -lt 4 ]; then sleep 0.02; else sleep 0.1; fi
  done
}

# leader: LEADER, how a process becomes the leader of a group of its own here; false where it cannot. `set -m` gives none
# in dash and busybox without a terminal.
leader() {
  for LEADER in setsid perl python3; do
    without "$LEADER" && continue
    command -v "$LEADER" >/dev/null 2>&1 && return 0
  done
  LEADER=none
  return 1
}

# detach WORD...: a process that outlives this call; where it cannot lead a group, it stays in that of the SSH channel
detach() {
  leader
  (
    trap '' HUP
    case $LEADER in
    setsid) exec setsid "$@" ;;
    perl) exec perl -e 'use POSIX; POSIX::setsid(); exec @ARGV' "$@" ;;
    python3) exec python3 -c 'import os,sys; os.setsid(); os.execvp(sys.argv[1], sys.argv[1:])' "$@" ;;
    *) exec "$@" ;;
    esac
  ) </dev/null >/dev/null 2>&1 &
}
