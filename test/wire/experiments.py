"""The experiments: what runs on which host, what comes of it, and why."""

import os
import subprocess
import tempfile
from dataclasses import dataclass, field, replace

import chromium
import equivalence
import hosts
import table

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get('BUILD', os.path.join(TOP, 'build'))
HTTPD = os.environ.get('HTTPD', os.path.join(BUILD, 'httpd'))
UPPER = os.environ.get('UPPER', os.path.join(BUILD, 'upper'))
CLIENT = os.environ.get('UPPER_CLIENT', os.path.join(BUILD, 'upper-client'))
FORWARD = os.path.join(BUILD, 'tools', 'forward')
FILES = os.path.join(TOP, 'files')

HELLO = 'Hello, World!'
PICTURES = [f'/a/{b}{n}.jpg' for b in ('', 'b/') for n in range(1, 7)]

RICHER = ('this program also sends Date, validators and the type of the '
          'content, and the sample tree has files of its own')


@dataclass
class Experiment:
    name: str
    title: str
    see: str  # what there is to see, in a sentence
    server: list  # the program for each connection, with its options
    client: list  # the command line; HOST and PORT stand for where
    wanted: list  # a table for each connection
    allow: list  # equivalences
    port: int = 12345
    addresses: tuple = ('10.0.2.4', '10.0.2.15')
    # (connection, status, path, why its length differs)
    differs: list = field(default_factory=list)
    # (connection, earlier row, later row, at least seconds): a row is
    # (side, flags).
    moments: list = field(default_factory=list)
    wire: str = 'tun'
    notes: str = ''

    def perform(self, out, log):
        """Runs it between two hosts; the capture's connections."""
        capture_path = os.path.join(out, self.name + '.pcap')
        with hosts.Hosts(FORWARD, *self.addresses, wire=self.wire) as pair:
            pair.serve(self.port, self.server, log + '.server')
            capture = hosts.Capture(pair, self.port, capture_path)
            self.run_client(pair, capture, log + '.client')
            capture.stop()
        return table.decode(capture_path, self.port)

    def run_client(self, pair, capture, log):
        where = {'HOST': self.addresses[1], 'PORT': str(self.port)}
        pair.client([where.get(word, word) for word in self.client], log)
        capture.wait_until_over(len(self.wanted))

    def expected(self, _):
        """The tables that are wanted, with the lengths that rightly differ."""
        tables = [table.read(os.path.join(HERE, path))
                  for path in self.wanted]
        for index, status, path, _ in self.differs:
            tables[index] = with_length(tables[index], status, path)
        return tables

    def check(self, got):
        return check_tables(self, self.expected(got), got)


@dataclass
class Verdict:
    complaints: list
    used: list

    def __bool__(self):
        return not self.complaints


def check_tables(experiment, wanted, got):
    complaints, used = [], []
    if len(wanted) != len(got):
        complaints.append(f'wanted {len(wanted)} connections, '
                          f'got {len(got)}')
    for number, (one, two) in enumerate(zip(wanted, got), 1):
        names = equivalence.fewest(one, two, experiment.allow)
        if names is None:
            complaints += [f'connection {number}:',
                           *equivalence.side_by_side(one, two)]
        else:
            used += [name for name in names if name not in used]
    for index, earlier, later, seconds in experiment.moments:
        if not complaints:
            passed = time_between(got[index], earlier, later)
            # The two clocks need not agree on the last millisecond.
            if passed < seconds - 0.01:
                complaints.append(f'{later[1]} came after {passed:.3f} s, '
                                  f'wanted not before {seconds} s')
    return Verdict(complaints, used)


def time_between(rows, earlier, later):
    def last(wanted):
        return [row.t for row in rows
                if row.side == wanted[0] and row.flags == wanted[1]][-1]
    return last(later) - last(earlier)


def answer_length(path):
    """How long an answer is: what the program says of it into a pipe."""
    request = (f'GET {path} HTTP/1.1\r\nHost: a\r\n'
               'Connection: keep-alive\r\n\r\n').encode()
    return len(subprocess.run(
        [HTTPD, '--allow-root', '--log=none', FILES], input=request,
        stdout=subprocess.PIPE, check=True).stdout)


