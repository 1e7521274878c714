#!/usr/bin/env python3
"""one-at-a-time.py PORT [DIRECTORY]: a file server as a first one is written.

It accepts a connection, answers its requests until a second passes without
any, and only then accepts the next one.  It is what httpd is compared with,
and says on standard output what it does, in the order in which it does it.
"""
import socket
import sys
from pathlib import Path

IDLE_S = 1


def answer(target, root):
    """The answer to a GET, and whether the connection ends with it."""
    if target == "/redirect":
        return b"HTTP/1.1 301 Moved Permanently\r\nConnection: close\r\n" \
            b"Location: /result.html\r\n\r\n", True
    path = (root / (target.strip("/") or "index.html")).resolve()
    if not path.is_file() or root not in path.parents:
        return b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n", True
    content = path.read_bytes()
    return b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n" \
        b"Content-Length: %d\r\n\r\n" % len(content) + content, False


def serve(connection, number, root):
    connection.settimeout(IDLE_S)
    pending, ends = b"", False
    while not ends:
        while b"\r\n\r\n" not in pending:
            received = connection.recv(65536)
            if not received:
                return
            pending += received
        head, _, pending = pending.partition(b"\r\n\r\n")
        target = head.split(b" ")[1].decode("ascii")
        print(number, "GET", target, flush=True)
        reply, ends = answer(target, root)
        connection.sendall(reply)


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
tree = Path(sys.argv[2] if len(sys.argv) > 2 else "files").resolve()
accepted = 0
while True:
    client, _ = listener.accept()
    accepted += 1
    print(accepted, "open", flush=True)
    with client:
        try:
            serve(client, accepted, tree)
        except OSError:
            pass  # Nobody spoke for a second, or the client is gone.
    print(accepted, "close", flush=True)
