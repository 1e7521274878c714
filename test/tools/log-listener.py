#!/usr/bin/env python3
"""log-listener.py SOCKET FILE: a syslog daemon for one test.

Binds the datagram socket SOCKET, and writes each message that arrives there
to FILE, with a line end.  Prints its process id and returns as soon as
messages can be sent; the process of that id goes on.
"""

import os
import socket
import sys

listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
log = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

child = os.fork()
if child != 0:
    print(child)
    sys.exit()

# Whoever waits for the end of the output or of bats' own descriptors is not
# to wait for this process.
nothing = os.open(os.devnull, os.O_RDWR)
for fd in range(3):
    os.dup2(nothing, fd)
for name in os.listdir("/proc/self/fd"):
    if int(name) > 2 and int(name) not in (listener.fileno(), log):
        try:
            os.close(int(name))
        except OSError:
            pass  # the descriptor that listed them

while True:
    os.write(log, listener.recv(65536) + b"\n")
