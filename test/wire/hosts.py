"""Two hosts, each a network namespace, and the wire between them.

`Hosts` makes and removes them; within it, `serve` has a spawner run a program
for each connection, `Capture` records what the server's device sees and says
when all connections are over, and `client` runs a program on the other host.
"""

import itertools
import os
import signal
import struct
import subprocess
import threading
import time

# Nothing here takes as long; what does has gone wrong.
PATIENCE_S = 60

# Each way; the round trip takes 0.5 ms, as in the seed.
DELAY_US = 250

# What the shape of a capture depends on is not left to the host.
SYSCTLS = {
    'net.ipv4.tcp_congestion_control': 'reno',  # every kernel has it
    'net.ipv4.tcp_ecn': '0',
    'net.ipv4.tcp_no_metrics_save': '1',
    'net.ipv4.tcp_autocorking': '1',
    'net.ipv4.tcp_rmem': '4096 131072 6291456',
    'net.ipv4.tcp_wmem': '4096 16384 4194304',
    'net.ipv6.conf.all.disable_ipv6': '1',
}

# A datagram to this port tells that all before it has passed the wire.
MARKER_PORT = 9

# The names of the namespaces begin with this, for each run another.
PREFIX = f'wire-{os.getpid()}-'

counter = itertools.count(1)
alive = []


class Failure(Exception):
    """Something that the laboratory needs did not work."""


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Failure(f'{" ".join(command)}: {done.stdout.strip()}')
    return done.stdout


def wait_until(what, is_so, process):
    """For what the kernel tells nobody: asks until it is so."""
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        if process.poll() is not None or time.monotonic() > end:
            raise Failure(f'{what}: it did not come to that')
        time.sleep(0.005)


def may_be_first():
    """Whether this system has real-time priorities to give."""
    return subprocess.run(['chrt', '--fifo', '1', 'true'],
                          stderr=subprocess.DEVNULL).returncode == 0


