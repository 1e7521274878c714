"""Raw rows, and what is made of them.

A row is one observation: measure, case, server, quantity, unit, round, value.
Rows go to a file as they are made.  `round` pairs the servers: in one round
every server of a case is measured once, so a ratio is the median of the
quotients of the rounds.
"""

import collections

COLUMNS = ('measure', 'case', 'server', 'quantity', 'unit', 'round', 'value')

Row = collections.namedtuple('Row', COLUMNS)

Spread = collections.namedtuple('Spread', 'n q1 median q3')


def quantile(values, p):
    """Of sorted values, with linear interpolation."""
    at = p * (len(values) - 1)
    low = int(at)
    high = min(low + 1, len(values) - 1)
    return values[low] * (1 - (at - low)) + values[high] * (at - low)


def spread(values):
    """How many there are, their quartiles and their median; None for none."""
    values = sorted(values)
    if not values:
        return None
    return Spread(len(values), *(quantile(values, p)
                                 for p in (0.25, 0.5, 0.75)))


class Rows:
    """All rows of a run, in memory and in a file."""

    def __init__(self, path):
        self.all = []
        self.units = {}
        self._series = {}
        self._file = open(path, 'w', encoding='utf-8')
        print(*COLUMNS, sep='\t', file=self._file)

    def add(self, measure, case, server, quantity, unit, number, value):
        """Records one observation of round `number`."""
        row = Row(measure, case, server, quantity, unit, number, float(value))
        for cell in row[:5]:
            if not cell or '\t' in cell or '\n' in cell:
                raise ValueError(f'not a cell of a row: {cell!r}')
        self.all.append(row)
        self.units[measure, quantity] = unit
        self._series.setdefault((measure, case, quantity), {}).setdefault(
            server, {})[number] = row.value
        print(*row[:6], f'{row.value:.9g}', sep='\t', file=self._file,
              flush=True)

    def close(self):
        self._file.close()

    def cases(self, measure, quantity):
        """The cases that have rows of a quantity, in the order they came."""
        return [case for m, case, q in self._series
                if (m, q) == (measure, quantity)]

    def servers(self, measure, case, quantity):
        """The servers of a case, in the order they came."""
        return list(self._series.get((measure, case, quantity), {}))

    def spread(self, measure, case, quantity, server):
        """The Spread of a server's values; None where there is none."""
        series = self._series.get((measure, case, quantity), {})
        return spread(series.get(server, {}).values())

    def ratio(self, measure, case, quantity, server, versus, above=None):
        """The Spread of the quotients of two servers over the rounds; with
        `above`, of what they have more than that server.
        """
        series = self._series.get((measure, case, quantity), {})
        ours, its = series.get(server, {}), series.get(versus, {})
        least = (series.get(above, {}) if above is not None else
                 dict.fromkeys(ours, 0))
        rounds = ours.keys() & its.keys() & least.keys()
        return spread([(ours[number] - least[number]) /
                       (its[number] - least[number]) for number in rounds
                       if its[number] != least[number]])
