"""Conversations with the handler, for tests that need more than a pipe.

A Client is one end of a connection; a Handler is a Client whose other end is
the standard input and output of a program that was started for it.  Nothing
here retries: an answer that is not what the protocol promises is an error
that shows what was wanted and what came.
"""

import atexit
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

HTTPD = os.environ["HTTPD"]
FILES = os.environ["FILES"]
TMP = os.environ["BATS_TEST_TMPDIR"]



def hang_up(*_):
    sys.exit("the test hangs")


signal.signal(signal.SIGALRM, hang_up)
signal.alarm(500)

MiB = 1 << 20
GiB = 1 << 30


def now():
    return time.monotonic()


def check(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}\nwanted: {shown(wanted)}\ngot:    {shown(got)}")


def check_within(what, got, least, most):
    if not least <= got <= most:
        sys.exit(f"{what}\nwanted: from {least} to {most}\ngot:    {got}")


def shown(value):
    text = repr(value)
    return text if len(text) <= 600 else f"{text[:300]} ... {text[-250:]}"


def get(target, *fields, method="GET", version="HTTP/1.1"):
    """The bytes of one request."""
    lines = [f"{method} {target} {version}", "Host: test", *fields, "", ""]
    return "\r\n".join(lines).encode()


def content_of(path):
    with open(os.path.join(FILES, path), "rb") as file:
        return file.read()


def site(**sizes):
    """A tree with a sparse file of each name and size; returns its path.

    It lies in memory, where a hole is read fast and takes no room.
    """
    root = tempfile.mkdtemp(dir="/dev/shm")
    atexit.register(shutil.rmtree, root)
    for name, size in sizes.items():
        with open(os.path.join(root, name), "wb") as file:
            file.truncate(size)
    return root


class Answer:
    def __init__(self, head):
        lines = head.decode("latin-1").split("\r\n")
        version, status, self.reason = lines[0].split(" ", 2)
        check("the version in " + lines[0], version, "HTTP/1.1")
        self.status = int(status)
        self.fields = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            if name.lower() in self.fields:
                sys.exit(f"the field {name} is there twice:\n{head!r}")
            self.fields[name.lower()] = value
        self.length = int(self.fields["content-length"])
        self.content = b""


class Client:
    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(300)
        self.arrived = b""

    def send(self, data):
        self.sock.sendall(data)

    def receive(self, most=65536):
        """What arrives next; nothing at the end of the connection."""
        if self.arrived:
            data, self.arrived = self.arrived[:most], self.arrived[most:]
            return data
        return self.sock.recv(most)

    def read_head_bytes(self):
        """All of a head, with the empty line."""
        while b"\r\n\r\n" not in self.arrived:
            data = self.sock.recv(65536)
            if not data:
                sys.exit("wanted: the head of an answer\n"
                         f"got:    the end, behind {shown(self.arrived)}")
            self.arrived += data
        head, self.arrived = self.arrived.split(b"\r\n\r\n", 1)
        return head + b"\r\n\r\n"

    def read_head(self):
        return Answer(self.read_head_bytes()[:-4])

    def read(self, length):
        pieces = []
        while length > 0:
            piece = self.receive(min(length, 1 << 20))
            if not piece:
                sys.exit(f"the connection ended {length} bytes too early")
            pieces.append(piece)
            length -= len(piece)
        return b"".join(pieces)

    def answer(self, head_only=False):
        answer = self.read_head()
        if not head_only:
            answer.content = self.read(answer.length)
        return answer

    def ask(self, target, *fields, method="GET"):
        self.send(get(target, *fields, method=method))
        return self.answer(head_only=method == "HEAD")

    def discard(self, length):
        """Throws away the next bytes; TCP does so without copying them."""
        taken = min(length, len(self.arrived))
        self.arrived = self.arrived[taken:]
        length -= taken
        if not hasattr(self, "bin"):
            self.bin = bytearray(1 << 24)
        while length > 0:
            n = self.sock.recv_into(self.bin, min(length, len(self.bin)),
                                    socket.MSG_TRUNC)
            if n == 0:
                sys.exit(f"the connection ended {length} bytes too early")
            length -= n

    def read_to_end(self):
        pieces = []
        while True:
            piece = self.receive()
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)

    def check_end(self, what="bytes behind the last answer"):
        check(what, self.read_to_end(), b"")

    def check_idle(self, least, most):
        """From now on idle: nothing comes, and the end in that many seconds."""
        started = now()
        self.check_end()
        check_within("seconds until the end", now() - started, least, most)

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.sock.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()