def with_length(rows, status, path):
    """The table where the first answer after the request of `path` has the
    length that this program gives it.
    """
    at = next(i for i, row in enumerate(rows) if row.flags == 'GET ' + path)
    at = next(i for i, row in enumerate(rows)
              if i > at and row.flags == status)
    old_end = rows[at].end
    more = answer_length(path) - rows[at].len
    longer = []
    for i, row in enumerate(rows):
        if i == at:
            row = replace(row, len=row.len + more)
        elif row.side == 's' and row.seq >= old_end:
            row = replace(row, seq=row.seq + more)
        elif row.side == 'c' and row.ack != '-' and row.ack >= old_end:
            row = replace(row, ack=row.ack + more)
        longer.append(row)
    return longer


class PageLoad(Experiment):
    """A browser decides what goes over which connection, and how long its
    requests are; all else is wanted as of any connection.
    """

    def run_client(self, pair, capture, log):
        url = f'http://{self.addresses[1]}:{self.port}/a/b/ref.html'
        with tempfile.TemporaryDirectory() as profile:
            browser = chromium.Browser(
                pair.start, lambda command: pair.on('c', command, False),
                profile, log)
            browser.open(url)
            # The server closes what is idle; then the browser may go.
            capture.wait('the server closing all connections', lambda: all(
                's' in connection.fin_end or connection.was_reset
                for connection in capture.connections.values()))
            browser.close()
            capture.wait_until_over()

    def expected(self, got):
        """The pattern of a connection, filled with what travelled on it."""
        used, unused = (table.read(os.path.join(HERE, path))
                        for path in self.wanted)
        return [unused if was_given_up(rows) else fill_pattern(used, rows)
                for rows in got]

    def check(self, got):
        verdict = check_tables(self, self.expected(got), got)
        paths = sorted(path for rows in got for path in requested(rows)
                       if path != '/favicon.ico')
        if paths != sorted(['/a/b/ref.html', *PICTURES]):
            verdict.complaints.append('wanted the page and twelve pictures, '
                                      f'each once, got {" ".join(paths)}')
        used = sum(map(bool, map(requested, got)))
        if not 2 <= used <= 6:
            verdict.complaints.append('wanted two to six connections with '
                                      f'requests, got {used}')
        return verdict


def requested(rows):
    return [row.flags[4:] for row in rows if row.flags.startswith('GET ')]


def was_given_up(rows):
    """Whether the client opened the connection, and found no use for it."""
    ends = [row.side for row in rows if row.has('FIN')]
    return not requested(rows) and ends[:1] == ['c']


def fill_pattern(pattern, got):
    at = next(i for i, row in enumerate(pattern) if row.flags == 'GET *')
    start, request, answer, end = (pattern[:at], pattern[at],
                                   pattern[at + 1], pattern[at + 2:])
    rows = list(start)
    c = s = 1
    for row in got:
        if row.flags.startswith('GET '):
            rows.append(replace(request, flags=row.flags, seq=c, ack=s,
                                len=row.len))
            c += row.len
            length = answer_length(row.flags[4:])
            rows.append(replace(answer, seq=s, ack=c, len=length))
            s += length
    for row in end:
        seq, ack = (s, c) if row.side == 's' else (c, s)
        rows.append(replace(row, seq=seq, ack=ack))
        c += row.side == 'c' and row.has('FIN')
        s += row.side == 's' and row.has('FIN')
    return rows


def upper(name, title, see, options, client, allow, **more):
    return Experiment(
        name, title, see, [UPPER, *options], [CLIENT, *client],
        [f'seed/part-a-{name}.tsv'], allow, **more)


def http(name, title, see, client, wanted, **more):
    return Experiment(
        name, title, see, [HTTPD, FILES],
        [os.path.join(HERE, 'browse'), 'HOST', 'PORT', *client], wanted,
        ANY, port=8080, **more)


ACKS = ['ack-alone-or-riding']
CUT = ['data-cut-elsewhere']
ENDS = ['fin-apart-or-with-data', 'crossed-on-the-wire', 'fins-crossed']
ANY = ACKS + CUT + ENDS

