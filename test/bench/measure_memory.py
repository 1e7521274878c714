"""Memory of an idle connection, and the time to open very many."""

import os
import subprocess
import time

import servers
from page import Figure, Plot, Table

TITLE = 'Memory of an idle connection'

COUNTS = (100, 1000, 10000)
TINY_COUNTS = COUNTS[:1]

ANSWERED = 'asked once'
UNASKED = 'not asked yet'

# The rows of the largest count are there under this name too.
MOST = 'as many as were held'

# Who is held by more than a thousand connections at most.  Of the peers that
# have a process for each there is one; webfs waits by select(), which knows
# 1024 descriptors.
THOUSAND = 1000

# A peer may take milliseconds to start, ten thousand times.
PATIENCE_S = 300
MORE = {'httpd': 10000, 'busybox': 10000, 'nginx': 10000, 'lighttpd': 10000}

# A log makes no difference here.
LIKE_OTHERS = ('httpd-nolog', 'nginx-log')

# An idle connection is to stay.
OPTIONS = {name: ['--timeout=3600']
           for name in ('httpd', 'httpd-nolog', 'httpd-open')}

TEXT = '''
So many connections are opened (test/tools/hold.c), four times a hundred at
once; on each a file of 1 KiB is asked for once, and the answer compared; then
they are idle. In the second half of the cases nothing has been asked yet: a
process for each connection waits for it, and those that keep no connection can
be compared there.

What counts is, for each connection, the proportional memory (Pss) and page
tables and kernel stacks as the kernel sums them up, of the server's processes
with it less that of before. Of a daemon it is what it grew by: what it had set
aside when it started, as nginx does for as many connections as it may have, is
in neither. Beside it is what the server's control group is charged for, which
is all of that and what the kernel keeps for processes, sockets and files, if
there is such a group; its spawner's and those of the clients are not in it.

The time is that until all are open and answered, at 100 connections in work.
They are closed a hundred at a time.
'''

UNFAIR = [
    'Memory: page tables and kernel stacks are the whole machine\'s, so the '
    'few processes of the client are in them: up to 1 KiB for each '
    'connection of a spawned server, a tenth of it for a daemon.',
    'Memory: webfs waits by select() and cannot hold more than a thousand '
    'connections; of the peers with a process for each, only busybox was '
    'made to hold 10 000.',
    'Memory: a daemon keeps what it has once used, and the sockets of its '
    'connections are only in the figures of the control group.',
]


def case(count, kind):
    return f'{count} connections, {kind}'


SHOW = [
    Table('Memory of a connection', 'memory',
          [case(count, kind) for count in COUNTS
           for kind in (ANSWERED, UNASKED)]),
    Table('Memory charged to the control group, for each connection',
          'group'),
    Table('Time until all are open', 'open'),
    Plot('Memory of a connection that was asked once', 'memory',
         'connections', {count: case(count, ANSWERED) for count in COUNTS},
         log='xy'),
    Plot('Memory of a connection that was not asked yet', 'memory',
         'connections', {count: case(count, UNASKED) for count in COUNTS},
         log='xy'),
    Plot('Time until all are open and answered', 'open', 'connections',
         {count: case(count, ANSWERED) for count in COUNTS}, log='xy'),
]

FIGURES = [Figure('memory of an idle connection, as many as were held',
                  'memory', MOST, 'httpd', most=150, unit='KiB')]


def measure(bench):
    hold = hold_tool(bench)
    for count in bench.pick(COUNTS, TINY_COUNTS):
        for kind, needs in ((ANSWERED, ('kept', 'files')), (UNASKED, ())):
            names = [name for name in bench.names()
                     if name not in LIKE_OTHERS and
                     count <= MORE.get(name, THOUSAND)]
            check_room(count)
            observe_all(bench, hold, bench.able(names, *needs), count, kind)


def observe_all(bench, hold, names, count, kind):
    """A peer that cannot hold so many, since its own timeout ends the first
    before the last is there, say, is left out of that.
    """
    gave_up = set()

    def observe(name, number):
        if name in gave_up:
            return
        try:
            observe_one(bench, hold, name, number, count, kind)
        except TooMany as error:
            if name in OPTIONS:
                raise
            gave_up.add(name)
            bench.leave_out(name, f'{case(count, kind)}: {error}')

    bench.alternate(case(count, kind), bench.rounds(3), names, observe)


def hold_tool(bench):
    """It belongs to test/tools, for test/bench/load has it too."""
    os.makedirs(os.path.join(bench.build, 'tools'), exist_ok=True)
    return bench.tool('../tools/hold')


def check_room(count):
    with open('/proc/sys/kernel/pid_max', encoding='utf-8') as file:
        if int(file.read()) < count + 8192:
            raise servers.Broken(f'kernel.pid_max leaves no room for {count} '
                                 'processes')


class TooMany(servers.Broken):
    """A server does not hold as many connections as there are to be."""


