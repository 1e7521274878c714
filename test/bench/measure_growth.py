"""What a request costs as tree, path, rules or backlog grow."""

import dataclasses
import math
import os
import random
import shutil
import tempfile
import typing

import client
import rows
import servers
from page import Plot, Table

TITLE = 'Growth'

# Redirects and errors end httpd's connection by default.
OPTIONS = {'httpd-nolog': ['--persist=always', '--timeout=60']}

# With tcp_nopush, nginx waits for 40 ms where requests are pipelined.
VARIABLES = {'nginx': {'nopush': 'off'}}

BOTH = ('httpd-nolog', 'nginx')
ALONE = ('httpd-nolog',)

PER_DIRECTORY = 1000
BODY = b'growth' * 25

# At the end the cost may be so much more than at the start, in parts of it,
# and still be called flat.
FLAT = 0.1

# A point of what is called linear is off the line by this part of the largest
# at most.
OFF_THE_LINE = 0.1


@dataclasses.dataclass
class Series:
    """What grows.  `make` writes the tree for a point below a directory, and
    returns the targets that are asked for.  A point that is no number is
    measured, and is in no fit.  `tiny` are those of a trial.
    """
    name: str
    each: str  # what the points count: one of them
    points: tuple
    tiny: tuple
    make: typing.Callable
    programs: tuple = BOTH
    status: str = '200'
    pipelined: bool = False
    requests: int = 5000
    least_requests: int = 0
    by_tenfold: bool = False
    about: str = ''

    def case(self, point):
        return f'{self.name}: {point} {self.each}s'

    def requests_at(self, point):
        """Fewer where each takes longer, so that no point takes all time."""
        if not self.least_requests:
            return self.requests
        return max(self.requests // (1 + point // 10), self.least_requests)

    def place(self, point):
        return math.log10(point) if self.by_tenfold else point

    def step(self):
        return 'tenfold' if self.by_tenfold else self.each


# ---- what is made ----

def write(path, content=BODY):
    with open(path, 'wb') as file:
        file.write(content)
    # Modified long ago: a tag of a file that is new may be weak.
    os.utime(path, (1.7e9, 1.7e9))


def make_files(root, files, per_directory=PER_DIRECTORY):
    """Directories with so many files each, all of them empty; the paths."""
    paths = []
    for first in range(0, files, per_directory):
        name = f'{first // per_directory:04}'
        os.mkdir(os.path.join(root, name))
        directory = os.open(os.path.join(root, name), os.O_RDONLY)
        for number in range(min(per_directory, files - first)):
            file = f'{number:06}.txt'
            os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o644,
                             dir_fd=directory))
            paths.append(f'/{name}/{file}')
        os.close(directory)
    return paths


def make_tree(root, files, asked):
    """A point may be `flat N`: all of them in one directory."""
    if isinstance(files, str):
        files = int(files.split()[1])
        paths = make_files(root, files, files)
    else:
        paths = make_files(root, files)
    targets = random.sample(paths, min(asked, files))
    for target in targets:
        write(root + target)
    return targets


def make_path(root, levels):
    target = ''.join(f'/level-{number:02}' for number in range(1, levels))
    os.makedirs(root + target, exist_ok=True)
    target += '/file.txt'
    write(root + target)
    return [target]


def make_rules(root, rules):
    write(os.path.join(root, '_redirects'), ''.join(
        f'/old/{number:05}.html /new/{number:05}.html 301\n'
        for number in range(rules)).encode())


def make_redirect(root, rules):
    make_rules(root, rules)
    return [f'/old/{rules - 1:05}.html']


def make_missing(root, rules):
    make_rules(root, rules)
    return ['/missing.html']


def make_one(root, _):
    write(os.path.join(root, 'file.txt'))
    return ['/file.txt']


FILES = (100, 1000, 10_000, 100_000, 1_000_000)
FLAT_DIRECTORY = 'flat 100000'

