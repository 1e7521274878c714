"""A container with systemd as its PID 1, for the measures that need one.

test/systemd/container boots it.  `Container` is a context manager: within it,
`inside` runs a command there, `network` lends its network name space to this
process and to all that it starts, and `cpu_stat` is the account of all that
runs in it: systemd, its journal, and whatever serves there.
"""

import os
import shutil
import subprocess

import network
import servers

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def lay(stage, path, place=None):
    """Copies a file or a tree to a place below `stage`, by default its own."""
    place = stage + (place or path)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    if os.path.isdir(path):
        shutil.copytree(path, place, symlinks=True)
    else:
        shutil.copy2(path, place)


def write(stage, path, text):
    """Makes a file below `stage`."""
    os.makedirs(os.path.dirname(stage + path), exist_ok=True)
    with open(stage + path, 'w', encoding='utf-8') as file:
        file.write(text)


class Container:
    """`stage` is a tree that is laid over this system's own."""

    def __init__(self, stage):
        self.directory = stage + '.container'
        self.program = os.path.join(TOP, 'test/systemd/container')
        self.stage = stage

    def __enter__(self):
        # It lives until the pipe that is its standard input is closed, in
        # whatever way this process may come to its end.
        self.process = subprocess.Popen(
            [self.program, 'boot', self.directory, '--copy', self.stage],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        first = self.process.stdout.readline()
        if not first:
            raise servers.Broken('systemd does not run in a container here: '
                                 + self.process.communicate()[1].strip())
        self.first = int(first)
        self.cpu_stat = f'/proc/{self.first}/root/sys/fs/cgroup/cpu.stat'
        return self

    def __exit__(self, *_):
        self.process.communicate()

    def inside(self, *words):
        """What a command says that runs there as root."""
        done = subprocess.run(
            [self.program, 'run', self.directory, *words], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise servers.Broken(f'{" ".join(words)}, in the container: '
                                 + done.stdout.strip())
        return done.stdout.strip()

    def processes(self):
        """How many processes there are in it."""
        return sum(name.isdigit()
                   for name in os.listdir(f'/proc/{self.first}/root/proc'))

    def network(self):
        return network.of_process(self.first)
