"""What a connection costs: the process alone, and connections per second."""

import contextlib

import loads
import servers
from page import BEST, LIMIT, OURS, Figure, Plot, Table

TITLE = 'A process for each connection'

TEXT = '''
A connection, one GET of 1 KiB, and its end. "spawn" is the process alone: the
clock runs from before the program is started, with the connection accepted,
until its exit status is there. CPU time is user and system time of the process
from its creation on. A peer that stays for a while behind its answer is
measured in a few rounds of their own, and "answer" is the time to the end of
the answer, as its client sees it. With the constant answer, which keeps no log,
httpd is compared without one; what the log costs is in the table.

Connections per second are those of clients that each have one connection under
way at any time, with one request, and wait until the server has closed it. The
client is ask.c, which compares every byte. Programs that do not listen are
under tcpserver, whose CPU time is counted as theirs.
'''

UNFAIR = (
    'mini-httpd and the programs under tcpserver have a process for each '
    'connection; nginx, lighttpd and webfs have none to start.',
    'ab and ask.c share the CPUs with the servers; what they take for '
    'themselves is in the table of client-cpu.',
)

CLIENTS = (1, 8, 64)


def case_of(clients):
    return f'{clients} client{"s"[:clients > 1]}'


BY_AB = f'{case_of(8)}, by ab'
RATES = {clients: case_of(clients) for clients in CLIENTS}

SHOW = [
    Plot('Spawn, one GET of 1 KiB, exit: time', 'wall', '',
         {'the process alone': 'spawn'}),
    Table('Spawn, one GET, exit: time', 'wall', ours=OURS),
    Table('Spawn, one GET, exit: CPU', 'cpu', ['spawn', 'spawn-lingering'],
          ours=OURS),
    Table('Spawn, one GET, exit: page faults', 'page-faults',
          ['spawn', 'spawn-lingering']),
    Table('Spawn, one GET, to the end of its answer', 'answer'),
    Plot('Connections/s by clients', 'rate', 'clients', RATES, log='xy'),
    Plot('Server CPU for a connection, by clients', 'server-cpu', 'clients',
         RATES, log='xy'),
    Table('Connections/s', 'rate', ours=('httpd', 'httpd-nolog')),
    Table('Server CPU for a connection', 'server-cpu',
          ours=('httpd', 'httpd-nolog')),
    Table('The client\'s own CPU for a connection', 'client-cpu', ours=()),
]

FIGURES = [
    *(Figure(f'connection cost, sandbox {how}, against the constant answer, '
             'neither with a log', 'wall', 'spawn', name, LIMIT, most=most)
      for how, name, most in (('off', 'httpd-open', 1.25),
                              ('on', 'httpd-nolog', 1.7))),
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


def record(bench, case, name, number, result):
    for quantity, unit, key in (
            ('rate', 'connections/s', 'rate'),
            ('server-cpu', 'us/connection', 'cpu'),
            ('client-cpu', 'us/connection', 'client-cpu')):
        bench.add(case, name, quantity, unit, number, result[key])


def rates(bench):
    """Connections per second, of all servers."""
    rounds = bench.rounds(7)
    seconds = bench.pick(0.5, 0.05)
    with contextlib.ExitStack() as stack:
        running = start_all(bench, stack, bench.names())
        for clients, case in RATES.items():
            bench.alternate(
                case, rounds, list(running),
                lambda name, number, case=case, clients=clients: record(
                    bench, case, name, number, loads.ask(
                        bench, running[name], '/1k.txt', seconds, clients)))
        bench.alternate(BY_AB, rounds, list(running),
                        lambda name, number: record(
                            bench, BY_AB, name, number, loads.ab(
                                running[name], '/1k.txt',
                                bench.pick(500, 16), 8)))


def start_all(bench, stack, names):
    """Starts servers, checks what they answer, and returns them by name."""
    running = {}
    for name in names:
        running[name] = stack.enter_context(servers.start(bench, name))
        running[name].check('/1k.txt', bench.body('/1k.txt'))
    return running


def measure(bench):
    names = bench.names('inetd')
    with contextlib.ExitStack() as stack:
        start_all(bench, stack, names)
    quick = bench.able(names, 'exit')
    spawn(bench, 'spawn', quick, bench.rounds(1000))
    slow = [name for name in names if name not in quick]
    if slow:
        spawn(bench, 'spawn-lingering', [*OURS, LIMIT, *slow],
              min(bench.rounds(10), 10))
    rates(bench)