SERIES = (
    Series('tree, the same 100 files', 'file', (*FILES, FLAT_DIRECTORY),
           (100, 1000), lambda root, point: make_tree(
               root, point, 100), by_tenfold=True,
           about='A hundred files, chosen at random, are asked for in turns, '
           'in trees of up to a million in directories of at most 1000, and '
           'in one directory of 100 000.'),
    Series('tree, 10000 different files', 'file', (*FILES, FLAT_DIRECTORY),
           (100, 1000), lambda root, point: make_tree(
               root, point, 10_000), requests=10_000, by_tenfold=True,
           about='The same with ten thousand files, so far as there are: what '
           'the kernel knows of them does not stay in the CPU\'s caches.'),
    Series('path', 'level', (1, 2, 5, 10, 20, 30), (1, 5), make_path,
           about='One file, whose path has so many names of eight bytes.'),
    Series('redirect', 'rule', (1, 10, 100, 1000, 10_000), (1, 10),
           make_redirect, ALONE, '301', least_requests=100,
           about='A redirect by the last of so many lines of _redirects.'),
    Series('not found', 'rule', (0, 10, 100, 1000, 10_000), (0, 10),
           make_missing, ALONE, '404', least_requests=100,
           about='Neither a file nor a rule.'),
    Series('backlog', 'request', (1, 10, 100, 1000), (1, 10), make_one,
           pipelined=True, requests=10_000,
           about='So many requests are sent at once, and the next as many '
           'when all of their answers have arrived; nginx has tcp_nopush '
           'off.'),
)


# ---- measuring ----

def measure(bench):
    turns = bench.tool('turns', 'measure.c')
    cpu = max(os.sched_getaffinity(0))
    for series in SERIES:
        top = tempfile.mkdtemp(prefix='httpd-bench.',
                               dir=where(bench, series))
        os.chmod(top, 0o755)
        try:
            grow(bench, turns, series, top, cpu)
        finally:
            shutil.rmtree(top)


def points(bench, series):
    return bench.pick(series.points, series.tiny)


def where(bench, series):
    """In memory if there is room, so that nothing has to be read."""
    files = 0
    for point in points(bench, series):
        files += point if isinstance(point, int) else int(point.split()[1])
    shm = '/dev/shm'
    try:
        free = os.statvfs(shm)
    except OSError:
        return bench.work
    room = (free.f_favail > 2 * files and
            free.f_bavail * free.f_frsize > 2048 * files + 2 ** 28)
    return shm if room else bench.work


class Point:
    """A point of a series with the servers that run for it."""

    def __init__(self, bench, series, top, point):
        self.point = point
        self.root = os.path.join(top, str(point).replace(' ', '-'))
        os.mkdir(self.root)
        targets = series.make(self.root, point)
        self.targets = self.root + '.targets'
        with open(self.targets, 'w', encoding='utf-8') as file:
            file.writelines(f'{target}\n' for target in targets)
        self.servers = {}
        self.first = targets[0]

    def start(self, bench, series, names, cpu):
        for name in names:
            server = servers.start(bench, name, self.root,
                                   variables=VARIABLES.get(name),
                                   options=OPTIONS.get(name, ()))
            self.servers[name] = server
            server.check(self.first, BODY if series.status == '200' else None,
                         int(series.status))
            server.pin({cpu})

    def stop(self):
        for server in self.servers.values():
            server.stop()


def grow(bench, turns, series, top, cpu):
    needs = ['kept', 'files'] + (['pipelined'] if series.pipelined else [])
    names = bench.able(series.programs, *needs)
    made = []
    try:
        for point in points(bench, series):
            made.append(Point(bench, series, top, point))
            made[-1].start(bench, series, names, cpu)

        def observe(pair, number):
            observe_one(bench, turns, series, *pair, cpu, number)

        bench.alternate(series.name, bench.rounds(15),
                        [(name, point) for name in names for point in made],
                        observe)
    finally:
        for point in made:
            point.stop()


