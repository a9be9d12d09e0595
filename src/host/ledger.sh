# --- ledger and audit: one numbered file an entry, 00000001.json and so on, each with the hash of the one before --------

# hash FILE: HASH
hash() {
  if command -v sha256sum >/dev/null 2>&1; then
    HASH=$(sha256sum <"$1")
  elif command -v shasum >/dev/null 2>&1; then
    HASH=$(shasum -a 256 <"$1")
  else
    HASH=$(openssl dgst -sha256 -r <"$1")
  fi
  HASH=${HASH%% *}
  [ "${#HASH}" = 64 ] || fail no-hash "install sha256sum, shasum or openssl"
}

# book NAME: the present directory is that book's
book() {
  case $1 in ledger | audit) ;; *) fail bad-name "$1" ;; esac
  cd "$STATE/$1" || fail cannot-read "$1"
}

# last_entry: NUMBER and NEXT (8 digits), LINE, PREV, its hash, and HIGH, the greatest token up to there. The highest
# number is asked for by name once more, since a list is not atomic.
last_entry() {
  le_file=
  for le_file in [0-9]*.json; do :; done
  le_digits=${le_file%.json}
  case $le_digits in
  '' | *[!0-9]*) NUMBER=0 ;;
  *) strip "$le_digits" ;;
  esac
  while name_of $((NUMBER + 1)) && [ -e "$NAME" ]; do NUMBER=$((NUMBER + 1)); done
  NEXT=$NAME
  HIGH=0
  PREV=0000000000000000000000000000000000000000000000000000000000000000
  [ "$NUMBER" = 0 ] && return
  name_of "$NUMBER"
  read_entry "$NAME" || fail broken "$NAME"
  HIGH=$ENTRY_HIGH
  hash "$NAME"
  PREV=$HASH
}

# strip DIGITS: NUMBER, without the zeros that would make it octal
strip() {
  NUMBER=$1
  while [ "${NUMBER#0}" != "$NUMBER" ]; do NUMBER=${NUMBER#0}; done
  NUMBER=${NUMBER:-0}
}

name_of() {
  no_digits=0000000$1
  while [ "${#no_digits}" -gt 8 ]; do no_digits=${no_digits#?}; done
  NAME=$no_digits.json
}

# read_entry FILE: ENTRY_HIGH and ENTRY_ID. The head of the line is the helper's own, so the first match is the true one.
read_entry() {
  { IFS= read -r re_line <"$1"; } 2>/dev/null || return 1
  case $re_line in '{"number":'*',"high":'*',"id":"'*'","at":"'*'}') ;; *) return 1 ;; esac
  re_rest=${re_line#*'"high":'}
  ENTRY_HIGH=${re_rest%%,*}
  re_rest=${re_line#*'"id":"'}
  ENTRY_ID=${re_rest%%'"'*}
}

# find_entry ID: FILE, the entry of that id among the last 2000; a retry comes soon after what it repeats
find_entry() {
  FILE=
  set -- "$1" [0-9]*.json
  if [ $# -gt 2001 ]; then
    fe_id=$1
    shift $(($# - 2000))
    set -- "$fe_id" "$@"
  fi
  fe_id=$1
  shift
  for fe_file in $(grep -lF -e "\"id\":\"$fe_id\"" "$@" 2>/dev/null); do
    read_entry "$fe_file" && [ "$ENTRY_ID" = "$fe_id" ] && FILE=$fe_file && return 0
  done
  return 1
}

# append BOOK TOKEN ID [held]: the entry is a line of stdin. At least once is safe, by the id; who links a number has
# written it. Behind a greater token's it is void, and the writer learns that it is fenced. With `held` a holder follows
# the entry, and nothing is written unless the lease is that holder's, as `renew` says.
op_append() {
  book "$1"
  IFS= read -r ap_entry || fail short-payload "$1"
  if [ -n "${4-}" ]; then
    holder
    if ! holds "$2"; then
      not_ours "$2"
      return
    fi
  fi
  now
  renewed_now "$2"
  while :; do
    last_entry
    pause append-read
    # After the last was fixed, so that an entry linked meanwhile makes the link below fail.
    if find_entry "$3"; then
      # Written by an earlier call, so its own head says whether it is void.
      ap_high=$ENTRY_HIGH
      IFS= read -r ap_line <"$FILE"
      ap_token=${ap_line#*'"token":'}
      ap_token=${ap_token%%,*}
      break
    fi
    ap_token=$2
    ap_high=$(($2 > HIGH ? $2 : HIGH))
    pause append-link
    put "./$NEXT" "{\"number\":$((NUMBER + 1)),\"prev\":\"$PREV\",\"high\":$ap_high,\"token\":$2,\"id\":\"$3\",\"at\":\"$TODAY\",\"entry\":$ap_entry}" sync && FILE=$NEXT && break
  done
  hash "$FILE"
  ap_void=no
  [ "$ap_token" -ge "$ap_high" ] || ap_void=yes
  FILE=${FILE#./}
  strip "${FILE%.json}"
  printf 'appended %s %s %s\n' "$NUMBER" "$HASH" "$ap_void"
}

# read BOOK AFTER: the lines of the entries from number AFTER on, that one included, so that the chain can be checked
op_read() {
  book "$1"
  set -- "$2" [0-9]*.json
  rd_after=$1
  shift
  [ -e "$1" ] || return 0
  # Numbers begin at 1 and nothing is ever removed.
  [ "$rd_after" -lt 2 ] || shift $((rd_after - 1 < $# ? rd_after - 1 : $#))
  # By xargs, since the system takes only so many words; a name is digits.
  [ $# = 0 ] || printf '%s\n' "$@" | xargs cat
}
