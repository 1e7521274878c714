"""Servers: what they are, how they are started, watched and stopped.

A `Program` is a row of peers.tsv, or one of the project's own (OURS).  A
`Server` is one that runs.  `start(bench, name)` makes it:

    with servers.start(bench, 'busybox', spawner='xinetd') as server:
        before = server.cpu_ns()
        ... load on 127.0.0.1, server.port ...
        used = server.cpu_ns() - before

A program of the shape "inetd" is put under a spawner: tcpserver or xinetd.  A
daemon listens by itself.  Each server is in a control group of its own from
before its first instruction, so that the CPU time of children that have ended
counts.  A server that has been left by its clients is stopped; see stop().
"""

import http.client
import os
import resource
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ADDRESS = '127.0.0.1'

# How long may pass until a server listens, or its handlers have ended.  A
# handler may wait for as long as its idle timeout.
LISTEN_S = 20
END_S = 90

# Processes that may end at once; see test/tools/hold.c.
END_AT_ONCE = 50


class Broken(Exception):
    """What cannot be measured, or was answered wrongly; ends the bench."""


class Program:
    """What can be started: name, shape, command and what is said of it."""

    def __init__(self, name, shape, command, packages='-', lacks='-', note='',
                 here=''):
        self.name = name
        self.shape = shape
        self.packages = [] if packages == '-' else packages.split(',')
        self.lacks = set() if lacks == '-' else set(lacks.split(','))
        self.note = note
        self.here = here
        self.variables = {}
        words = shlex.split(command)
        while words and '=' in words[0]:
            variable, _, value = words.pop(0).partition('=')
            self.variables[variable] = value
        self.words = words


def read_peers(path):
    """The programs of a table like peers.tsv."""
    programs = []
    with open(path, encoding='utf-8') as file:
        for number, line in enumerate(file, 1):
            cells = line.rstrip('\n').split('\t')
            if line.startswith('#') or cells == ['']:
                continue
            if not 3 <= len(cells) <= 6 or cells[1] not in ('inetd', 'daemon'):
                raise Broken(f'{path}:{number}: wanted name, inetd or daemon, '
                             'and command, with tabs between')
            programs.append(Program(*cells, here=os.path.dirname(
                os.path.abspath(path))))
    return programs


def own_programs(httpd, constant):
    """The project's own: the program as it is installed, and the limit."""
    httpd = shlex.quote(httpd)
    return [
        Program('httpd', 'inetd', f'{httpd} --allow-root {{root}}',
                note='sandbox, log in a file'),
        Program('httpd-nolog', 'inetd',
                f'{httpd} --allow-root --log=none {{root}}',
                note='sandbox, no log'),
        Program('httpd-open', 'inetd', f'{httpd} --allow-root --sandbox=off '
                '--log=none {root}', note='no sandbox, no log'),
        Program('constant', 'inetd', shlex.quote(constant),
                lacks='kept,pipelined,conditional,files',
                note='the limit: a static program that answers a constant of '
                '1 KiB, or, on kept connections, of what is asked for'),
    ]


class Group:
    """A control group that counts CPU time."""

    made = 0
    alive = []

    def __init__(self):
        Group.made += 1
        name = f'httpd-bench-{os.getpid()}-{Group.made}'
        for mount, usage, scale in self._hierarchies():
            self.path = os.path.join(mount, name)
            self.usage = os.path.join(self.path, usage)
            self.scale = scale
            try:
                os.mkdir(self.path)
            except OSError:
                continue
            if os.path.exists(self.usage):
                Group.alive.append(self)
                return
            os.rmdir(self.path)
        raise Broken('no control group can be made to count CPU time in')

    @staticmethod
    def _hierarchies():
        """Version 1 counts nanoseconds, version 2 microseconds."""
        found = []
        with open('/proc/mounts', encoding='utf-8') as mounts:
            for line in mounts:
                _, mount, kind, options = line.split()[:4]
                if kind == 'cgroup' and 'cpuacct' in options.split(','):
                    found.insert(0, (mount, 'cpuacct.usage', 1))
                elif kind == 'cgroup2':
                    found.append((mount, 'cpu.stat', 1000))
        return found

    def cpu_ns(self):
        with open(self.usage, encoding='utf-8') as file:
            words = file.read().split()
        at = words.index('usage_usec') + 1 if 'usage_usec' in words else 0
        return int(words[at]) * self.scale

    def pids(self):
        with open(os.path.join(self.path, 'cgroup.procs'),
                  encoding='utf-8') as file:
            return [int(word) for word in file.read().split()]

    def run(self, words, **options):
        """Starts a process that is in the group before it is the program,
        and in a session of its own, so that no signal of a terminal ends all
        handlers at once.
        """
        return subprocess.Popen(
            ['/bin/sh', '-c', 'echo $$ >"$0" && exec "$@"',
             os.path.join(self.path, 'cgroup.procs'), *words],
            start_new_session=True, stdin=subprocess.DEVNULL, **options)

    def remove(self):
        wait_until(lambda: not self.pids(), END_S)
        os.rmdir(self.path)
        Group.alive.remove(self)


