"""aria-api: the REST API, with the health endpoints that a deploy looks at."""

import os
import time

from aria_engine import VERSION, database
from aria_engine.service import Failure, serve
from aria_skills.release import FAILS_AFTER_SECONDS

STARTED = time.monotonic()
TABLES = ("sessions", "messages", "agent_state", "scheduler_jobs", "scheduler_history")


def health(_):
    return {"status": "ok", "version": VERSION}


def api_health(_):
    """ok only when the database answers and every table that the API reads can be read."""
    if FAILS_AFTER_SECONDS is not None and time.monotonic() - STARTED > FAILS_AFTER_SECONDS:
        raise Failure(503, {"status": "error", "error": "the skills registry lost its index"})
    try:
        with database.cursor() as opened:
            for table in TABLES:
                opened.execute(f"SELECT 1 FROM {table} LIMIT 1")
    except Exception as error:
        raise Failure(503, {"status": "error", "error": str(error).strip().splitlines()[0]})
    return {"status": "ok", "database": "ok"}


def status(_):
    try:
        with database.cursor() as opened:
            known = database.revision(opened)
    except Exception:  # the version is asked for when the database is down, too
        known = None
    return {"version": VERSION, "revision": known, "motto": os.environ.get("ARIA_MOTTO")}


def count(_):
    with database.cursor() as opened:
        opened.execute("SELECT count(*) FROM messages")
        return {"count": opened.fetchone()[0]}


def write(body):
    """Inserts one message, or `count` of them, into the session given or the newest one."""
    with database.cursor() as opened:
        session = body.get("session_id") or newest_session(opened)
        columns = ["session_id", "role", "content", "model"]
        values = [session, body.get("role", "user"), body.get("content", "hello"), body.get("model")]
        if database.has_column(opened, "messages", "engine_version"):
            columns += ["agent_id", "engine_version"]
            values += [body.get("agent_id", "aria"), VERSION]
        marks = ", ".join(["%s"] * len(values))
        opened.execute(
            f"INSERT INTO messages ({', '.join(columns)}) SELECT {marks} FROM generate_series(1, %s) RETURNING id::text",
            [*values, int(body.get("count", 1))],
        )
        ids = [row[0] for row in opened.fetchall()]
        return {"id": ids[0] if ids else None, "inserted": len(ids), "session_id": str(session)}


def newest_session(opened):
    opened.execute("SELECT id FROM sessions ORDER BY created_at DESC, id LIMIT 1")
    row = opened.fetchone()
    if not row:
        opened.execute("INSERT INTO sessions (title) VALUES ('made by the API') RETURNING id")
        row = opened.fetchone()
    return row[0]


if __name__ == "__main__":
    serve(
        5000,
        {
            ("GET", "/health"): health,
            ("GET", "/api/health"): api_health,
            ("GET", "/api/status"): status,
            ("GET", "/api/messages/count"): count,
            ("POST", "/api/messages"): write,
        },
    )
