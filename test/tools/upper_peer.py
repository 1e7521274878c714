"""The server's side of conversations with upper-client, step by step."""

from conversation import *

CLIENT = os.environ["CLIENT"]
SAID = "upper-client: cannot "


class Peer:
    """A listening socket, and the client that is told to connect to it."""

    def __init__(self, address="127.0.0.1", receive_buffer=None, backlog=5,
                 listen=True):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.socket(family)
        self.listener.settimeout(300)
        if receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                     receive_buffer)
        self.listener.bind((address, 0))
        if listen:
            self.listener.listen(backlog)
        self.host = address
        self.port = self.listener.getsockname()[1]

    def start(self, *words, host=None, before=(), out=None, **how):
        """Starts the client with these options and messages.

        A word that is HERE stands for host and port.
        """
        here = (host or self.host, str(self.port))
        words = [w for word in words for w in (here if word is HERE else (word,))]
        self.out = tempfile.TemporaryFile(dir=TMP)
        self.err = tempfile.TemporaryFile(dir=TMP)
        self.process = subprocess.Popen([*before, CLIENT, *words],
                                        stdin=subprocess.DEVNULL,
                                        stdout=self.out if out is None else out,
                                        stderr=self.err, **how)
        atexit.register(self.process.kill)

    def accept(self):
        return Client(self.listener.accept()[0])

    def serve(self, *words, **how):
        """Starts the client, and returns the server's end of its connection."""
        self.start(*words, **how)
        return self.accept()

    def ends(self, status, out="", said=""):
        """The client ends so, having printed this and said that it cannot."""
        self.process.wait(30)
        if said:
            said = SAID + said.format(f"{self.host} port {self.port}") + "\n"
        got = []
        for file in self.out, self.err:
            file.seek(0)
            got.append(file.read().decode())
        check("exit status, standard output, standard error",
              (self.process.returncode, *got), (status, out, said))


HERE = object()


def check_reset(client):
    """The other side has closed with something unread."""
    try:
        got = client.receive()
    except ConnectionResetError:
        return
    sys.exit(f"wanted: a reset\ngot:    {shown(got) if got else 'the end'}")


def sent(text):
    return f"Server sent: {text}\n"
