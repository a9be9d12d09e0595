"""aria-brain: heartbeat and metrics. It only reads the database, so that row counts stay what others made them."""

import os
import sys
import threading
import time

from aria_agents.roster import AGENTS
from aria_engine import VERSION, database
from aria_engine.service import broken, log, requests, serve
from aria_mind.models import read_models

seen = {"messages": 0, "database": 0, "beats": 0}


def main():
    try:
        models = read_models("/config/models.yaml")
    except (OSError, ValueError) as error:
        log(f"fatal: models.yaml: {error}")
        sys.exit(1)
    log(f"aria_engine {VERSION} with {len(models)} models, {len(AGENTS)} agents, motto {os.environ.get('ARIA_MOTTO')!r}")
    threading.Thread(target=heartbeat, daemon=True).start()
    serve(8081, {("GET", "/health"): health, ("GET", "/metrics"): metrics})


def heartbeat():
    """Keeps one session open, as a pool would, and opens another when that one ends."""
    connection = None
    while True:
        try:
            if connection is None or connection.closed:
                connection = database.connect()
                connection.autocommit = True
            with connection.cursor() as opened:
                opened.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass('messages')")
                row = opened.fetchone()
            seen.update(messages=row[0] if row else 0, database=1)
        except Exception as error:  # whatever ended the session, the next beat tries again
            seen["database"] = 0
            connection = None
            log(f"heartbeat: no database: {type(error).__name__}")
        seen["beats"] += 1
        log(f"heartbeat {seen['beats']} database={seen['database']} fault={broken()}")
        time.sleep(2)


def health(_):
    return {"status": "ok", "version": VERSION}


def metrics(_):
    return "\n".join(
        [
            "# TYPE aria_build_info gauge",
            f'aria_build_info{{version="{VERSION}"}} 1',
            "# TYPE aria_heartbeats_total counter",
            f"aria_heartbeats_total {seen['beats']}",
            "# TYPE aria_database_up gauge",
            f"aria_database_up {seen['database']}",
            "# TYPE aria_http_requests_total counter",
            f'aria_http_requests_total{{outcome="ok"}} {requests["total"] - requests["failed"]}',
            f'aria_http_requests_total{{outcome="error"}} {requests["failed"]}',
            "",
        ]
    )


if __name__ == "__main__":
    main()
