"""Notes: GET /notes lists them, POST /notes adds one."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2

VERSION = open("VERSION").read().strip()


def sql(text, *values):
    connection = psycopg2.connect(os.environ["DATABASE"])
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(text, values)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/health":
            self.answer({"status": "ok" if sql("select 1") else "empty"})
        elif self.path == "/version":
            self.answer({"version": VERSION})
        else:
            self.answer([text for (text,) in sql("select text from notes order by id")])

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        sql("insert into notes (text) values (%s)", text)
        self.answer({"added": text})

    def answer(self, body):
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


sql("create table if not exists notes (id bigserial primary key, text text not null)")
ThreadingHTTPServer(("", 8000), Handler).serve_forever()