class MemoryGroup:
    """A control group by which the memory of a server is counted, if there
    can be one; `usage` is the file to read, or None.
    """

    def __init__(self):
        self.path = self.usage = None
        with open('/proc/mounts', encoding='utf-8') as mounts:
            for line in mounts:
                _, mount, kind, options = line.split()[:4]
                if kind == 'cgroup' and 'memory' in options.split(','):
                    self.path = f'{mount}/httpd-bench-{os.getpid()}-memory'

    def __enter__(self):
        if self.path is not None:
            os.mkdir(self.path)
            self.usage = self.path + '/memory.usage_in_bytes'
        return self

    def __exit__(self, *_):
        # Nobody is there any more, unless the server's end was interrupted.
        servers.end_all()
        if self.path is not None:
            os.rmdir(self.path)

    def add(self, server):
        """From now on what the server takes is counted."""
        if self.path is None:
            # Version 2 has one group for everything.
            usage = server.group.path + '/memory.current'
            self.usage = usage if os.path.exists(usage) else None
            return
        for pid in server.pids():
            with open(self.path + '/cgroup.procs', 'w',
                      encoding='utf-8') as file:
                file.write(str(pid))

    def kib(self):
        with open(self.usage, encoding='utf-8') as file:
            return int(file.read()) / 1024


def snapshot(server, group):
    """KiB of: pss, page-tables, kernel-stack, and group where there is one."""
    with open('/proc/meminfo', encoding='utf-8') as file:
        machine = dict(line.split(':') for line in file)
    said = {'page-tables': int(machine['PageTables'].split()[0]),
            'kernel-stack': int(machine['KernelStack'].split()[0]),
            'pss': 0}
    # A spawner does not grow by what it has spawned.
    for pid in (server.pids() if server.spawner is None
                else server.handlers()):
        said['pss'] += pss_kib(pid)
    if group.usage is not None:
        said['group'] = group.kib()
    return said


def pss_kib(pid):
    with open(f'/proc/{pid}/smaps_rollup', encoding='utf-8') as file:
        for line in file:
            if line.startswith('Pss:'):
                return int(line.split()[1])
    raise servers.Broken(f'process {pid} has no Pss')


def wait_until_idle(server):
    """Until the server uses no CPU time any more, or hardly any."""
    used = [server.cpu_ns()]

    def idle():
        time.sleep(0.05)
        used.append(server.cpu_ns())
        return used[-1] - used[-2] < 100_000

    servers.wait_until(idle, 10)


class Held:
    """Connections that are open while it is entered; `said` is what hold said
    of opening them, by name.
    """

    def __init__(self, hold, server, count, kind, file):
        spawned = server.spawner is not None
        # Only the children of a spawner have to end in order; a process for
        # each connection that nobody counts is not let end faster.
        at_once = 100 if spawned or server.name == 'mini-httpd' else 1000
        words = [hold, '-n', str(count), '-g', str(at_once), '-p', '/1k.txt']
        if kind == UNASKED:
            words.append('-u')
        words += [server.address, str(server.port),
                  str(server.process.pid if spawned else 0), file]
        self.count = count
        self.name = server.name
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        try:
            self.said = self.read_line()
        except BaseException:
            # By this it closes what it has opened, in order.
            self.process.stdin.close()
            self.process.wait()
            raise

    def read_line(self):
        line = self.process.stdout.readline()
        if not line:
            raise servers.Broken(f'{self.name}: hold ended with '
                                 f'{self.process.wait()}')
        return dict(word.split('=') for word in line.split())

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        self.process.stdin.close()
        said = self.read_line()
        self.process.stdout.close()
        self.process.wait()
        if failure is None and (int(said['ended']) != self.count or
                                said['left'] != '0'):
            raise servers.Broken(f'{self.name}: of {self.count} connections '
                                 f'{said["ended"]} ended, and {said["left"]} '
                                 'processes did not')


def observe_one(bench, hold, name, number, count, kind):
    file = os.path.join(bench.root, '1k.txt')
    with MemoryGroup() as group, servers.start(
            bench, name, options=OPTIONS.get(name, ())) as server:
        group.add(server)
        if 'files' not in bench.programs[name].lacks:
            server.check('/1k.txt', bench.body('/1k.txt'))
        # What the first connection ever costs is nobody's.
        with Held(hold, server, 1, kind, file):
            wait_until_idle(server)
        server.wait_for_handlers()
        wait_until_idle(server)
        before = snapshot(server, group)
        with Held(hold, server, count, kind, file) as held:
            if int(held.said['answered']) != count:
                raise TooMany(
                    f'{name}: of {count} connections only '
                    f'{held.said["answered"]} were opened and answered')
            if server.spawner is not None and not servers.wait_until(
                    lambda: len(server.handlers()) == count, PATIENCE_S):
                raise TooMany(f'{name}: {len(server.handlers())} processes '
                              f'for {count} connections')
            wait_until_idle(server)
            during = snapshot(server, group)
    # What others of the machine free meanwhile is not the server's.
    each = {quantity: max(0, during[quantity] - before[quantity]) / count
            for quantity in before}
    each['memory'] = each['pss'] + each['page-tables'] + each['kernel-stack']
    cases = [case(count, kind)]
    if kind == ANSWERED and count == bench.pick(COUNTS, TINY_COUNTS)[-1]:
        cases.append(MOST)
    for one in cases:
        for quantity, value in each.items():
            bench.add(one, name, quantity, 'KiB', number, value)
    if kind == ANSWERED:
        bench.add(case(count, kind), name, 'open', 's', number,
                  held.said['seconds'])
