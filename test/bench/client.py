"""Clients whose server's CPU time is read before and behind what is measured.

Such a client (turns.c, fetch.c) opens its connections and warms the server up,
says "ready", waits for a line, does what is measured, prints a line of
NAME=VALUE, and waits for another line before it ends its connections.  So
neither the start of a process nor its end is in the server's time.
"""

import os
import subprocess

import servers


def values(line):
    """NAME=VALUE... of a line, as numbers."""
    return {name: float(value) for name, value in
            (word.split('=') for word in line.split())}


def run(words, server):
    """What the client says, and under 'server-cpu' the seconds of CPU time
    that the server used for it.
    """
    with subprocess.Popen(words, stdin=subprocess.PIPE, text=True,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        if process.stdout.readline() == 'ready\n':
            before = server.cpu_ns()
            process.stdin.write('\n')
            process.stdin.flush()
            line = process.stdout.readline()
            used = server.cpu_ns() - before
        _, problem = process.communicate()
    if process.returncode != 0:
        raise servers.Broken(f'{server.name}: {os.path.basename(words[0])}: '
                             f'{problem.strip() or process.returncode}')
    return dict(values(line), **{'server-cpu': used / 1e9})