def connect(**options):
    """A connection to the spawner that spawn.bash has started."""
    if "UNIX_PATH" in os.environ:
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(os.environ["UNIX_PATH"])
    else:
        sock = socket.create_connection(
            (os.environ["HOST"].strip("[]"), int(os.environ["PORT"])))
    return Client(sock, **options)


def tcp_pair(receive_buffer=None):
    """Both ends of a TCP connection: the client's and the handler's."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.connect(listener.getsockname())
    accepted, _ = listener.accept()
    listener.close()
    return client, accepted


class Handler(Client):
    """The program on the other end of a connection made for it.

    program   another program than httpd
    root      the operand; None: there is none
    before    the command words in front of the program's own
    prepare   is called with the handler's socket before the program starts
    keep      the handler's socket stays open here too, as .accepted
    """

    def __init__(self, *arguments, program=HTTPD, root=FILES, pair=None,
                 before=(), prepare=None, keep=False, environment=None):
        client, accepted = pair or tcp_pair()
        super().__init__(client)
        if prepare:
            prepare(accepted)
        self.errors = tempfile.TemporaryFile(dir=TMP)
        self.started = now()
        self.process = subprocess.Popen(
            [*before, program, *arguments, *([root] if root else [])],
            stdin=accepted, stdout=accepted, stderr=self.errors,
            env={**os.environ, **(environment or {})})
        # However the test ends, the program does not outlive it.
        atexit.register(self.kill)
        self.accepted = accepted
        if not keep:
            accepted.close()

    def kill(self):
        if self.process.returncode is None:
            self.process.kill()

    def wait(self):
        """Waits for the program's end; afterwards .exit and .cpu are set."""
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = status
        self.ended = now()
        self.exit = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -status
        self.cpu = usage.ru_utime + usage.ru_stime

    def is_running(self):
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG |
                         os.WNOWAIT) is None

    def log(self):
        """The lines on standard error so far."""
        self.errors.seek(0)
        return self.errors.read().decode().splitlines()

    def tokens(self):
        return [line.rsplit('"', 2)[1] for line in self.log()]

    def check_ended(self, *tokens):
        """The program ends with 0, having logged these verdicts."""
        self.wait()
        if self.exit != 0 or self.tokens() != list(tokens):
            sys.exit(f"wanted: exit 0, tokens {shown(tokens)}\n"
                     f"got:    exit {self.exit}, log {shown(self.log())}")


def run_with_sockets(sockets, words, claimed=None):
    """Runs a program with sockets passed as systemd passes them.

    claimed is how many LISTEN_FDS says that there are; None: as many as there
    are.  Returns exit status, standard output and standard error.
    """
    with tempfile.TemporaryFile(dir=TMP) as out, \
            tempfile.TemporaryFile(dir=TMP) as err:
        child = os.fork()
        if child == 0:
            try:
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                spare = [os.dup2(s.fileno(), 100 + i)
                         for i, s in enumerate(sockets)]
                os.closerange(3, 100)
                for i, fd in enumerate(spare):
                    os.dup2(fd, 3 + i)
                os.closerange(100, 200)
                count = len(sockets) if claimed is None else claimed
                os.execvpe(words[0], words, {
                    **os.environ, "LISTEN_PID": str(os.getpid()),
                    "LISTEN_FDS": str(count)})
            finally:
                os._exit(99)
        _, status = os.waitpid(child, 0)
        out.seek(0)
        err.seek(0)
        return (os.WEXITSTATUS(status) if os.WIFEXITED(status) else -status,
                out.read().decode(), err.read().decode())
