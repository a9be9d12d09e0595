"""ollama, litellm, prometheus and grafana, as far as a deploy can tell the difference: `standin.py <service>`."""

import json
import os
import signal
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MEGABYTE = 1024 * 1024
STARTED = time.time()
held = {}


def ollama():
    """Holds memory for its model, more for the larger one; a break of kind memory makes it hold much more."""
    model = os.environ.get("OLLAMA_MODEL", "qwen3:32b")
    held["model"] = bytearray(64 * MEGABYTE if model.endswith("32b") else 28 * MEGABYTE)
    threading.Thread(target=leak_when_told, daemon=True).start()
    return 11434, {
        "/": lambda: "Ollama is running",
        "/api/tags": lambda: {"models": [{"name": model}]},
        "/api/ps": lambda: {"models": [{"name": model, "size": sum(map(len, held.values()))}]},
    }


def leak_when_told():
    """The memory goes with the process: only a break that is younger than the process counts, so a restart mends it."""
    path = "/control/ollama.json"
    while True:
        time.sleep(1)
        try:
            told = os.path.getmtime(path) > STARTED and json.load(open(path)).get("kind") == "memory"
        except (OSError, ValueError):
            told = False
        if told and "leak" not in held:
            held["leak"] = bytearray(os.urandom(MEGABYTE)) * 512
        elif not told:
            held.pop("leak", None)


def litellm():
    def models():
        with open("/config/models.yaml", encoding="utf-8") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.strip().startswith("- name:")]
        return {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}

    return 4000, {"/health/liveliness": lambda: "I'm alive!", "/v1/models": models}


def prometheus():
    """Scrapes the brain, so that a missing /metrics is seen where operators look for it."""
    last = {"up": 0}

    def scrape():
        while True:
            try:
                with urllib.request.urlopen("http://aria-brain:8081/metrics", timeout=2) as answer:
                    last["up"] = 1 if b"aria_build_info" in answer.read() else 0
            except OSError:
                last["up"] = 0
            time.sleep(5)

    def query():
        result = [{"metric": {"job": "aria-brain"}, "value": [time.time(), str(last["up"])]}]
        return {"status": "success", "data": {"resultType": "vector", "result": result}}

    threading.Thread(target=scrape, daemon=True).start()
    return 9090, {"/-/healthy": lambda: "Prometheus Server is Healthy.", "/api/v1/query": query}


def grafana():
    page = "<!doctype html><title>Grafana</title><h1>Grafana</h1><p>Aria Blue dashboards</p>"
    return 3000, {"/": lambda: page, "/api/health": lambda: {"database": "ok", "version": "11.0.0"}}


def serve(port, routes):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            route = routes.get(self.path.split("?")[0])
            answer = route() if route else {"error": "not found"}
            text = answer if isinstance(answer, str) else json.dumps(answer)
            kind = "application/json" if not isinstance(answer, str) else "text/html; charset=utf-8"
            body = text.encode()
            self.send_response(200 if route else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    ThreadingHTTPServer(("0.0.0.0", port), Handler).serve_forever()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    name = sys.argv[1]
    service = {"ollama": ollama, "litellm": litellm, "prometheus": prometheus, "grafana": grafana}[name]
    port, routes = service()
    print(f"{name} listens on {port}")
    serve(port, routes)
