"""Requests on connections that are kept: their CPU, their rate, their time."""

import contextlib

import loads
import servers
from page import BEST, LIMIT, OURS, Figure, Plot, Table

TITLE = 'Requests on kept connections'

SIZES = (('150 B', '/150.txt'), ('10 KiB', '/10k.txt'),
         ('100 KiB', '/100k.txt'))
CONNECTIONS = (1, 4, 32, 128)
DEPTHS = (1, 32)

TEXT = '''
Connections are opened first; then each has one request under way at any time,
and asks for the same file again as soon as it has its answer. The client is
ask.c, which compares every byte; it takes the server's CPU time between the
first request and the last answer, so that neither opening nor closing counts.
Of one connection, client and server are kept on a CPU each ("1 connection"), or
on the same ("one CPU"), where a request's work is all there is; otherwise the
scheduler is left alone.

With a CPU each, most of what a server is charged is the kernel's price of waking
the client on the other CPU, the same for all. So "constant" takes part where
client and server have their places: it receives a request and sends an answer
that it made before, by one call each, and what it takes no server can avoid.
With a CPU each, the figure is what a server takes above it; on one CPU, it is
all that it takes.

Pipelined, as many requests as are said are sent at once, and the next when all
are answered. nginx has tcp_nopush off there, with which it would stall for 40
ms. Peers of the same shape end the connection behind each answer. Where they
are in a table of pipelined requests, they have a connection for each: that is
what those requests cost with them.

A 304 is asked for with the server's own entity tag, or its date where it gives
none. A 404 is for a name that is not there; httpd is told to keep connections
behind it (--persist=always).
'''

UNFAIR = (
    'Where two or more connections are kept, nginx has one worker, as wanted '
    'here, and lighttpd and webfs one process: they use one CPU. httpd has a '
    'process for each connection, and uses all; so compare CPU for each '
    'request rather than requests/s.',
    'httpd looks for compressed neighbours of each file that could have some; '
    'the others do so only if they are told to.',
    'ask.c, wrk and h2load share the CPUs with the servers; what each takes '
    'for itself is in the tables as client-cpu.',
)


def case_of(size, connections):
    return f'{size}, {connections} connection{"s"[:connections > 1]}'


ONE_CPU = '150 B, 1 connection, one CPU'

SHOW = [
    *(Plot(f'Server CPU for a request of {size}', 'cpu', 'connections',
           {count: case_of(size, count) for count in CONNECTIONS}, log='x')
      for size, _ in SIZES),
    *(Plot(f'Requests/s of {size}', 'rate', 'connections',
           {count: case_of(size, count) for count in CONNECTIONS}, log='x')
      for size, _ in SIZES),
    Plot('Server CPU for a request of 150 B, one connection', 'cpu',
         'requests at a time', {depth: f'150 B, pipelined {depth}'
                                for depth in DEPTHS}, log='xy'),
    Plot('Time of sequential requests, 150 B', 'latency', 'percentile',
         {name: f'150 B, {name}' for name in loads.LATENCIES}, log='y'),
    Table('Server CPU for a request', 'cpu', ours=('httpd', 'httpd-nolog')),
    Table('Requests/s', 'rate', ours=('httpd', 'httpd-nolog')),
    Table('Time from a request to the end of its answer', 'latency',
          text='Sequential requests; the percentiles of each run.'),
    Table('The client\'s own CPU for a request', 'client-cpu', ours=()),
]

FIGURES = [
    *(Figure(f'server CPU for a kept request of 150 B, {where}, {log}, '
             'against nginx with its log off', 'cpu', case, name, 'nginx',
             most=0.8, above=above)
      for name, log in (('httpd', 'with log'), ('httpd-nolog', 'without log'))
      for where, case, above in (
          ('one CPU', ONE_CPU, None),
          ('a CPU each, above the limit', case_of('150 B', 1), LIMIT))),
    Figure('pipelined requests of 150 B, 32 at a time: CPU for each', 'cpu',
           '150 B, pipelined 32', 'httpd', most=6, unit='us'),
    Figure('pipelined requests of 150 B, 32 at a time: CPU for each, against '
           'the best same-shape peer', 'cpu', '150 B, pipelined 32', 'httpd',
           BEST, most=0.25),
    Figure('no stalls of 40 ms: 99.9 % of sequential requests', 'latency',
           '150 B, p99.9', 'httpd', most=35, unit='ms', scale=1e-3),
]


def record(bench, case, name, number, result):
    for quantity, unit in (('cpu', 'us/request'), ('rate', 'requests/s'),
                           ('client-cpu', 'us/request')):
        bench.add(case, name, quantity, unit, number, result[quantity])


def sequential(bench, running, rounds, seconds):
    """One connection, CPUs kept apart and, with the smallest file, on one."""
    for size, target in SIZES:
        with servers.start(bench, LIMIT, options=[
                'keep', bench.root + target]) as limit:
            limit.check(target, bench.body(target))
            sequential_of_size(bench, dict(running, **{LIMIT: limit}), size,
                               target, rounds, seconds)


