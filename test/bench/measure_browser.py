"""What a browser makes of each server: a page with twelve pictures."""

import contextlib
import csv
import os
import signal
import subprocess
import sys

import container
import servers
import spawners
from page import OURS, Plot, Table

TITLE = 'A page with twelve pictures in Chromium'

TEXT = '''
Chromium loads /a/b/ref.html, a page with twelve pictures, cold: each load has
a browser of its own, with neither a cache nor a connection of the load before.
What is timed is what the browser itself notes, from the start of the
navigation to the load event. Every picture has to be decoded, and of every
file as many bytes have to arrive as it has. The servers have their turns in
each round, and another one begins.

"httpd" is httpd under tcpserver; "httpd-xinetd" and "httpd-systemd" are httpd
as it is shipped. The other programs for one connection are under tcpserver.
All are on one loopback interface.
'''

UNFAIR = (
    'In a page\'s load most of the time is the browser\'s own: ratios between '
    'servers are nearer to 1 there than anywhere else.',
)

CASE = 'twelve pictures'

SHOW = [
    Plot('From the navigation to the load event', 'load', 'the page',
         {CASE: CASE}),
    Table('From the navigation to the load event', 'load'),
    Table('Connections that the browser opened', 'connections', ours=()),
]

FILES = os.path.join(container.TOP, 'files')
PAGE = 'a/b/ref.html'
PICTURES = 12


def run_with_browser(words):
    """Runs what starts browsers, in a group of its own; none is left."""
    group = servers.Group()
    process = group.run(words, stdout=subprocess.DEVNULL,
                        stderr=subprocess.PIPE, text=True)
    try:
        said = process.communicate()[1]
        if process.returncode != 0:
            raise servers.Broken('the browser: ' + said.strip())
    finally:
        process.terminate()
        servers.wait_until(lambda: process.poll() is not None, 10)
        for pid in group.pids():
            servers.kill(pid, signal.SIGKILL)
        process.wait()
        group.remove()


def load_all(bench, ports, rounds):
    """Has the page loaded from each port, in turns, and records the rows."""
    out = os.path.join(bench.work, 'pictures')
    os.mkdir(out)
    bench.say(f'browser: {rounds} rounds')
    run_with_browser([
        sys.executable, '-B',
        os.path.join(container.TOP, 'test/wire/load-pictures.py'), out,
        str(rounds), *(f'{name}=http://{servers.ADDRESS}:{port}/{PAGE}'
                       for name, port in ports.items())])
    check_files(read(out + '/pictures-resources.tsv'), len(ports) * rounds)
    for row in read(out + '/pictures.tsv'):
        number = int(row['round'])
        bench.add(CASE, row['server'], 'load', 'ms', number, row['ms'])
        bench.add(CASE, row['server'], 'connections', 'connections', number,
                  row['connections'])


def read(path):
    with open(path, encoding='utf-8', newline='') as file:
        return list(csv.DictReader(file, delimiter='\t'))


def check_files(rows, loads):
    """That each load had the page and every picture, all of them whole."""
    for row in rows:
        size = os.path.getsize(FILES + row['path'])
        if int(row['bytes']) != size:
            raise servers.Broken(f'{row["server"]} answers {row["path"]} with '
                                 f'{row["bytes"]} bytes, wanted {size}')
    if len(rows) != loads * (PICTURES + 1):
        raise servers.Broken(f'in {loads} loads there were {len(rows)} files, '
                             f'wanted {PICTURES + 1} in each')


def peers(bench):
    """All that serve files; in a trial one, for each load takes seconds."""
    names = [name for name in (*bench.names('inetd'), *bench.names('daemon'))
             if name not in OURS and 'files' not in bench.programs[name].lacks]
    return bench.pick(names, names[-1:])


def measure(bench):
    stage = os.path.join(bench.work, 'browser')
    container.lay(stage, FILES, spawners.TREE)
    all_three = spawners.Spawners(bench, stage)
    with container.Container(stage) as box, box.network(), \
            contextlib.ExitStack() as running:
        all_three.start(box)
        ports = {'httpd': all_three.ports['tcpserver']['httpd'],
                 'httpd-xinetd': all_three.ports['xinetd']['httpd'],
                 'httpd-systemd': all_three.ports['systemd']['httpd']}
        for name in peers(bench):
            server = running.enter_context(
                servers.start(bench, name, root=FILES))
            ports[name] = server.port
        load_all(bench, ports, bench.rounds(10))
