# --- the calls --------------------------------------------------------------------------------------------------------

# look LENGTH: a script that only reads; its output and exit are the answer's. Without a file, since every program that
# starts is time, and it works on a full disk, where looks matter most.
op_look() {
  lo_script=$(head -c "$1"; echo .)
  lo_script=${lo_script%.}
  [ "${#lo_script}" = "$1" ] || fail short-payload "${#lo_script} of $1 bytes came"
  # The helper's words are none of the script's.
  set --
  (eval "$lo_script") </dev/null
  exit $?
}

# probe: whether this file system keeps what all the rest believes: a name is linked once
op_probe() {
  scratch "$STATE/lease"
  pb_first=$SCRATCH
  : >"$pb_first" || fail cannot-write "$STATE"
  if ln "$pb_first" "$pb_first.l" 2>/dev/null && ! ln "$pb_first" "$pb_first.l" 2>/dev/null; then
    printf 'links\n'
  else
    printf 'no-links\n'
  fi
  rm -f "$pb_first" "$pb_first.l"
}

finish() {
  printf '\n@@%s end %s\n' "$NONCE" "$1"
}

main() {
  HELPER=$0
  STATE=$1
  RUN_WITH=$2
  NONCE=$3
  OP=$4
  shift 4
  case $OP in
  # Detached: nobody reads what these print.
  run | tick) "op_$OP" "$@" ;;
  look | probe | who | lease | acquire | renew | release | start | wait | cancel | judge | list | prune | arm | append | read)
    printf '\n@@%s begin\n' "$NONCE"
    printf '\n@@%s begin\n' "$NONCE" >&2
    trap 'finish "$?"' EXIT
    "op_$OP" "$@"
    exit 0
    ;;
  *) exit 64 ;;
  esac
}

# The last line, so that a helper that is not whole does nothing.
main "$@"
