"""Tables of segments: a TSV as the seed's, or what tshark reads in a capture.

A row is one TCP segment of one connection.  `from` is c (client) or s
(server), `seq` and `ack` are relative to the connection's first, `len` counts
bytes of data, `t` is in seconds since the SYN.  Where a segment starts a
request or an answer of HTTP, that stands in the place of the flags, which are
then PSH,ACK or ACK.  "-" is what a segment does not have, "?" what nobody
knows.
"""

import re
import subprocess
from dataclasses import dataclass

COLUMNS = ('n', 'from', 'flags', 'seq', 'ack', 'len', 't')
FLAGS = ((0x02, 'SYN'), (0x01, 'FIN'), (0x04, 'RST'), (0x20, 'URG'),
         (0x08, 'PSH'), (0x40, 'ECE'), (0x80, 'CWR'), (0x10, 'ACK'))


@dataclass(frozen=True)
class Row:
    side: str
    flags: str
    seq: int
    ack: object  # a number, "-" or "?"
    len: object  # a number or "?"
    t: object = '?'

    @property
    def label(self):
        """The request or status that the segment starts, or ''."""
        return '' if re.fullmatch('[A-Z,]+', self.flags) else self.flags

    def has(self, flag):
        return flag in self.flags.split(',')

    @property
    def end(self):
        """The number of the byte behind it: SYN and FIN count as one."""
        return self.seq + self.len + self.has('SYN') + self.has('FIN')

    def cells(self):
        """All columns but the row's number, as text."""
        t = f'{self.t:.6f}' if isinstance(self.t, float) else self.t
        return [self.side, self.flags, str(self.seq), str(self.ack),
                str(self.len), t]


def number(text):
    return int(text) if re.fullmatch('-?[0-9]+', text) else text


def read(path):
    """The rows of a TSV file; ValueError where it is not one of these."""
    with open(path, encoding='ascii') as file:
        lines = file.read().splitlines()
    if tuple(lines[0].split('\t')) != COLUMNS:
        raise ValueError(f'{path}: the columns are not {" ".join(COLUMNS)}')
    rows = []
    for line in lines[1:]:
        _, side, flags, seq, ack, length, t = line.split('\t')
        if re.fullmatch('[0-9.]+', t):
            t = float(t)
        rows.append(Row(side, flags, number(seq), number(ack),
                        number(length), t))
    return rows


def write(path, rows):
    with open(path, 'w', encoding='ascii') as file:
        file.write('\t'.join(COLUMNS) + '\n')
        for n, row in enumerate(rows, 1):
            file.write('\t'.join([str(n)] + row.cells()) + '\n')


def show(rows):
    """The table as lines of text, columns aligned."""
    cells = [COLUMNS] + [[str(n)] + row.cells()
                         for n, row in enumerate(rows, 1)]
    widths = [max(len(line[i]) for line in cells)
              for i in range(len(COLUMNS))]
    left = (1, 2)
    return [' '.join(cell.ljust(width) if i in left else cell.rjust(width)
                     for i, (cell, width) in enumerate(zip(line, widths)))
            for line in cells]


def flags_of(bits, payload):
    first = bytes.fromhex(payload).split(b'\r\n')[0].decode('latin-1')
    found = re.fullmatch(r'(GET \S+) HTTP/1\.1', first) or re.fullmatch(
        r'HTTP/1\.1 ([0-9]{3}) .*', first)
    if found:
        return found[1]
    return ','.join(name for bit, name in FLAGS if bits & bit)


def decode(capture, server_port):
    """The connections of a capture, each a list of rows, by their SYNs."""
    wanted = ('tcp.stream', 'tcp.dstport', 'tcp.flags', 'tcp.seq', 'tcp.ack',
              'tcp.len', 'frame.time_epoch', 'tcp.payload')
    command = ['tshark', '-n', '-r', capture, '-Y', 'tcp', '-T', 'fields',
               '-o', 'tcp.relative_sequence_numbers:TRUE',
               '-o', 'tcp.desegment_tcp_streams:FALSE',
               '-d', f'tcp.port=={server_port},data']
    for field in wanted:
        command += ['-e', field]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True).stdout
    connections = {}
    for line in said.splitlines():
        stream, to, bits, seq, ack, length, epoch, payload = line.split('\t')
        rows, start = connections.setdefault(stream, ([], float(epoch)))
        flags = flags_of(int(bits, 16), payload)
        rows.append(Row('c' if to == str(server_port) else 's', flags,
                        int(seq), int(ack) if int(bits, 16) & 0x10 else '-',
                        int(length), float(epoch) - start))
    return [rows for rows, _ in connections.values()]
