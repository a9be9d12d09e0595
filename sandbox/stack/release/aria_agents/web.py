"""aria-web: the dashboard's page."""

from aria_agents.roster import AGENTS
from aria_engine import VERSION
from aria_engine.service import serve


def page(_):
    agents = "".join(f"<li>{name}</li>" for name in AGENTS)
    return f"<!doctype html><meta charset=utf-8><title>Aria Blue {VERSION}</title><h1>Aria Blue {VERSION}</h1><ul>{agents}</ul>"


if __name__ == "__main__":
    serve(8080, {("GET", "/"): page, ("GET", "/health"): lambda _: {"status": "ok", "version": VERSION}})