def sequential_of_size(bench, running, size, target, rounds, seconds):
    """Where CPUs are apart, also how long requests take."""
    first, second = loads.cpus()

    def apart(name, number):
        result = loads.ask(bench, running[name], target, seconds, kept=True,
                           pin=(first, second))
        record(bench, case_of(size, 1), name, number, result)
        for latency in loads.LATENCIES:
            bench.add(f'{size}, {latency}', name, 'latency', 'us', number,
                      result[latency])

    def together(name, number):
        record(bench, ONE_CPU, name, number, loads.ask(
            bench, running[name], target, seconds, kept=True,
            pin=(first, first)))

    bench.alternate(case_of(size, 1), rounds, list(running), apart)
    if target == SIZES[0][1]:
        bench.alternate(ONE_CPU, rounds, list(running), together)


def several(bench, running, rounds, seconds):
    """More connections, by ask and, for the smallest file, by wrk."""
    for size, target in SIZES:
        for count in CONNECTIONS[1:]:
            case = case_of(size, count)
            bench.alternate(
                case, rounds, list(running),
                lambda name, number, case=case, target=target, count=count:
                record(bench, case, name, number, loads.ask(
                    bench, running[name], target, seconds, count, kept=True)))
    # wrk closes its connections all at once: of no more than 32 here.
    case = f'{case_of("150 B", 32)}, by wrk'
    bench.alternate(case, rounds, list(running), lambda name, number: record(
        bench, case, name, number, loads.wrk(
            running[name], '/150.txt', seconds, 32)))


def conditional(bench, running, rounds, seconds):
    """Answers 304, by the server's own validator."""
    fields = {}
    for name in bench.able(running, 'conditional'):
        head = running[name].check('/150.txt', bench.body('/150.txt'))
        fields[name] = (f'If-None-Match: {head["ETag"]}' if head['ETag'] else
                        f'If-Modified-Since: {head["Last-Modified"]}')
    bench.alternate('304', rounds, list(fields), lambda name, number: record(
        bench, '304', name, number, loads.ask(
            bench, running[name], '/150.txt', seconds, kept=True, status=304,
            field=fields[name])))


def missing(bench, names, rounds, seconds):
    """Answers 404, behind which the connection is to be kept."""
    with contextlib.ExitStack() as stack:
        running = start_all(bench, stack, bench.able(names, 'kept-404'),
                            ['--persist=always'])
        for server in running.values():
            server.check('/missing', None, status=404)
        bench.alternate('404', rounds, list(running),
                        lambda name, number: record(
                            bench, '404', name, number, loads.ask(
                                bench, running[name], '/missing', seconds,
                                kept=True, status=404)))


def pipelined(bench, names, rounds, seconds):
    """Requests sent together; one CPU each, as for sequential ones."""
    pin = loads.cpus()
    with contextlib.ExitStack() as stack:
        able = bench.able(names, 'pipelined')
        running = start_all(bench, stack, able, variables={'nopush': 'off'})
        closing = start_all(bench, stack, [
            name for name in bench.names('inetd') if name not in able
            and 'files' not in bench.programs[name].lacks])
        for size, target in SIZES:
            for depth in DEPTHS if size == '150 B' else DEPTHS[1:]:
                case = f'{size}, pipelined {depth}'

                def ask(name, number, case=case, target=target, depth=depth):
                    if name in running:
                        result = loads.ask(bench, running[name], target,
                                           seconds, depth=depth, kept=True,
                                           pin=pin)
                    else:
                        result = loads.ask(bench, closing[name], target,
                                           seconds, pin=pin)
                    record(bench, case, name, number, result)

                bench.alternate(case, rounds, [*running, *closing], ask)
        case = '150 B, pipelined 32, by h2load'
        bench.alternate(case, rounds, list(running),
                        lambda name, number: record(
                            bench, case, name, number, loads.h2load(
                                running[name], '/150.txt',
                                bench.pick(20000, 640), 32)))


def start_all(bench, stack, names, options=(), variables=None):
    """Starts servers, checks what they answer, and returns them by name.
    Options are for httpd alone, whose idle timeout is to end nothing when a
    busy machine makes a pause.
    """
    options = ['--timeout=60', *options]
    running = {}
    for name in names:
        running[name] = stack.enter_context(servers.start(
            bench, name, variables=variables,
            options=options if name in OURS else ()))
        for _, target in SIZES:
            running[name].check(target, bench.body(target))
    return running


def measure(bench):
    names = bench.able(bench.names(), 'kept')
    rounds = bench.rounds(7)
    seconds = bench.pick(0.5, 0.05)
    with contextlib.ExitStack() as stack:
        running = start_all(bench, stack, names)
        sequential(bench, running, bench.rounds(15), seconds)
        several(bench, running, rounds, seconds)
        conditional(bench, running, rounds, seconds)
    missing(bench, names, rounds, seconds)
    pipelined(bench, names, rounds, seconds)
