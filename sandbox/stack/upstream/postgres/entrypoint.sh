#!/bin/sh
# Initialises an empty data directory once, then becomes postgres: PID 1 is the server itself, as in the official image.
set -eu

PGDATA=${PGDATA:-/var/lib/postgresql/data}
POSTGRES_USER=${POSTGRES_USER:-postgres}
POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}

as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"; }

initialise() {
  : "${POSTGRES_PASSWORD:?is needed to initialise the database}"
  umask 077
  printf '%s' "$POSTGRES_PASSWORD" >/run/postgresql/password
  chown postgres: /run/postgresql/password
  as_postgres initdb --username="$POSTGRES_USER" --pwfile=/run/postgresql/password --encoding=UTF8 \
    --locale=C.UTF-8 --auth-local=trust --auth-host=scram-sha-256 >/dev/null
  rm -f /run/postgresql/password
  {
    echo "listen_addresses = '*'"
    # the compiler of queries is left out of the image, for its size
    echo 'jit = off'
  } >>"$PGDATA/postgresql.conf"
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  # a temporary server that nobody outside can reach, so that no client meets a half-made database
  as_postgres pg_ctl -D "$PGDATA" -w -o "-c listen_addresses=''" start >/dev/null
  if [ "$POSTGRES_DB" != postgres ]; then
    as_postgres psql -qX -U "$POSTGRES_USER" -d postgres -v ON_ERROR_STOP=1 -v db="$POSTGRES_DB" <<'SQL'
CREATE DATABASE :"db";
SQL
  fi
  as_postgres pg_ctl -D "$PGDATA" -w -m fast stop >/dev/null
}

mkdir -p "$PGDATA" /run/postgresql
chown postgres: "$PGDATA" /run/postgresql
chmod 700 "$PGDATA"
[ -s "$PGDATA/PG_VERSION" ] || initialise
if [ "${1:-postgres}" = postgres ]; then
  exec setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"
fi
exec "$@"
