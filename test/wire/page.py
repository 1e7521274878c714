"""The page with all experiments: plain HTML, and nothing from elsewhere."""

import os
from html import escape

import equivalence
import experiments
import ladder
import paper
import table

STYLE = '''code { font: .88em ui-monospace, "DejaVu Sans Mono", monospace; }
.good { color: var(--good); font-weight: bold; }
.bad { color: var(--bad); font-weight: bold; }
.pair { display: flex; flex-wrap: wrap; gap: .4rem 2.5rem; }
.pair > div { min-width: 0; max-width: 100%; }
.wide { overflow: auto; max-height: 40rem; }
td:nth-child(2), td:nth-child(3), th:nth-child(2), th:nth-child(3),
.words td, .words th, #pictures :is(td, th):first-child { text-align: left; }
#pictures :is(td, th):not(:first-child) { text-align: right; }
svg { max-width: 100%; height: auto; }
'''

INTRODUCTION = '''\
<p>Each experiment ran between two hosts that are 0.5 ms apart (there and
back), with the programs of this project, and was captured on the server's
side. Beside it stands what is wanted: the capture of the lesson that it
repeats, or, where there is none, what that lesson says. Numbers are relative,
times in seconds since the SYN; a dash is what a segment does not have, a
question mark what is not known.</p>
<p>In the drawings, time runs down. Thick arrows carry data, dashed ones only
acknowledge; blue comes from the client, orange from the server, and purple
opens or ends a connection. Pauses are shortened, and labelled.</p>
'''


def rows_of_cells(cells, tag):
    return '<tr>' + ''.join(f'<{tag}>{escape(cell)}</{tag}>'
                            for cell in cells) + '</tr>\n'


def show_table(title, rows):
    body = ''.join(rows_of_cells([str(n), *row.cells()], 'td')
                   for n, row in enumerate(rows, 1))
    return (f'<div><h3>{escape(title)}</h3><div class="wide" tabindex="0">'
            f'<table>{rows_of_cells(table.COLUMNS, "th")}{body}</table>'
            '</div></div>')


def command(words):
    """A command line, without where the programs happen to be."""
    top = experiments.TOP + os.sep
    return ' '.join(word.replace(top, '') if ' ' not in word else
                    f"'{word}'" for word in words)


def show_commands(experiment):
    where = {'HOST': experiment.addresses[1], 'PORT': str(experiment.port)}
    client = [where.get(word, word).replace('HOST:PORT', ':'.join(
        where.values())) for word in experiment.client]
    return (f'<p>Server, for each connection: <code>'
            f'{escape(command(experiment.server))}</code><br>Client: <code>'
            f'{escape(command(client))}</code></p>')


def show_verdict(verdict):
    if not verdict:
        return ('<p class="bad">Not reproduced.</p><pre class="wide">'
                + escape('\n'.join(verdict.complaints)) + '</pre>')
    if not verdict.used:
        return '<p class="good">Reproduced, row by row.</p>'
    return ('<p class="good">Reproduced, but for what TCP leaves open:</p>'
            '<ul>' + ''.join(f'<li>{escape(equivalence.sentence(name))}</li>'
                             for name in verdict.used) + '</ul>')


def show_differences(experiment):
    """Why a length is not the lesson's."""
    if not experiment.differs:
        return ''
    return '<h3>Why lengths differ</h3><ul>' + ''.join(
        f'<li>The {status} to <code>{escape(path)}</code> is longer: '
        f'{escape(why)}.</li>'
        for _, status, path, why in experiment.differs) + '</ul>'


def show_connections(connections):
    """Which file travelled on which connection."""
    rows = ''.join(rows_of_cells(
        [str(n), ' '.join(experiments.requested(rows)),
         str(sum(row.len for row in rows if row.side == 's')),
         f'{rows[-1].t:.3f}'], 'td')
        for n, rows in enumerate(connections, 1))
    return ('<h3>Which file travelled on which connection</h3>'
            '<div class="wide" tabindex="0"><table class="words">'
            + rows_of_cells(['connection', 'files, in order', 'bytes',
                             'seconds open'], 'th') + rows + '</table></div>')


def wanted_of(experiment, got):
    if isinstance(experiment, experiments.PageLoad):
        return experiment.expected(got)
    return [table.read(os.path.join(experiments.HERE, path))
            for path in experiment.wanted]


def section(experiment, got, verdict, out):
    parts = [f'<section id="{experiment.name}"><h2>'
             f'{escape(experiment.title)}</h2>\n'
             f'<p>{escape(experiment.see)}</p>{show_commands(experiment)}']
    if experiment.wire == 'tun':
        parts.append(show_verdict(verdict))
    page_load = isinstance(experiment, experiments.PageLoad)
    if page_load:
        parts.append(show_connections(got))
        got = [rows for rows in got if experiments.requested(rows)]
        parts.append('<p>The first of these connections:</p>')
    for number, rows in enumerate(got, 1):
        suffix = f'-{number}' if number > 1 else ''
        drawing = ladder.draw(rows, *experiment.addresses, experiment.title)
        with open(os.path.join(out, f'{experiment.name}{suffix}.svg'), 'w',
                  encoding='utf-8') as file:
            file.write(drawing)
        if page_load and number > 1:
            continue
        wanted = wanted_of(experiment, got)
        whose = ('Wanted' if page_load or number > len(wanted) or
                 'expected/' in experiment.wanted[number - 1] else
                 'The lesson\'s, with delay' if experiment.wire != 'tun' else
                 'The lesson\'s')
        parts.append('<div class="pair">' + show_table('Ours', rows)
                     + (show_table(whose, wanted[number - 1])
                        if number <= len(wanted) else '') + '</div>')
        parts.append(f'<h3>Drawn</h3>{drawing}')
    parts.append(show_differences(experiment))
    return ''.join(parts) + '</section>\n'


def write(out, results, fragment):
    """The page, and a drawing of each connection beside it.  `fragment` is a
    file with what is to stand at its end, or None.
    """
    with open(os.path.join(out, 'index.html'), 'w',
              encoding='utf-8') as file:
        file.write(paper.head('What TCP does: the wire laboratory', STYLE) +
                   INTRODUCTION + '<ul>' + ''.join(
            f'<li><a href="#{one.name}">{escape(one.name)}</a>: '
            f'{escape(one.title)}</li>' for one, _, _ in in_order(results))
            + '</ul>')
        for one, got, verdict in in_order(results):
            file.write(section(one, got, verdict, out))
        if fragment:
            with open(fragment, encoding='utf-8') as pictures:
                file.write(pictures.read())
        file.write('</body>\n</html>\n')


def in_order(results):
    """What has no delay stands behind what has."""
    return sorted(results, key=lambda result: next(
        i for i, other in enumerate(experiments.EXPERIMENTS)
        if other.name == result[0].name.removesuffix('-no-delay')))
