"""For Compose's healthchecks, in an image without curl: `probe.py PORT PATH` exits with 0 when the answer is 200.

It runs every few seconds in each container, so it imports nothing that takes time.
"""

import sys
from _socket import socket

port, path = sys.argv[1:]
connection = socket()
connection.settimeout(2)
try:
    connection.connect(("127.0.0.1", int(port)))
    connection.send(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    sys.exit(0 if b" 200 " in connection.recv(64) else 1)
except OSError:
    sys.exit(1)