class Hosts:
    """`wire` is "tun": with the delay, or "veth": with none."""

    def __init__(self, forward, client, server, wire='tun'):
        self.forward, self.wire = forward, wire
        self.address = {'c': client, 's': server}
        name = f'{PREFIX}{next(counter)}'
        self.name = {'c': f'{name}-client', 's': f'{name}-server'}
        self.processes = []
        # One CPU, and first the wire, then the server, then the client:
        # so the order of things is not a matter of luck.
        cpu = min(os.sched_getaffinity(0))
        self.priority = {}
        if wire == 'tun' and may_be_first():
            self.priority = {
                who: ['taskset', '--cpu-list', str(cpu),
                      'chrt', '--fifo', str(priority)]
                for who, priority in (('wire', 3), ('s', 2), ('c', 1))}

    def __enter__(self):
        alive.append(self)
        try:
            for side in 'cs':
                self.make_host(side)
            self.join()
            for side, peer in ('cs', 'sc'):
                self.give_address(side, self.address[peer])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            end_all_of(process)
        for name in self.name.values():
            delete_namespace(name)
        alive.remove(self)

    def make_host(self, side):
        name = self.name[side]
        run('ip', 'netns', 'add', name)
        run('ip', '-n', name, 'link', 'set', 'lo', 'up')
        run('ip', 'netns', 'exec', name, 'sysctl', '-eqw',
            *(f'{key}={value}' for key, value in SYSCTLS.items()))

    def join(self):
        if self.wire == 'veth':
            run('ip', '-n', self.name['c'], 'link', 'add', 'wire', 'type',
                'veth', 'peer', 'name', 'wire', 'netns', self.name['s'])
            return
        forwarder = self.start(
            [*self.priority.get('wire', []), self.forward, str(DELAY_US),
             self.name['c'], 'wire', self.name['s'], 'wire'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if forwarder.stdout.readline() != b'ready\n':
            raise Failure('the forwarder did not start')

    def give_address(self, side, peer):
        name = self.name[side]
        run('ip', '-n', name, 'addr', 'add', self.address[side] + '/24',
            'dev', 'wire')
        run('ip', '-n', name, 'link', 'set', 'wire', 'up')
        if self.wire == 'veth':
            # So that nobody has to ask for it by ARP.
            mac = run('ip', 'netns', 'exec',
                      self.name['s' if side == 'c' else 'c'],
                      'cat', '/sys/class/net/wire/address').strip()
            run('ip', '-n', name, 'neigh', 'replace', peer, 'lladdr', mac,
                'dev', 'wire')

    def start(self, command, **how):
        """Starts a process that ends with these hosts."""
        how = {'stdin': subprocess.DEVNULL, 'start_new_session': True, **how}
        process = subprocess.Popen(command, **how)
        self.processes.append(process)
        return process

    def on(self, side, command, first=True):
        """The command line that runs a command on one of the hosts."""
        return ['ip', 'netns', 'exec', self.name[side],
                *(self.priority.get(side, []) if first else []), *command]

    def serve(self, port, program, log):
        """Has tcpserver run a program for each connection to the server."""
        command = ['tcpserver', '-RHl0', '-c100', self.address['s'],
                   str(port), *program]
        with open(log, 'wb') as file:
            process = self.start(self.on('s', command), stdout=file,
                                 stderr=file)
        wait_until('listening for connections',
                   lambda: listens(process.pid, port), process)

    def client(self, command, log):
        """Runs a program on the client's host, and waits for its end."""
        with open(log, 'wb') as file:
            process = self.start(self.on('c', command), stdout=file,
                                 stderr=file)
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                raise Failure(f'{command[0]} does not end') from None
        if process.returncode != 0:
            with open(log, encoding='utf-8', errors='replace') as file:
                raise Failure(f'{command[0]} failed: {file.read().strip()}')

    def send_marker(self):
        run(*self.on('c', ['bash', '-c', f'echo end >/dev/udp/'
                           f'{self.address["s"]}/{MARKER_PORT}']))


def delete_namespace(name):
    subprocess.run(['ip', 'netns', 'delete', name],
                   stderr=subprocess.DEVNULL)


def remove_all():
    """For who is told to end, whatever the other threads are at."""
    for pair in list(alive):
        for process in list(pair.processes):
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    for name in os.listdir('/run/netns'):
        if name.startswith(PREFIX):
            delete_namespace(name)


def listens(pid, port):
    """Whether somebody listens on a port in a process's namespace."""
    with open(f'/proc/{pid}/net/tcp', encoding='ascii') as file:
        return any(line.split()[1].endswith(f':{port:04X}') and
                   line.split()[3] == '0A' for line in list(file)[1:])


def end_all_of(process):
    """Ends a process, and all that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()


class Connection:
    """How far a connection has ended, by the segments that pass."""

    def __init__(self):
        self.fin_end = {}
        self.acked = {}
        self.was_reset = False

    def see(self, side, flags, seq, ack, length):
        if flags & 0x04:
            self.was_reset = True
        if flags & 0x01:
            self.fin_end[side] = (seq + length + 1) % 2**32
        if flags & 0x10:
            self.acked['s' if side == 'c' else 'c'] = ack

    @property
    def is_over(self):
        return self.was_reset or len(self.fin_end) == 2 and all(
            self.acked.get(side) == end for side, end in self.fin_end.items())


class Capture:
    """Records what passes the server's device, as tcpdump tells it.

    tcpdump writes to a pipe, from which each packet is noted and copied to
    the file; so it is known when a connection is over.
    """

    # Enough to know a request and an answer by.
    SNAPLEN = 250

    def __init__(self, hosts, server_port, path):
        self.server_port = server_port
        self.connections = {}
        self.marker = False
        self.ended = False
        self.changed = threading.Condition()
        self.process = hosts.start(
            hosts.on('s', ['tcpdump', '--immediate-mode', '-U', '-n',
                           '-i', 'wire', '-s', str(self.SNAPLEN), '-w', '-',
                           f'tcp or udp dst port {MARKER_PORT}'],
                     first=False),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.wait_for_start()
        self.reader = threading.Thread(target=self.read, args=(path,))
        self.reader.start()
        self.hosts = hosts

    def wait_for_start(self):
        said = b''
        for line in self.process.stderr:
            said += line
            if b'listening on' in line:
                return
        raise Failure(f'tcpdump: {said.decode().strip()}')

    def read(self, path):
        with open(path, 'wb') as file:
            head = self.process.stdout.read(24)
            file.write(head)
            while len(record := self.process.stdout.read(16)) == 16:
                captured = struct.unpack('=8xI4x', record)[0]
                packet = self.process.stdout.read(captured)
                file.write(record + packet)
                with self.changed:
                    self.note(head, packet)
                    self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def note(self, head, packet):
        if struct.unpack('=20xI', head)[0] == 1:
            packet = packet[14:]  # an Ethernet header
        total, protocol = struct.unpack('!2xH5xB', packet[:10])
        ip_len = (packet[0] & 15) * 4
        if protocol == 17:
            self.marker = True
            return
        source, target, seq, ack, offset, flags = struct.unpack(
            '!HHIIBB', packet[ip_len:ip_len + 14])
        length = total - ip_len - (offset >> 4) * 4
        side = 's' if source == self.server_port else 'c'
        client = target if side == 's' else source
        connection = self.connections.setdefault(client, Connection())
        connection.see(side, flags, seq, ack, length)

    def wait(self, what, is_so):
        with self.changed:
            self.changed.wait_for(lambda: is_so() or self.ended, PATIENCE_S)
            if not is_so():
                raise Failure(f'{what}: the capture did not show that')

    def are_over(self, count):
        return len(self.connections) >= count and all(
            connection.is_over for connection in self.connections.values())

    def wait_until_over(self, count=1):
        """Until so many connections, and all there are, have ended."""
        self.wait(f'the end of {count} connections',
                  lambda: self.are_over(count))

    def stop(self):
        """Ends the capture when all that was sent has passed the device."""
        self.hosts.send_marker()
        self.wait('the marker behind the last segment', lambda: self.marker)
        self.process.send_signal(signal.SIGINT)
        self.reader.join(PATIENCE_S)
