"""A small HTTP service that stops at once when told to, and misbehaves when the sandbox tells it to."""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aria_engine import VERSION

SERVICE = os.environ.get("SERVICE", "aria")
requests = {"total": 0, "failed": 0}


class Failure(Exception):
    """An answer that is not 200: its status and its body."""

    def __init__(self, status, body):
        super().__init__(status)
        self.status, self.body = status, body


def broken():
    """The kind of fault asked for by `stepback sandbox break`, bound to one release unless it says `any`."""
    try:
        with open(f"/control/{SERVICE}.json", encoding="utf-8") as file:
            told = json.load(file)
    except (OSError, ValueError):
        return None
    return told.get("kind") if told.get("version", "any") in ("any", VERSION) else None


def serve(port, routes):
    """`routes` maps (method, path) to a function of the request's body; text or JSON comes back."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    threading.Thread(target=crash_when_told, daemon=True).start()
    log(f"{SERVICE} {VERSION} listens on {port}")
    handler = type("Routed", (Handler,), {"routes": routes})
    ThreadingHTTPServer(("0.0.0.0", port), handler).serve_forever()


def log(text):
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}", file=sys.stdout, flush=True)


def crash_when_told():
    while True:
        if broken() == "crash-loop":
            log("fatal: a fault was asked for, this process ends")
            os._exit(1)
        time.sleep(0.5)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    routes = {}

    def do_GET(self):
        self.answer("GET")

    def do_POST(self):
        self.answer("POST")

    def answer(self, method):
        requests["total"] += 1
        status, body = self.outcome(method, self.path.split("?")[0])
        if status >= 500:
            requests["failed"] += 1
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        data = text.encode()
        self.send_response(status)
        kind = "application/json" if not isinstance(body, str) else "text/html" if text[:1] == "<" else "text/plain"
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def outcome(self, method, path):
        length = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(length)
        fault = broken()
        if fault == "hang":
            time.sleep(3600)
        if fault == "error-rate" and requests["total"] % 2:
            return 500, {"status": "error", "error": "a fault was asked for"}
        if fault == "unhealthy" and path.endswith("/health"):
            return 503, {"status": "unhealthy", "error": "a fault was asked for"}
        route = self.routes.get((method, path))
        if not route:
            return 404, {"error": "not found"}
        try:
            return 200, route(json.loads(text) if text else {})
        except Failure as failure:
            return failure.status, failure.body
        except Exception as error:  # an answer is owed whatever happens: the connection stays usable
            log(f"error in {method} {path}: {type(error).__name__}: {error}".replace("\n", " "))
            return 500, {"status": "error", "error": type(error).__name__}

    def log_message(self, *args):
        pass
