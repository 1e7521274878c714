"""When two tables of segments say the same.

Each function of ALL is one freedom that TCP leaves, which its first sentence
states.  It brings a table to a form that is the same for whatever the freedom
allows, and loses nothing else: what a segment acknowledged, carried or ended
is still there, in another row.
"""

import itertools
from dataclasses import replace

import table


def ack_alone_or_riding(rows):
    """An acknowledgement may come alone, or ride on what its sender sends
    next anyway.

    A lone one goes only where a later segment of the same side, which does
    not repeat it, acknowledges as much; the last of a side stays.
    """
    def is_lone(row):
        return row.flags == 'ACK' and row.len == 0

    def rides(i, row):
        return is_lone(row) and any(
            later.side == row.side and later.seq == row.seq and
            later.ack != '-' and later.ack >= row.ack and
            not (is_lone(later) and later.ack == row.ack)
            for later in rows[i + 1:])

    return [row for i, row in enumerate(rows) if not rides(i, row)]


def data_cut_elsewhere(rows):
    """Bytes that one side sends in a row may be cut into segments anywhere,
    as the card that is to cut them allows.
    """
    joined = []
    for row in rows:
        last = joined[-1] if joined else None
        if (last and row.len and last.len and last.side == row.side and
                last.end == row.seq and not row.label and
                not any(r.has(flag) for r in (last, row)
                        for flag in ('SYN', 'FIN', 'RST'))):
            pushed = row.has('PSH') and not last.label
            joined[-1] = replace(last, len=last.len + row.len, ack=row.ack,
                                 flags='PSH,ACK' if pushed else last.flags)
        else:
            joined.append(row)
    return joined


def fin_apart_or_with_data(rows):
    """A FIN may ride on the last data, or follow it alone."""
    apart = []
    for row in rows:
        if row.len and row.has('FIN'):
            apart.append(replace(row, flags='PSH,ACK'))
            row = replace(row, flags='FIN,ACK', seq=row.seq + row.len, len=0)
        apart.append(row)
    return apart


def crossed_on_the_wire(rows):
    """Segments of the two sides that were both on their way at once may be
    captured in either order.

    Of two such the client's goes first.  They crossed if each occupies
    numbers, and neither acknowledges the other.
    """
    rows = list(rows)
    moved = True
    while moved:
        moved = False
        for i, (one, two) in enumerate(itertools.pairwise(rows)):
            if (one.side == 's' and two.side == 'c' and
                    one.end > one.seq and two.end > two.seq and
                    '-' not in (one.ack, two.ack) and
                    two.ack < one.end and one.ack <= two.seq):
                rows[i], rows[i + 1] = two, one
                moved = True
    return rows


def fins_crossed(rows):
    """The FINs of the two sides may cross, and each is then acknowledged
    alone; or the second acknowledges the first.

    A FIN that acknowledges the other's becomes one that does not, and an
    acknowledgement behind it.
    """
    ends = {row.side: row.end for row in rows if row.has('FIN')}
    split = []
    for row in rows:
        other = ends.get('s' if row.side == 'c' else 'c')
        if row.has('FIN') and row.ack == other:
            split.append(replace(row, ack=row.ack - 1))
            row = replace(row, flags='ACK', seq=row.end, len=0)
        split.append(row)
    # Which of the two goes first, and is acknowledged first, is then open.
    last = len(split)
    while last and split[last - 1].flags in ('ACK', 'FIN,ACK'):
        last -= 1
    return split[:last] + sorted(
        split[last:], key=lambda row: (row.flags == 'ACK', row.side))


def sent_again(rows):
    """Bytes may be sent again, when an acknowledgement is long in coming: a
    busy receiver is not told from a loss.

    A segment goes whose bytes its side has all sent before.
    """
    first, sent = [], {'c': 0, 's': 0}
    for row in rows:
        again = row.len and row.end <= sent[row.side] and not row.has('FIN')
        if not again:
            first.append(row)
        sent[row.side] = max(sent[row.side], row.end)
    return first


ALL = {function.__name__.replace('_', '-'): function for function in (
    sent_again, ack_alone_or_riding, data_cut_elsewhere,
    fin_apart_or_with_data, crossed_on_the_wire, fins_crossed)}


def sentence(name):
    return ' '.join(ALL[name].__doc__.split('\n\n')[0].split())


def same_row(wanted, got):
    """All that is compared; "?" is not known."""
    return all('?' in (one, two) or one == two for one, two in (
        (wanted.side, got.side), (wanted.flags, got.flags),
        (wanted.seq, got.seq), (wanted.ack, got.ack),
        (wanted.len, got.len)))


def same(wanted, got):
    return len(wanted) == len(got) and all(map(same_row, wanted, got))


def normal_form(rows, names):
    for name in ALL:
        if name in names:
            rows = ALL[name](rows)
    return rows


def fewest(wanted, got, allowed):
    """The fewest of the allowed equivalences by which both are the same, or
    None.
    """
    for count in range(len(allowed) + 1):
        for names in itertools.combinations(allowed, count):
            if same(normal_form(wanted, names), normal_form(got, names)):
                return list(names)
    return None


def side_by_side(wanted, got):
    """Both tables as lines, with a mark where their rows differ."""
    left, right = table.show(wanted), table.show(got)
    width = max(map(len, left))
    lines = [f'  {"wanted":{width}}   got',
             f'  {left[0]:{width}}   {right[0]}']
    for i, (one, two) in enumerate(itertools.zip_longest(
            left[1:], right[1:], fillvalue='')):
        equal = one and two and same_row(wanted[i], got[i])
        lines.append(f'{" " if equal else "!"} {one:{width}}   {two}')
    return lines
