"""Connections to the database. One a request: a database that was swapped is met again by the next one."""

import os
from contextlib import contextmanager

import psycopg2

from aria_engine.service import broken


def connect():
    return psycopg2.connect(
        host="127.0.0.1" if broken() == "no-database" else os.environ["DATABASE_HOST"],
        dbname=os.environ["DATABASE_NAME"],
        user=os.environ["DATABASE_USER"],
        password=os.environ["DATABASE_PASSWORD"],
        application_name=os.environ.get("SERVICE", "aria"),
        connect_timeout=3,
    )


@contextmanager
def cursor():
    connection = connect()
    try:
        with connection, connection.cursor() as opened:
            yield opened
    finally:
        connection.close()


def has_column(opened, table, column):
    opened.execute(
        "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped",
        (table, column),
    )
    return opened.fetchone() is not None


def revision(opened):
    """The newest migration that was applied, without the time at its end; None where there is no record."""
    opened.execute("SELECT to_regclass('migrations')")
    if opened.fetchone()[0] is None:
        return None
    opened.execute("SELECT name FROM migrations ORDER BY id DESC LIMIT 1")
    row = opened.fetchone()
    return row[0][:-13] if row else None
