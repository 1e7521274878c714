"""A connection as a ladder: time runs down, the client is left, the server
right, and each segment is an arrow.  The server's side is where it was
captured, so its times are of arrival there, or of departure.
"""

from html import escape

WIDTH, LEFT, RIGHT, TIME = 760, 90, 590, 606
STEP, SLANT, GAP = 30, 12, 34

# A pause from this on is marked as one.
PAUSE_S = 0.02

# Of a row of arrows without a word to say, this many are drawn.
SHOWN = 3

# Colours that are told apart by who sees fewer; kinds differ in line, too.
STYLE = '''
.ladder { --ink: #1d2433; --soft: #5a6478; --line: #8a93a5; --paper: #fff;
  --c: #0063a3; --s: #b34700; --end: #8a2f74;
  font: 13px "DejaVu Sans", system-ui, sans-serif; background: var(--paper); }
@media (prefers-color-scheme: dark) { .ladder { --ink: #e8ebf2;
  --soft: #a3adc2; --line: #75809a; --paper: #161c29; --c: #6cb9f2;
  --s: #f5a35c; --end: #e89bd3; } }
.ladder text { fill: var(--ink); }
.ladder .soft { fill: var(--soft); font-size: 12px; }
.ladder .life { stroke: var(--line); stroke-width: 2; }
.ladder .pause { stroke: var(--paper); stroke-width: 6;
  stroke-dasharray: 3 3; }
.ladder .c { stroke: var(--c); } .ladder .s { stroke: var(--s); }
.ladder .end { stroke: var(--end); }
.ladder path.head { stroke: none; }
.ladder .head.c { fill: var(--c); } .ladder .head.s { fill: var(--s); }
.ladder .head.end { fill: var(--end); }
.ladder line { stroke-width: 1.5; } .ladder .data { stroke-width: 3; }
.ladder .ack { stroke-dasharray: 5 4; }
'''


def duration(seconds):
    if seconds >= 1:
        return f'{seconds:.2f} s'
    return f'{seconds * 1000:.2f} ms'


def kind(row):
    if row.has('FIN') or row.has('RST') or row.has('SYN'):
        return 'end'
    return row.side


def caption(row):
    """What stands at the arrow."""
    words = [row.flags, f'seq {row.seq}']
    if row.ack != '-':
        words.append(f'ack {row.ack}')
    if row.len:
        words.append(f'len {row.len}')
    return '  '.join(words)


def is_plain(row):
    """Neither the start of anything nor an end."""
    return row.flags in ('ACK', 'PSH,ACK') and kind(row) != 'end'


def fold(rows):
    """The rows, with long runs of plain ones as (how many, data, bytes)."""
    folded, run = [], []
    for row in [*rows, None]:
        if row and is_plain(row):
            run.append(row)
            continue
        if len(run) > 2 * SHOWN + 2:
            rest = run[SHOWN:-SHOWN]
            data = [one for one in rest if one.len]
            folded += [*run[:SHOWN],
                       (len(rest), len(data), sum(one.len for one in data)),
                       *run[-SHOWN:]]
        else:
            folded += run
        run = []
        if row:
            folded.append(row)
    return folded


def arrow(row, y):
    """From one life line to the other; a captured time is the server's."""
    if row.side == 'c':
        x1, y1, x2, y2, turn = LEFT, y - SLANT, RIGHT, y, 1
    else:
        x1, y1, x2, y2, turn = RIGHT, y, LEFT, y + SLANT, -1
    of = kind(row)
    shape = 'data' if row.len else 'ack' if row.flags == 'ACK' else ''
    tip = (f'<path class="head {of}" d="M{x2} {y2} l{-11 * turn} -5 '
           f'v10 z"/>')
    angle = SLANT / (RIGHT - LEFT) * 57.3 * turn
    middle, height = (LEFT + RIGHT) / 2, (y1 + y2) / 2 - 6
    return (f'<line class="{of} {shape}" x1="{x1}" y1="{y1}" x2="{x2}" '
            f'y2="{y2}"/>{tip}<text x="{middle}" y="{height}" '
            f'text-anchor="middle" transform="rotate({angle:.2f} {middle} '
            f'{height})">{escape(caption(row))}</text>')


def draw(rows, client, server, title):
    """The SVG, to stand in a page or by itself."""
    parts, pauses = [], []
    y, before, side = 66, 0.0, 'c'
    for row in fold(rows):
        if isinstance(row, tuple):
            count, data, length = row
            parts.append(
                f'<text class="soft" x="{(LEFT + RIGHT) / 2}" y="{y + 4}" '
                f'text-anchor="middle">... {data} segments with '
                f'{length} bytes, and {count - data} acknowledgements '
                '...</text>')
            y += STEP + 6
            continue
        pause = row.t - before
        if pause >= PAUSE_S:
            pauses.append((y - STEP + SLANT + 8, y + GAP - SLANT - 12))
            parts.append(f'<text class="soft" x="{(LEFT + RIGHT) / 2}" '
                         f'y="{y + GAP / 2 - 10}" text-anchor="middle">'
                         f'{duration(pause)} pass</text>')
            y += GAP
        # An arrow to the left ends lower, one to the right begins higher.
        if side == 's' and row.side == 'c':
            y += SLANT + 6
        before, side = row.t, row.side
        parts.append(arrow(row, y))
        parts.append(f'<text class="soft" x="{TIME}" y="{y + 4}">'
                     f'{duration(row.t)}</text>')
        y += STEP
    lines = ''.join(f'<line class="life" x1="{x}" y1="40" x2="{x}" '
                    f'y2="{y}"/>' for x in (LEFT, RIGHT))
    breaks = ''.join(f'<line class="pause" x1="{x}" y1="{top}" x2="{x}" '
                     f'y2="{max(bottom, top + 8)}"/>'
                     for top, bottom in pauses for x in (LEFT, RIGHT))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" class="ladder" '
            f'role="img" aria-label="{escape(title)}" '
            f'viewBox="0 0 {WIDTH} {y + 16}" width="{WIDTH}" '
            f'height="{y + 16}"><style>{STYLE}</style>'
            f'<text x="{LEFT}" y="26" text-anchor="middle">client '
            f'{client}</text><text x="{RIGHT}" y="26" text-anchor="middle">'
            f'server {server}</text>{lines}{breaks}{"".join(parts)}</svg>\n')
