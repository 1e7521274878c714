"""Downloads of 100 MB and of 4 GB, one and four at a time."""

import os
import shutil

import servers
from page import Figure, Table

TITLE = 'Downloads'

NAMES = ('httpd', 'httpd-nolog', 'nginx', 'nginx-log', 'lighttpd', 'busybox',
         'lighttpd-1', 'webfs', 'mini-httpd')

AT_A_TIME = (1, 4)
LEFT_ALONE = 'left to the scheduler'
PINNED = 'one CPU each'

# What is said on the page of a file that there was no room for.
too_large = []


class File:
    """What is downloaded; `size` in bytes."""

    def __init__(self, label, size, rounds):
        self.label = label
        self.size = size
        self.rounds = rounds
        self.target = '/' + label.replace(' ', '-') + '.bin'

    def case(self, at_a_time, where):
        return f'{self.label}, {at_a_time} at a time, {where}'

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


FILES = (File('100 MB', 100_000_000, 15), File('4 GB', 4_000_000_000, 5))
TINY = (File('100 KB', 100_000, 1), File('4 MB', 4_000_000, 1))

TEXT = '''
A client connects, asks once, and takes the whole answer; the time is that from
before the connection to the last byte, so it includes the start of a process
where there is one. Files are in the page cache, and were written to the disk
before. The client (fetch.c) takes the bytes off TCP's queue without copying
them; it checks the status, the length and the number of bytes. The bytes
themselves are compared once before, with the smaller file.

Over loopback the sender does most of the receiver's work for TCP, so the
server's CPU time is both ends', but for what waking the client and freeing the
pages takes; the client's own is beside it.

Client and server are left to the scheduler in one half of the cases and kept
on one CPU each in the other, and it is the latter that is judged: left alone,
the scheduler puts a young process now beside its client and now on the other
CPU, and a server that starts one for each connection meets that lottery
anew each time. Of four downloads that the judged cases have at a time, all
are sent by one CPU.
'''

UNFAIR = [
    'Downloads: nginx and lighttpd send by sendfile, as httpd does; which of '
    'the others copy, the CPU time tells.',
]

SHOW = [
    Table('Rate', 'rate', ours=('httpd', 'httpd-nolog')),
    Table('CPU time of the server', 'server-cpu',
          ours=('httpd', 'httpd-nolog')),
    Table('CPU time of the client', 'client-cpu', ours=()),
]

FIGURES = [
    Figure(f'{file.label}, {at_a_time} at a time: {what}', quantity,
           file.case(at_a_time, PINNED), 'httpd-nolog', 'nginx', **limit)
    for file in FILES for at_a_time in AT_A_TIME
    for what, quantity, limit in (
        ('bytes/s against nginx', 'rate', {'least': 1.0}),
        ('CPU per GB against nginx', 'server-cpu', {'most': 1.0}))
]


def measure(bench):
    fetch = bench.tool('fetch', 'measure.c')
    root = os.path.join(bench.work, 'transfer')
    os.mkdir(root)
    running = {}
    try:
        for name in bench.able(NAMES, 'files'):
            running[name] = servers.start(bench, name, root)
        for file in bench.pick(FILES, TINY):
            if file.there_is_room(root):
                file.make(root)
                download_all(bench, fetch, root, running, file)
                os.unlink(root + file.target)
    finally:
        for server in running.values():
            server.stop()


def download_all(bench, fetch, root, running, file):
    if file.size <= 100_000_000:
        with open(root + file.target, 'rb') as opened:
            body = opened.read()
        for server in running.values():
            server.check(file.target, body)
        del body
    everywhere = os.sched_getaffinity(0)
    for where in (LEFT_ALONE, PINNED):
        client = min(everywhere)
        if where == PINNED:
            options, cpus = ['-p', str(client)], {max(everywhere)}
        else:
            options, cpus = [], everywhere
        for server in running.values():
            server.pin(cpus)
        for at_a_time in AT_A_TIME:
            case = file.case(at_a_time, where)

            def download(name, number, case=case, at_a_time=at_a_time,
                         options=options):
                server = running[name]
                words = [fetch, *options, '-n', str(at_a_time),
                         server.address, str(server.port), file.target,
                         str(file.size)]
                before = server.cpu_ns()
                said = dict(word.split('=')
                            for word in bench.run(words).split())
                server.wait_for_handlers()
                record(bench, case, name, number, file.size * at_a_time, said,
                       (server.cpu_ns() - before) / 1e9)

            bench.alternate(case, bench.rounds(file.rounds), list(running),
                            download)


def record(bench, case, name, number, size, said, cpu):
    bench.add(case, name, 'rate', 'MB/s', number,
              size / 1e6 / float(said['seconds']))
    bench.add(case, name, 'rate-of-body', 'MB/s', number,
              size / 1e6 / float(said['body']))
    bench.add(case, name, 'server-cpu', 's/GB', number, cpu / (size / 1e9))
    bench.add(case, name, 'client-cpu', 's/GB', number,
              float(said['cpu']) / (size / 1e9))
