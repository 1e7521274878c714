"""Downloads of 100 MB and of 4 GB, one and four at a time."""

import os
import shutil

import client
import servers
from page import Figure, Table

TITLE = 'Downloads'

# Who does not take part, and why not.
LEFT_OUT = {
    'httpd-open': 'as httpd-nolog here',
    'busybox-static': 'as busybox here',
    'micro-httpd': 'it copies byte by byte, too slowly for 4 GB',
}

AT_A_TIME = (1, 4)

# How: what the case is called, whether client and server are on one CPU each,
# and whether the connection is there before.
ALONE = 'left to the scheduler'
PINNED = 'one CPU each'
KEPT = 'one CPU each, kept'
WAYS = ((ALONE, False, False), (PINNED, True, False), (KEPT, True, True))

# Rounds are as many more of what is judged.
MORE_JUDGED = 6

# By how much two servers that do the same may differ in the median.
RESOLVED = 0.01

# What is said on the page of a file that there was no room for.
too_large = []


class File:
    """What is downloaded; `size` in bytes, `tiny` that of a trial, which has
    the same cases.
    """

    def __init__(self, label, size, tiny, rounds):
        self.label = label
        self.size = size
        self.tiny = tiny
        self.rounds = rounds
        self.target = '/' + label.replace(' ', '-') + '.bin'

    def case(self, at_a_time, way):
        return f'{self.label}, {at_a_time} at a time, {way}'

    def there_is_room(self, directory):
        """All of it has to stay in memory, or a disk is measured."""
        with open('/proc/meminfo', encoding='utf-8') as file:
            values = dict(line.split(':') for line in file)
        memory = int(values['MemAvailable'].split()[0]) * 1024
        disk = shutil.disk_usage(directory).free
        if memory > self.size * 3 // 2 and disk > self.size * 5 // 4:
            return True
        too_large.append(
            f'{self.label} were not downloaded: {memory / 1e9:.1f} GB of '
            f'memory and {disk / 1e9:.1f} GB of disk were free.')
        return False

    def make(self, root):
        """Writes it, to the disk too, so that the kernel does not do that
        while something is measured; then reads it once.
        """
        block = os.urandom(1000000)
        path = root + self.target
        with open(path, 'wb', buffering=0) as file:
            for _ in range(self.size // len(block)):
                file.write(block)
            file.write(block[:self.size % len(block)])
            os.fsync(file.fileno())
        with open(path, 'rb', buffering=0) as file:
            while file.read(1 << 20):
                pass
        os.utime(path, (1.7e9, 1.7e9))


FILES = (File('100 MB', 100_000_000, 100_000, 20),
         File('4 GB', 4_000_000_000, 4_000_000, 5))

TEXT = '''
A client connects, asks once, and takes the whole answer; the time is that from
before the connection to the last byte, so it includes the start of a process
where there is one. In the cases that are called kept, the connection was there
before, and a small file had been asked for on it: what is measured is the
transfer alone, and this is judged, for a connection has its own figures.

Files are in the page cache, and were written to the disk before. The client
(fetch.c) takes the bytes off TCP's queue without copying them, and checks the
status, the length and the number of bytes. The bytes themselves are compared
once before, with the smaller file.

Over loopback the sender does most of the receiver's work for TCP, so the
server's CPU time is both ends', but for what waking the client and freeing the
pages takes; the client's own is beside it.

Client and server are left to the scheduler, or kept on one CPU each. What is
judged is the latter: left alone, the scheduler puts a young process now beside
its client and now on the other CPU, and a server that starts one for each
connection meets that lottery anew each time. Of four at a time all are then
sent by one CPU, whether by one process or by four.

httpd, nginx and webfs ask the kernel for the same, in the same way, and the
kernel does nearly all of the work. Two programs that are equal, as httpd with
and without a log are here, differ by up to a hundredth in the medians of a run,
so to a hundredth it is judged.
'''


def unfair(_):
    return too_large + [
        'Downloads: over a network, checksums and the device cost all servers '
        'alike, and what they differ by is less of the whole than here.',
        'Downloads: four at a time left to the scheduler are sent by two CPUs '
        'where there is a process for each, and by one where nginx has one '
        'worker.',
    ]


UNFAIR = unfair

SHOW = [
    Table('Rate', 'rate', ours=('httpd', 'httpd-nolog')),
    Table('CPU time of the server', 'server-cpu',
          ours=('httpd', 'httpd-nolog')),
    Table('CPU time of the client', 'client-cpu', ours=()),
]

FIGURES = [
    Figure(f'{file.label}, {at_a_time} at a time: {what}', quantity,
           file.case(at_a_time, KEPT), 'httpd-nolog', 'nginx', to=RESOLVED,
           **limit)
    for file in FILES for at_a_time in AT_A_TIME
    for what, quantity, limit in (
        ('bytes/s against nginx', 'rate', {'least': 1.0}),
        ('CPU per GB against nginx', 'server-cpu', {'most': 1.0}))
]


def measure(bench):
    root = os.path.join(bench.work, 'transfer')
    os.mkdir(root)
    shutil.copy2(os.path.join(bench.root, '1k.txt'), root)
    running = {}
    try:
        for name in taking_part(bench):
            running[name] = servers.start(bench, name, root)
        for file in FILES:
            file.size = bench.pick(file.size, file.tiny)
            if file.there_is_room(root):
                file.make(root)
                download_all(bench, root, running, file)
                os.unlink(root + file.target)
    finally:
        for server in running.values():
            server.stop()


def taking_part(bench):
    for name, why in LEFT_OUT.items():
        bench.leave_out(name, why)
    return [name for name in bench.able(bench.names(), 'files')
            if name not in LEFT_OUT]


def download_all(bench, root, running, file):
    if file is FILES[0]:
        with open(root + file.target, 'rb') as opened:
            body = opened.read()
        for server in running.values():
            server.check(file.target, body)
        del body
    fetch = bench.tool('fetch', 'measure.c')
    cpus = os.sched_getaffinity(0)
    for way, pinned, kept in WAYS:
        options = ['-p', str(min(cpus))] if pinned else []
        options += ['-k', root + '/1k.txt'] if kept else []
        for server in running.values():
            server.pin({max(cpus)} if pinned else cpus)
        names = bench.able(running, *(['kept'] if kept else []))
        for at_a_time in AT_A_TIME:
            case = file.case(at_a_time, way)

            def download(name, number, case=case, at_a_time=at_a_time,
                         options=options, kept=kept):
                server = running[name]
                words = [fetch, *options, '-n', str(at_a_time),
                         server.address, str(server.port), file.target,
                         str(file.size)]
                run = run_kept if kept else run_with_connections
                said = run(bench, words, server)
                record(bench, case, name, number, file.size * at_a_time, said)

            bench.alternate(case, bench.rounds(
                file.rounds * (MORE_JUDGED if kept else 1)), names, download)


def run_kept(_, words, server):
    said = client.run(words, server)
    server.wait_for_handlers()
    return said


def run_with_connections(bench, words, server):
    """The same with all that the connections take."""
    before = server.cpu_ns()
    said = client.values(bench.run(words))
    # One that stays for a while does nothing then.
    if 'exit' not in bench.programs[server.name].lacks:
        server.wait_for_handlers()
    return dict(said, **{'server-cpu': (server.cpu_ns() - before) / 1e9})


def record(bench, case, name, number, size, said):
    bench.add(case, name, 'rate', 'MB/s', number,
              size / 1e6 / said['seconds'])
    bench.add(case, name, 'server-cpu', 's/GB', number,
              said['server-cpu'] / (size / 1e9))
    bench.add(case, name, 'client-cpu', 's/GB', number,
              said['cpu'] / (size / 1e9))