EXPERIMENTS = [
    upper('basic', 'A conversation, and the server closes first',
          'Three segments open the connection, every message is '
          'acknowledged, and the server\'s FIN (its two replies are given) '
          'is answered by the client\'s.',
          ['--buffer=100', '--reads=2'],
          ['--reply-each', '--recv-size=100', 'HOST', 'PORT', 'hello',
           '123456789'],
          ACKS + ENDS, addresses=('10.0.2.5', '10.0.2.4')),
    upper('v1', 'The client closes first',
          'The server has nothing left to say when the client\'s FIN '
          'arrives: its acknowledgement and its own FIN share one segment.',
          [], ['HOST', 'PORT', HELLO], ACKS),
    upper('v2', 'Small writes, and Nagle\'s algorithm',
          'The server writes 5 bytes four times, and two segments leave, of '
          '5 and of 15 bytes: small ones wait while one is unacknowledged.',
          ['--buffer=5'],
          # It reads 5 bytes four times: so it never waits, and leaves none.
          ['--recvs=4', '--recv-size=5', 'HOST', 'PORT',
           'Hello, World! Hello!'], ACKS + ['crossed-on-the-wire']),
    upper('v3', 'A client that closes with data unread',
          '13000 bytes leave as two large segments, half the initial window '
          'first; the client reads 2048 of them, and its close() sends RST '
          'instead of FIN.',
          ['--repeat=1000'], ['--recvs=2', 'HOST', 'PORT', HELLO],
          ACKS + CUT),
    upper('v4', 'TCP works while the program sleeps',
          '520 bytes arrive and are acknowledged while the server sleeps, '
          'which answers all at once after 5 s; the client\'s FIN is '
          'acknowledged on its own (40 ms later), and answered after 5 s more.',
          ['--delay=5'], ['--send-count=4', 'HOST', 'PORT', HELLO * 10],
          ACKS, moments=[(0, ('c', 'SYN'), ('s', 'PSH,ACK'), 5),
                         (0, ('c', 'SYN'), ('s', 'FIN,ACK'), 10)]),
    http('index', 'Two requests on one connection',
         'The connection stays open for the icon; a second after the last '
         'answer the server closes it.',
         ['/:698', '/favicon.ico:573'], ['seed/part-b-index.tsv'],
         differs=[(0, '200', '/', RICHER), (0, '200', '/favicon.ico',
                                            RICHER)],
         moments=[(0, ('s', '200'), ('s', 'FIN,ACK'), 1)]),
    http('missing', 'A file that is not there',
         'After a 404 the server closes at once, and the client follows.',
         ['/a/7.jpg:691'], ['seed/part-b-missing.tsv'],
         differs=[(0, '404', '/a/7.jpg', 'this program sends a page with '
                   'its Content-Length, so that a client knows that it has '
                   'all of it')]),
    http('redirect', 'A redirect, and the connection after it',
         'The server closes after a 301; the client asks for the new place '
         'on a connection of its own.',
         ['/redirect:654'],
         ['seed/part-b-redirect.tsv', 'expected/part-b-redirect-2.tsv'],
         differs=[(0, '301', '/redirect', 'this program sends a page for '
                   'those whom their browser does not take there, and its '
                   'Content-Length'),
                  (1, '200', '/result.html', RICHER)]),
    http('jpg', 'A picture',
         'The answer is larger than the initial window: it leaves in bursts, '
         'each as the acknowledgements of the one before it arrive.',
         ['/a/2.jpg:691'], ['expected/part-b-jpg.tsv'],
         differs=[(0, '200', '/a/2.jpg', RICHER)],
         moments=[(0, ('s', '200'), ('s', 'FIN,ACK'), 1)]),
    PageLoad('ref', 'A page with twelve pictures, in Chromium',
             'The browser opens up to six connections at once, and reuses '
             'each; each has a process of its own, so none waits for '
             'another.  It may also open one ahead of time, and give it up.',
             [HTTPD, FILES], ['chromium', 'http://HOST:PORT/a/b/ref.html'],
             ['expected/part-b-ref.tsv', 'expected/part-b-ref-unused.tsv'],
             ANY + ['sent-again'], port=8080),
    http('empty', 'A connection on which nothing is said',
         'Nobody asks anything; after a second the server closes.',
         [], ['expected/part-b-empty.tsv'],
         moments=[(0, ('c', 'SYN'), ('s', 'FIN,ACK'), 1)]),
]

# The second variant without a round trip, for the page; nothing is wanted of
# it.
NO_DELAY = replace(
    EXPERIMENTS[2], name='v2-no-delay', wire='veth',
    title='The same on a link without delay',
    see='Each acknowledgement is back before the next write, so that nothing '
    'waits and every write leaves by itself; and a client that closes after '
    'the first of them may answer the next with a RST.',
    client=[CLIENT, 'HOST', 'PORT', 'Hello, World! Hello!'])
