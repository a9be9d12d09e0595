// `docker` on the host of a load: a small program, with small stacks in files in the place of containers.

/**
 * `$0/../state` holds a file for each container, `id image running`, and one for each image by its reference. Compose
 * files are JSON, so that what Compose makes of one is the file itself. Whoever asks for what this does not know is told
 * so by exit status 64.
 */
export const dockerProgram = `#!/bin/sh
state=\${0%/*}/../state
name_of() { printf '%s' "$1" | tr '/:' '__'; }
image_of() { cat "$state/images/$(name_of "$1")" 2>/dev/null || case $1 in sha256:*) echo "$1" ;; *) exit 1 ;; esac; }
put() { printf '%s\\n' "$2" >"$1.$$" && mv "$1.$$" "$1"; }

containers() {
  project= service= running=
  while [ $# -gt 0 ]; do
    case $1 in
    label=com.docker.compose.project=*) project=\${1#*project=} ;;
    label=com.docker.compose.service=*) service=\${1#*service=} ;;
    status=running) running=yes ;;
    esac
    shift
  done
  [ -n "$project" ] || return 0
  for file in "$state/$project/"\${service:-*}; do
    [ -f "$file" ] || continue
    read -r id image runs <"$file"
    [ -n "$running" ] && [ "$runs" = no ] || echo "$id \${file##*/}"
  done
}

everything() {
  for file in "$state"/*/*; do
    project=\${file%/*}
    project=\${project##*/}
    [ "$project" != images ] && [ -f "$file" ] || continue
    read -r id _ runs <"$file"
    case $runs in yes) runs=running ;; *) runs=exited ;; esac
    directory=\${0%/bin/docker}/projects/$project
    printf '["%s","%s","","%s","%s","False","%s","%s/docker-compose.yml",""]\\n' \\
      "$id" "$runs" "$id" "$project" "$directory" "$directory"
  done
}

file_of() { printf '%s' "$state/\${1%%.*}/\${1#*.}"; }

inspect() {
  printf '['
  comma=
  for id in "$@"; do
    read -r _ image runs <"$(file_of "$id")" || exit 1
    case $runs in yes) runs=true ;; *) runs=false ;; esac
    printf '%s{"Id":"%s","Image":"%s","Config":{"Image":"%s","Labels":{"com.docker.compose.service":"%s"}},"State":{"Running":%s}}' \\
      "$comma" "$id" "$image" "\${id#*.}" "\${id#*.}" "$runs"
    comma=,
  done
  echo ']'
}

started() {
  for id in "$@"; do
    file=$(file_of "$id")
    read -r _ image _ <"$file"
    put "$file" "$id $image $runs"
  done
}

compose() {
  project= directory= file=
  while :; do
    case $1 in
    --project-name) project=$2 ;;
    --project-directory) directory=$2 ;;
    --file) file=$2 ;;
    --env-file | --profile) ;;
    *) break ;;
    esac
    shift 2
  done
  word=$1
  shift
  case $word in
  config) cat "$file" ;;
  logs) echo 'a line of a log' ;;
  build) for service in "$@"; do put "$state/images/$project-$service" "sha256:$(cksum <"$directory/app/main.txt" | cut -d ' ' -f 1)"; done ;;
  up)
    for service in "$@"; do
      case $service in -* | never) continue ;; esac
      image=$(image_of "$project-$service") || exit 1
      put "$state/$project/$service" "$project.$service $image yes"
    done
    ;;
  *) exit 64 ;;
  esac
}

word=$1
shift
case $word in
info) case $* in *ClientInfo*) printf '28.0.0\\n2.40.0\\n/\\n' ;; *) echo / ;; esac ;;
ps)
  case $* in
  *'.oneoff")'*) everything ;;
  *'{{.ID}}'*) containers "$@" ;;
  *--quiet*) containers "$@" | cut -d ' ' -f 1 ;;
  *'{{.Label'*) containers "$@" status=running | cut -d ' ' -f 2 ;;
  esac
  ;;
inspect) shift 2; inspect "$@" ;;
volume) ;;
tag) image=$(image_of "$1") && put "$state/images/$(name_of "$2")" "$image" ;;
image) [ "$1" = inspect ] || exit 64; shift 3; for ref in "$@"; do image_of "$ref" || exit 1; done ;;
stop) shift 2; runs=no; started "$@" ;;
exec) read -r _ _ runs <"$(file_of "$1")" && [ "$runs" = yes ] ;;
compose) compose "$@" ;;
*) exit 64 ;;
esac
`
