"""What a connection costs: the process alone, and connections per second."""

import servers
from page import BEST, OURS, Figure, Plot, Table

TITLE = 'A process for each connection'

TEXT = '''
A connection, one GET of 1 KiB, and its end. "spawn" is the process alone: the
clock runs from before the program is started, with the connection accepted,
until its exit status is there. CPU time is user and system time of the process
from its creation on.
'''

SHOW = [
    Table('Spawn, one GET, exit: time', 'wall', ['spawn'],
          ours=('httpd', 'httpd-nolog', 'httpd-open')),
    Table('Spawn, one GET, exit: CPU', 'cpu', ['spawn'],
          ours=('httpd', 'httpd-nolog', 'httpd-open')),
    Table('Spawn, one GET, exit: page faults', 'page-faults', ['spawn']),
    Plot('Spawn, one GET of 1 KiB, exit', 'wall', 'the process alone',
         {'spawn': 'spawn'}),
]

FIGURES = [
    Figure('connection cost, sandbox off, against the constant answer',
           'wall', 'spawn', 'httpd-open', 'constant', most=1.25),
    Figure('connection cost, sandbox on, against the constant answer',
           'wall', 'spawn', 'httpd', 'constant', most=1.7),
    Figure('connection cost, sandbox on, against the best same-shape peer',
           'wall', 'spawn', 'httpd', BEST, most=0.6),
]


# What spawn -e prints of each observation.
SPAWN = (('wall', 'us'), ('cpu', 'us'), ('page-faults', 'faults'),
         ('answer', 'us'))


def spawn(bench, case, names, rounds):
    """Every program once a round, on an accepted connection."""
    words = [bench.tool('spawn', 'measure.c'), '-e', '-n', str(rounds),
             '-f', f'{bench.root}/1k.txt', '-t', '/1k.txt',
             '-l', f'{bench.work}/spawn.log']
    for name in names:
        words += [*servers.command(bench, name), '--']
    bench.say(f'connection: {case}')
    for line in bench.run(words[:-1]).splitlines():
        number, place, *values = line.split('\t')
        for (quantity, unit), value in zip(SPAWN, values):
            bench.add(case, names[int(place)], quantity, unit, int(number),
                      value)


def measure(bench):
    names = bench.names('inetd')
    for name in names:
        with servers.start(bench, name) as server:
            server.check('/1k.txt', bench.body('/1k.txt'))
    quick = bench.able(names, 'exit')
    spawn(bench, 'spawn', quick, bench.rounds(1000))
    slow = [name for name in names if name not in quick]
    if slow:
        spawn(bench, 'spawn-lingering', [*OURS, 'constant', *slow],
              bench.rounds(10))
