"""What each spawner makes of a connection, and the price of a unit."""

import os
import random

import container
import servers
import spawners
from page import LIMIT, OURS, Figure, Plot, Table

TITLE = 'Under tcpserver, xinetd and systemd'

TEXT = '''
A GET of 1 KiB, one connection each, from one client that waits for the end of
a connection before it opens the next, and from four at once. All three
spawners are in one container, whose PID 1 is systemd, and are asked from
outside of it. CPU is that of everything in the container: the spawner, the
programs, the journal.

Under systemd, "httpd" has the unit that is shipped, httpd@.service.
"httpd-empty", and every other program, has an empty one: ExecStart=,
StandardInput=socket, StandardError=journal. All units have the socket that is
shipped, and names of one length, since a longer name costs more.

httpd becomes another user, locks itself in and logs each request: to the
journal under systemd and xinetd, to a file under tcpserver.
'''

UNFAIR = (
    'lighttpd-1 stays for up to a second behind its answer: its end is in '
    'none of these figures, and a spawner that limits the processes at a time '
    'would let its clients wait.',
    'Under a spawner, httpd alone becomes another user and logs.',
    'The unit that is shipped keeps systemd from logging each start and end '
    '(LogLevelMax=notice); an empty one does not, and the journal\'s work on '
    'these lines is in its figures.',
)

CLIENTS = {'1 client': 1, '4 clients': 4}

# Seconds and connections that each observation takes, whichever is less: short
# ones in many rounds, for others use the machine as well.
SECONDS = 0.4
CONNECTIONS = 150

SHOW = [
    *(Plot(f'Connections/s under {spawner}', 'rate', spawner,
           {clients: f'{spawner}, {clients}' for clients in CLIENTS})
      for spawner in spawners.NAMES),
    Plot('CPU of everything in the container for a connection', 'cpu',
         'spawner, four clients',
         {spawner: f'{spawner}, 4 clients' for spawner in spawners.NAMES}),
    Table('Connections/s', 'rate'),
    Table('CPU of everything in the container for a connection', 'cpu'),
]

FIGURES = [
    Figure('connections/s under systemd, shipped unit, against a trivial '
           f'program with an empty unit, {clients}', 'rate',
           f'systemd, {clients}', 'httpd', LIMIT, least=0.85)
    for clients in CLIENTS
]


def check(bench, spawner, name, port):
    server = servers.Server(name, spawner, None, None, None)
    server.port = port
    server.check('/1k.txt', bench.body('/1k.txt'))


class Client:
    """arrive, which asks from the container's network."""

    def __init__(self, bench, box):
        self.bench = bench
        self.words = [bench.tool('arrive', 'measure.c'), '-s', '0', '-f',
                      f'{bench.root}/1k.txt', '-u', box.cpu_stat]
        self.box = box
        self.idle = box.processes()

    def settle(self):
        """Waits until no program is left: what its end costs is not to be in
        the figures of the next.
        """
        if not servers.wait_until(lambda: self.box.processes() <= self.idle,
                                  servers.END_S):
            raise servers.Broken('programs stay in the container: '
                                 + self.box.inside('ps', 'ax'))

    def rate_and_cpu(self, port, clients, connections):
        """Connections per second, and microseconds of CPU for each."""
        said = self.bench.run([
            *self.words, '-c', str(clients), '-n', str(connections),
            f'@{servers.ADDRESS}:{port},{self.box.first}'])
        self.settle()
        rate, _, cpu = map(float, said.split())
        return rate, cpu

    def connections(self, port, clients):
        """How many an observation is to take."""
        if self.bench.smoke:
            return 4
        rate, _ = self.rate_and_cpu(port, clients, 8)
        return max(8, min(CONNECTIONS, round(rate * SECONDS)))


def measure_all(bench, client, ports):
    """In each round every case; in each case all programs by chance."""
    counts = {(spawner, clients, name):
              client.connections(port, CLIENTS[clients])
              for spawner in spawners.NAMES for clients in CLIENTS
              for name, port in ports[spawner].items()}
    for number in range(1, bench.rounds(30) + 1):
        if number % 5 == 1:
            bench.say(f'spawners: round {number} of {bench.rounds(30)}')
        for spawner in spawners.NAMES:
            for clients in CLIENTS:
                names = list(ports[spawner])
                for name in random.sample(names, len(names)):
                    rate, cpu = client.rate_and_cpu(
                        ports[spawner][name], CLIENTS[clients],
                        counts[spawner, clients, name])
                    case = f'{spawner}, {clients}'
                    bench.add(case, name, 'rate', '1/s', number, rate)
                    bench.add(case, name, 'cpu', 'us', number, cpu)


def measure(bench):
    stage = os.path.join(bench.work, 'spawners')
    container.lay(stage, os.path.join(bench.root, '1k.txt'),
                  spawners.TREE + '/1k.txt')
    peers = [name for name in bench.names('inetd') if name not in OURS]
    all_three = spawners.Spawners(bench, stage,
                                  bench.pick(peers, [LIMIT]))
    with container.Container(stage) as box, box.network():
        all_three.start(box)
        client = Client(bench, box)
        for spawner, ports in all_three.ports.items():
            for name, port in ports.items():
                check(bench, spawner, name, port)
        client.settle()
        measure_all(bench, client, all_three.ports)