def wait_until(condition, seconds):
    """Whether a condition came true in time.  Asked for what the kernel tells
    nobody.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def listening_ports(pids):
    """The TCP ports on which these processes listen."""
    inodes = set()
    for pid in pids:
        try:
            for fd in os.scandir(f'/proc/{pid}/fd'):
                inodes.add(os.readlink(fd.path))
        except OSError:
            continue
    ports = []
    with open('/proc/net/tcp', encoding='utf-8') as table:
        for line in list(table)[1:]:
            cells = line.split()
            if cells[3] == '0A' and f'socket:[{cells[9]}]' in inodes:
                ports.append(int(cells[1].split(':')[1], 16))
    return ports


def free_port():
    """A port that nobody had a moment ago, and that the kernel does not give
    to clients.
    """
    for port in range(10000 + os.getpid() % 9000, 30000):
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((ADDRESS, port))
            except OSError:
                continue
            return port
    raise Broken('no port is free')


class Server:
    """One that runs: its name, its spawner (None for a daemon), its address
    and port, and the file with its standard error.
    """

    def __init__(self, name, spawner, group, process, log):
        self.name = name
        self.spawner = spawner
        self.address = ADDRESS
        self.port = 0
        self.log = log
        self.group = group
        self.process = process

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def cpu_ns(self):
        """CPU time so far, of children that have ended too."""
        return self.group.cpu_ns()

    def pids(self):
        return self.group.pids()

    def handlers(self):
        """The processes that a spawner has started and that have not ended;
        none of a daemon.
        """
        if self.spawner is None:
            return []
        return [pid for pid in self.pids() if pid != self.process.pid]

    def pin(self, cpus):
        """Keeps the server, and what it will start, on these CPUs."""
        for pid in self.pids():
            try:
                os.sched_setaffinity(pid, cpus)
            except ProcessLookupError:
                pass

    def wait_for_handlers(self, seconds=END_S):
        """Waits until no handler is left."""
        return wait_until(lambda: not self.handlers(), seconds)

    def check(self, target, wanted, status=200, fields=None):
        """Asks once, and compares status and body; raises Broken.  Returns
        the answer's fields.
        """
        connection = http.client.HTTPConnection(self.address, self.port,
                                                timeout=30)
        try:
            connection.request('GET', target, headers=dict(
                {'User-Agent': 'bench'}, Connection='close', **(fields or {})))
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Broken(f'{self.name} does not answer {target}: '
                         f'{error!r}') from error
        finally:
            connection.close()
        if answer.status != status:
            raise Broken(f'{self.name} answers {target} with {answer.status}, '
                         f'wanted {status}')
        if wanted is not None and body != wanted:
            raise Broken(f'{self.name} answers {target} with {len(body)} '
                         f'bytes that are not the {len(wanted)} wanted')
        return answer.headers

    def stop(self):
        """Ends the server when its handlers have ended.  Those that do not
        end by themselves are ended a few at a time: a thousand at once, with
        a seccomp filter each, stop some kernels for good.
        """
        if self.process is None:
            return
        alone = self.wait_for_handlers()
        self.process.send_signal(signal.SIGTERM)
        while not alone and self.handlers():
            some = self.handlers()[:END_AT_ONCE]
            for pid in some:
                kill(pid, signal.SIGKILL)
            wait_until(lambda some=some: not set(some) & set(self.pids()), 10)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
        for pid in self.pids():
            kill(pid, signal.SIGKILL)
        self.group.remove()


def end_all():
    """Ends what is there of servers whose start or end was interrupted."""
    for group in list(Group.alive):
        while group.pids():
            some = group.pids()[:END_AT_ONCE]
            for pid in some:
                kill(pid, signal.SIGKILL)
            wait_until(lambda some=some, group=group:
                       not set(some) & set(group.pids()), 10)
        group.remove()


def kill(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def program_path(word, program, unpacked):
    """Where a program is: a path as it is, else of the packages, else PATH."""
    if '/' in word:
        return word
    if program.packages:
        for directory in ('usr/sbin', 'usr/bin', 'sbin', 'bin'):
            path = os.path.join(unpacked, directory, word)
            if os.access(path, os.X_OK):
                return path
    path = shutil.which(word)
    if path is None:
        raise Broken(f'{program.name}: {word} is not here')
    return path


def with_libraries(path, unpacked):
    """The command for a program that was unpacked: the libraries that the
    host lacks lie beside it.  The environment stays as it is, for nobody
    else should look there.
    """
    if not path.startswith(unpacked + os.sep):
        return [path]
    said = subprocess.run(['ldd', path], capture_output=True, text=True,
                          check=False).stdout
    if 'not found' not in said:
        return [path]
    loader = next(word for word in said.split() if '/ld-' in word)
    directories = [os.path.join(unpacked, sub, name)
                   for sub in ('lib', 'usr/lib')
                   if os.path.isdir(os.path.join(unpacked, sub))
                   for name in os.listdir(os.path.join(unpacked, sub))
                   if '-linux-gnu' in name]
    return [loader, '--library-path', ':'.join(directories), path]


def command(bench, name, root=None, port=0, variables=None, options=()):
    """The words of a program's command line, everything in its place.  What
    a measure adds by `options` goes before the tree that httpd serves.
    """
    program = bench.programs[name]
    work = os.path.join(bench.work, f'{name}-{port}')
    os.makedirs(work, exist_ok=True)
    values = dict(program.variables, **(variables or {}))
    values.update(root=root or bench.root, port=str(port), work=work,
                  lib=os.path.join(bench.unpacked, 'usr/lib'))

    def fill(text):
        for variable, value in values.items():
            text = text.replace('{' + variable + '}', value)
        return text

    def word(text):
        if text.startswith('{conf:'):
            file = text[len('{conf:'):-1]
            path = os.path.join(work, file)
            with open(os.path.join(program.here, 'peers', file),
                      encoding='utf-8') as template:
                filled = fill(template.read())
            with open(path, 'w', encoding='utf-8') as made:
                made.write(filled)
            return path
        return fill(text)

    words = [word(text) for text in program.words]
    return [*with_libraries(program_path(words[0], program, bench.unpacked),
                            bench.unpacked), *options, *words[1:]]


def tcpserver(bench, words, directory):
    return ['tcpserver', '-HR', '-l0', '-c', '20000', '-b', '4096', ADDRESS,
            '0', *words]


def xinetd(bench, words, directory):
    """Its standard error is the connection, so programs that log would log to
    /dev/log: compare those that do not.
    """
    conf = os.path.join(directory, 'xinetd.conf')
    if any(' ' in word for word in words):
        raise Broken('xinetd passes no word that has a blank in it')
    with open(conf, 'w', encoding='utf-8') as file:
        file.write(f'''defaults
{{
	cps = 0 0
	instances = UNLIMITED
	per_source = UNLIMITED
}}
service http
{{
	type = UNLISTED
	socket_type = stream
	protocol = tcp
	bind = {ADDRESS}
	port = 0
	wait = no
	user = root
	server = {words[0]}
	{'server_args = ' + ' '.join(words[1:]) if words[1:] else ''}
}}
''')
    return [os.path.join(bench.unpacked, 'usr/sbin/xinetd'), '-dontfork', '-f',
            conf, '-pidfile', os.path.join(directory, 'xinetd.pid'),
            '-filelog', os.path.join(directory, 'xinetd.log')]


SPAWNERS = {'tcpserver': tcpserver, 'xinetd': xinetd}


def start(bench, name, root=None, spawner='tcpserver', variables=None,
          options=()):
    """A Server of the program `name` that listens on server.address and
    server.port, and serves `root` (by default the tree of the bench).
    `spawner` is for the shape inetd.  `variables` replace those of the
    program's row, as nopush of nginx; `options` are further words of its
    command line, as --timeout=3600 of httpd.  Standard error is appended to
    server.log.
    """
    program = bench.programs[name]
    port = free_port() if program.shape == 'daemon' else 0
    words = command(bench, name, root, port, variables, options)
    directory = tempfile.mkdtemp(prefix=f'{name}.', dir=bench.work)
    if program.shape == 'inetd':
        words = SPAWNERS[spawner](bench, words, directory)
    else:
        spawner = None
    log = os.path.join(directory, 'stderr')
    group = Group()
    with open(log, 'ab') as stderr:
        process = group.run(words, stdout=stderr, stderr=stderr,
                            cwd=directory)
    server = Server(name, spawner, group, process, log)

    def listens():
        ports = listening_ports(group.pids())
        if ports and (not port or port in ports):
            server.port = port or ports[0]
        return server.port or process.poll() is not None

    wait_until(listens, LISTEN_S)
    if not server.port:
        server.stop()
        with open(log, encoding='utf-8', errors='replace') as file:
            raise Broken(f'{name} does not listen; it said: {file.read()}')
    return server


def raise_limits():
    """Ten thousand connections need as many descriptors."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard)
                       if hard != resource.RLIM_INFINITY
                       else (65536, hard))