def observe_one(bench, turns, series, name, point, cpu, number):
    server = point.servers[name]
    depth = point.point if series.pipelined else 1
    requests = bench.pick(series.requests_at(point.point) if isinstance(
        point.point, int) else series.requests, 20)
    requests -= requests % depth
    said = client.run([turns, '-p', str(cpu), '-d', str(depth),
                       '-r', str(requests), '-s', series.status,
                       server.address, str(server.port), point.targets],
                      server)
    server.wait_for_handlers()
    case = series.case(point.point)
    for quantity, seconds in (('server-cpu', said['server-cpu']),
                              ('wall', said['seconds']),
                              ('client-cpu', said['cpu'])):
        bench.add(case, name, quantity, 'us/request', number,
                  seconds * 1e6 / requests)


# ---- fits ----

def line(xs, ys):
    """Slope and intercept by least squares."""
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = (sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys)) /
             sum((x - x_mean) ** 2 for x in xs))
    return slope, y_mean - slope * x_mean


def costs(bench, series, name):
    """point -> round -> the server's CPU time for a request."""
    points = {series.case(point): point for point in series.points
              if isinstance(point, int)}
    found = {}
    for row in bench.rows.all:
        if (row.case in points and row.server == name and
                (row.measure, row.quantity) == ('growth', 'server-cpu')):
            found.setdefault(points[row.case], {})[row.round] = row.value
    return dict(sorted(found.items()))


def verdict(bench, series, name):
    """A sentence on how the cost grows."""
    found = costs(bench, series, name)
    if len(found) < 2:
        return f'{series.name}, {name}: not measured.'
    places = [series.place(point) for point in found]
    medians = [rows.spread(by_round.values()).median
               for by_round in found.values()]
    low, high = medians[0], medians[-1]
    what = (f'{series.name}, {name}: {low:.3g} us at {min(found)} '
            f'{series.each}s, {high:.3g} us at {max(found)}: ')
    if max(medians) <= low * (1 + FLAT):
        return what + ('flat.' if high >= low * (1 - FLAT) else 'it falls.')
    slopes = rows.spread([line(places, [by_round[number] for by_round
                                        in found.values()])[0]
                          for number in next(iter(found.values()))])
    slope, start = line(places, medians)
    off = max(abs(start + slope * place - cost)
              for place, cost in zip(places, medians))
    slope = (f'{slopes.median:.3g} us for each {series.step()} '
             f'({slopes.q1:.3g} – {slopes.q3:.3g})')
    if off <= OFF_THE_LINE * max(medians):
        return what + f'linear, {slope}.'
    return what + (f'NEITHER FLAT NOR LINEAR, off the line by up to {off:.3g} '
                   f'us; {slope}.')


def text(bench):
    parts = ['''
A client asks many times on one kept connection (turns.c), one CPU for both,
and the CPU time of the server is divided by the requests. Every target was
asked for before. What grows by no more than a tenth of the smallest point is
called flat; what lies on a line to a tenth of the largest point, linear, and
its slope is the median of those of the rounds. Trees are in memory (tmpfs)
where that has room; all files but those asked for are empty.
''']
    for series in SERIES:
        parts.append(series.about)
        parts += [sentence for name in series.programs
                  if (sentence := verdict(bench, series, name))]
    return '\n\n'.join(parts)


TEXT = text

UNFAIR = [
    'Growth: httpd looks for compressed neighbours of a text file with each '
    'request, in every point, and nginx for none.',
]

SHOW = [
    Table('CPU time of the server', 'server-cpu', ours=('httpd-nolog',)),
    *(Plot(series.name[0].upper() + series.name[1:], 'server-cpu',
           series.each + 's', {point: series.case(point)
                               for point in series.points
                               if isinstance(point, int) and point > 0},
           log='' if series.name == 'path' else
           'xy' if series.each == 'rule' else 'x')
      for series in SERIES),
    Table('Time from a request to the end of its answer', 'wall',
          ours=('httpd-nolog',)),
    Table('CPU time of the client', 'client-cpu', ours=()),
]
