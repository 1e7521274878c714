"""Rows to one page: tables, plots by gnuplot, and what was wanted of them.

A measure says what is shown of it by data:

    SHOW = [
        Table('Time of a connection', 'wall', ['1 KiB']),
        Plot('Requests/s by connections', 'rate', 'connections',
             {1: 'kept-150-1', 4: 'kept-150-4'}, log='x'),
    ]
    FIGURES = [
        Figure('sandbox on, against the constant answer', 'wall', '1 KiB',
               'httpd', 'constant', most=1.7),
    ]

The cases and quantities are those of the measure's own rows.
"""

import dataclasses
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from html import escape

# Behind this directory, which has modules of the same names.
sys.path.append(os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), 'wire'))

import paper

OURS = ('httpd', 'httpd-nolog', 'httpd-open')

# What no server can do better than.
LIMIT = 'constant'

# Stands for whichever peer of httpd's shape did best.
BEST = 'best same-shape peer'


@dataclasses.dataclass
class Table:
    """One quantity.  For each of `cases` (all that there are, where None),
    every server's n, quartiles and median; its ratio to `constant` where that
    took part, and that of each of `ours` to it.
    """
    title: str
    quantity: str
    cases: list = None
    text: str = ''
    ours: tuple = ('httpd',)


@dataclasses.dataclass
class Plot:
    """Medians with their quartiles, a line for each server, or bars where the
    keys of `cases` are no numbers.  `cases`: x -> case.  `log`: '', 'x', 'y'
    or 'xy'.  `servers`: all that have rows, where None.
    """
    title: str
    quantity: str
    xlabel: str
    cases: dict
    log: str = ''
    servers: list = None
    text: str = ''


@dataclasses.dataclass
class Figure:
    """What is wanted: the median of `quantity` in `case`, of `server`, or of
    its ratio to `versus`, is at most or at least this.  `versus` may be BEST:
    the same-shape peer with the best median.  With `above`, what that server
    has is taken from both before.  `to` is what a run resolves: by so much
    the median may miss, and is said to be at the limit.  `scale` makes `unit`
    of the rows' own.
    """
    sentence: str
    quantity: str
    case: str
    server: str
    versus: str = None
    most: float = None
    least: float = None
    above: str = None
    to: float = 0
    unit: str = 'x'
    scale: float = 1


STYLE = '''.reached { color: var(--good); font-weight: bold; }
.MISSED { color: var(--bad); font-weight: bold; }
.wide { overflow: auto; max-height: 44rem; }
th { position: sticky; top: 0; background: var(--card); }
td:first-child, th:first-child, .words td, .words th { text-align: left; }
tr.case td { padding-top: .7rem; font-weight: bold; }
tr.ours td:first-child { color: var(--good); font-weight: bold; }
figure { margin: 1rem 0; } figure svg { width: 100%; max-width: 62rem;
  height: auto; color: var(--ink); }
figcaption { color: var(--soft); font-size: .85rem; }
#figures td:nth-child(n+3) { white-space: nowrap; }
table.about td:first-child { white-space: nowrap; }
'''


def number(value):
    """Four digits, whatever the size."""
    if value is None:
        return '–'
    if value == 0 or abs(value) >= 1000:
        return f'{value:.0f}'
    return f'{value:.4g}'


def times(spread):
    """A ratio and its quartiles."""
    if spread is None:
        return '–'
    return f'{spread.median:.4g} ({spread.q1:.3g} – {spread.q3:.3g})'


def cells(values, tag='td', kind=''):
    kind = f' class="{kind}"' if kind else ''
    return f'<tr{kind}>' + ''.join(f'<{tag}>{escape(str(value))}</{tag}>'
                                   for value in values) + '</tr>\n'


def paragraphs(text):
    return ''.join(f'<p>{escape(one)}</p>\n'
                   for one in text.strip().split('\n\n') if one)


def said(thing, bench):
    """What a measure says, which may depend on the bench."""
    return thing(bench) if callable(thing) else thing


# ---- tables ----

def show_table(bench, measure, table):
    rows = bench.rows
    cases = [case for case in rows.cases(measure, table.quantity)
             if table.cases is None or case in table.cases]
    if not cases:
        return f'<p>{escape(table.title)}: there are no rows.</p>'
    limit = any(LIMIT in rows.servers(measure, case, table.quantity)
                for case in cases)
    head = ['server', 'n', 'lower quartile', 'median', 'upper quartile']
    head += [f'/ {LIMIT}'] if limit else []
    head += [f'{ours} / it' for ours in table.ours]
    body = []
    for case in cases:
        if len(cases) > 1:
            body.append(f'<tr class="case"><td colspan="{len(head)}">'
                        f'{escape(case)}</td></tr>\n')
        names = rows.servers(measure, case, table.quantity)
        for name in in_order(bench, names):
            spread = rows.spread(measure, case, table.quantity, name)
            line = [name, spread.n, number(spread.q1), number(spread.median),
                    number(spread.q3)]
            versus = ([(name, LIMIT)] if limit else []) + [
                (ours, name) for ours in table.ours]
            for above, below in versus:
                line.append('' if above == below else times(rows.ratio(
                    measure, case, table.quantity, above, below)))
            body.append(cells(line, kind='ours' if name in OURS else ''))
    unit = rows.units.get((measure, table.quantity), '?')
    heading = table.title if unit in table.title.lower() else (
        f'{table.title}, {unit}')
    return (f'<h3>{escape(heading)}</h3>\n'
            + paragraphs(table.text)
            + '<div class="wide" tabindex="0"><table>'
            + cells(head, 'th') + ''.join(body) + '</table></div>\n')


def in_order(bench, names):
    """Servers in the order of the tables of programs, others behind them."""
    known = list(bench.programs)
    return sorted(names, key=lambda name: known.index(name)
                  if name in known else len(known))


# ---- plots ----

# Readable on white and on dark, and told apart by those who see no red:
# Okabe and Ito's, but for yellow and black.
COLOURS = ('#1f82c4', '#56b4e9', '#009e73', '#888888', '#d55e00', '#e69f00',
           '#cc79a7', '#a05a2c', '#7f6fd0', '#3fa7a0', '#c2504d', '#8a8d00',
           '#d94f9b', '#5b8c3e', '#a58fd8', '#c9a66b')

# gnuplot's point types, open and filled in turns.
POINTS = (4, 6, 8, 10, 12, 5, 7, 9, 11, 13)


def look(bench, server):
    """A server's colour and point type, the same in every plot."""
    known = list(bench.programs)
    place = known.index(server) if server in known else len(known) + sum(
        map(ord, server))
    return COLOURS[place % len(COLOURS)], POINTS[place % len(POINTS)]


def plain(text):
    """A string for gnuplot."""
    return "'" + text.replace("'", "''") + "'"


def show_plot(bench, measure, plot, name):
    """The plot in SVG; its commands and points stay beside the page."""
    rows = bench.rows
    held = {x: set(rows.servers(measure, case, plot.quantity))
            for x, case in plot.cases.items()}
    names = [server for server in in_order(bench, set().union(*held.values()))
             if plot.servers is None or server in plot.servers]
    unit = rows.units.get((measure, plot.quantity), '?')
    lines = all(isinstance(x, (int, float)) for x in plot.cases)
    counts = set()
    points = []
    for server in names:
        block = []
        for place, (x, case) in enumerate(plot.cases.items()):
            spread = rows.spread(measure, case, plot.quantity, server)
            if spread is None:
                continue
            counts.add(spread.n)
            where = x if lines else place
            block.append(f'{where} {spread.median:.9g} {spread.q1:.9g} '
                         f'{spread.q3:.9g}')
        points.append('\n'.join(block))
    if not names:
        return f'<p>{escape(plot.title)}: there are no rows.</p>'
    n = ('n = ' + ' to '.join(str(count) for count in
                              sorted({min(counts), max(counts)})))
    commands = draw_commands(bench, plot, names, points, unit, lines)
    path = os.path.join(bench.out, name)
    with open(path + '.gp', 'w', encoding='utf-8') as file:
        file.write(commands)
    done = subprocess.run(['gnuplot', path + '.gp'], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f'gnuplot: {done.stderr}')
    return (f'<figure id="{name}">{as_part(done.stdout, name)}'
            f'<figcaption>{escape(plot.title)}: medians and quartiles, {n}; '
            f'{escape(bench.machine)}. {escape(plot.text)}</figcaption>'
            '</figure>\n')


def draw_commands(bench, plot, names, points, unit, lines):
    # Ink that is the page's own cannot be said in gnuplot; as_part() puts it
    # in place of this one.
    commands = ['set terminal svg size 900,430 dynamic font "sans-serif,13" '
                'background rgb "#123457"',
                'set border 3 lc rgb "#123456"',
                'set tics nomirror textcolor rgb "#123456"',
                'set grid ytics lc rgb "#808080" lw 0.4',
                'set key outside right top textcolor rgb "#123456"',
                'set xlabel ' + plain(plot.xlabel) + ' tc rgb "#123456"',
                'set ylabel ' + plain(f'{plot.quantity}, {unit}')
                + ' tc rgb "#123456"',
                'set title ' + plain(plot.title) + ' tc rgb "#123456"']
    for block, text in enumerate(points):
        commands.append(f'$d{block} << EOD\n{text}\nEOD')
    for axis in plot.log:
        commands.append(f'set logscale {axis}')
    if 'y' not in plot.log:
        commands.append('set yrange [0:*]')
    looks = list(enumerate((name, look(bench, name)) for name in names))
    if lines:
        commands.append('set xtics (' + ', '.join(
            f'{plain(str(x))} {x}' for x in plot.cases) + ')')
        low, high = min(plot.cases), max(plot.cases)
        if 'x' in plot.log:
            commands.append(f'set xrange [{low / 1.15}:{high * 1.15}]')
        else:
            commands.append('set offsets graph 0.02, graph 0.02, 0, 0')
        parts = [f'$d{i} using 1:2:3:4 with yerrorlines title {plain(name)} '
                 f'lc rgb "{colour}" lw 2 pt {point} ps 0.7'
                 for i, (name, (colour, point)) in looks]
    else:
        width = 0.8 / len(names)
        commands += ['set style fill solid 0.85 noborder',
                     'set xtics scale 0 (' + ', '.join(
                         f'{plain(str(x))} {i}'
                         for i, x in enumerate(plot.cases)) + ')',
                     f'set xrange [-0.5:{len(plot.cases) - 0.5}]']
        parts = [f'$d{i} using ($1+{(i - (len(names) - 1) / 2) * width:.4f})'
                 f':2:3:4:({width:.4f}) with boxerrorbars title {plain(name)} '
                 f'lc rgb "{colour}"'
                 for i, (name, (colour, _)) in looks]
    commands.append('plot ' + ', \\\n\t'.join(parts))
    return '\n'.join(commands) + '\n'


def as_part(svg, name):
    """An SVG file as a part of a page: no prologue, names of its own, no
    paper, and the page's ink.
    """
    svg = svg[svg.index('<svg'):]
    svg = re.sub(r'<rect[^>]*fill="#123457"[^>]*/>', '', svg)
    svg = re.sub(r'#123456|rgb\( *18, *52, *86\)', 'currentColor', svg)
    svg = svg.replace('color="black"', 'color="inherit"')
    svg = re.sub(r'(\bid=["\']|href=["\']#|url\(#)', rf'\1{name}-', svg)
    return re.sub(r'\s*<(title|desc)>[^<]*</\1>', '', svg)


# ---- what is wanted ----

def best_peer(bench, measure, figure):
    """The same-shape peer, not ours and not the limit, with the best median."""
    rows = bench.rows
    peers = [name for name in rows.servers(measure, figure.case,
                                           figure.quantity)
             if name in bench.programs
             and bench.programs[name].shape == 'inetd'
             and name not in (*OURS, LIMIT)]
    choose = min if figure.most is not None else max
    return choose(peers, default=None, key=lambda name: rows.spread(
        measure, figure.case, figure.quantity, name).median)


def judge(bench, measure, figure):
    """The cells of a figure's row: word, sentence, value, limit, how."""
    rows = bench.rows
    versus = figure.versus
    if versus == BEST:
        versus = best_peer(bench, measure, figure)
    if figure.versus is None:
        spread = rows.spread(measure, figure.case, figure.quantity,
                             figure.server)
    else:
        spread = rows.ratio(measure, figure.case, figure.quantity,
                            figure.server, versus, figure.above)
    limit = figure.most if figure.most is not None else figure.least
    bound = ('at most ' if figure.most is not None else 'at least ') \
        + f'{limit:g} {figure.unit}' + (
            f', to {figure.to:g}' if figure.to else '')
    how = f'{figure.quantity} of {figure.server}' + (
        f' / {versus}' if versus else '') + (
        f', above {figure.above}' if figure.above else '')
    if spread is None:
        return ['not measured', figure.sentence, '–', bound, how, 0]
    scaled = type(spread)(spread.n, *(value * figure.scale
                                      for value in spread[1:]))
    reached = (scaled.median <= limit + figure.to
               if figure.most is not None
               else scaled.median >= limit - figure.to)
    return ['reached' if reached else 'MISSED', figure.sentence,
            times(scaled), bound, how, scaled.n]


def show_figures(bench, modules):
    body = []
    for measure, module in modules.items():
        for figure in getattr(module, 'FIGURES', []):
            line = judge(bench, measure, figure)
            body.append(f'<tr><td class="{line[0]}">{line[0]}</td>'
                        + cells(line[1:])[len('<tr>'):])
    return ('<section id="figures"><h2>Figures to reach</h2>\n'
            '<p>Medians of this run, with their quartiles; a ratio is the '
            'median of the quotients of the rounds.</p>'
            '<div class="wide" tabindex="0"><table class="words">'
            + cells(['', 'what', 'measured', 'wanted', 'of', 'n'], 'th')
            + ''.join(body) + '</table></div></section>\n')


# ---- the rest of the page ----

def load():
    with open('/proc/loadavg', encoding='utf-8') as file:
        return ' '.join(file.read().split()[:3])


def first_line(*words):
    """What a program says of its version; where it is not here, a dash."""
    if not shutil.which(words[0]):
        return '–'
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return ((done.stdout + done.stderr).strip().splitlines() or ['–'])[0]


def package_versions(packages):
    """The versions of Debian's packages; nothing where there is no apt."""
    if not shutil.which('apt-cache'):
        return ''
    done = subprocess.run(['apt-cache', 'policy', *packages],
                          capture_output=True, text=True, check=False)
    return ', '.join(f'{name} {version}' for name, version in re.findall(
        r'^(\S+):\n.*\n +Candidate: (\S+)', done.stdout, re.M))


def machine(bench):
    """What is said of the machine, before anything is measured: name, value."""
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        model = re.search(r'^model name\s*: (.*)$', file.read(), re.M)
    with open('/proc/meminfo', encoding='utf-8') as file:
        memory = int(file.read().split()[1]) / 1048576
    system = platform.freedesktop_os_release()['PRETTY_NAME']
    cpus = len(os.sched_getaffinity(0))
    cpu = model[1] if model else 'unnamed CPU'
    bench.machine = (f'{cpus} CPUs ({cpu}), Linux {platform.release()}')
    packages = sorted({package for program in bench.programs.values()
                       for package in program.packages}
                      | {'ucspi-tcp', 'xinetd', 'wrk', 'apache2-utils',
                         'nghttp2-client', 'gnuplot-nox', 'musl-tools',
                         'busybox'})
    return {
        'date': time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime()),
        'machine': f'{cpus} CPUs ({cpu}), {memory:.1f} GiB, {system}, '
                   f'Linux {platform.release()} {platform.machine()}',
        'load before': load(),
        'httpd': first_line(bench.httpd, '--version'),
        'compiler': first_line('gcc', '--version'),
        'Debian\'s': package_versions(packages),
    }


def show_machine(bench, about):
    about = dict(about)
    about['load after'] = load()
    if bench.smoke:
        about['note'] = ('This was --smoke: the numbers say nothing but that '
                         'the harness works.')
    return ('<table class="words about">' + ''.join(
        cells(item) for item in about.items()) + '</table>\n')


def show_programs(bench):
    return ('<section id="servers"><h2>The servers</h2>\n'
            '<div class="wide" tabindex="0"><table class="words">'
            + cells(['name', 'shape', 'how it is run', 'command'], 'th')
            + ''.join(cells([program.name, program.shape, program.note,
                             ' '.join(program.words).replace(
                                 bench.httpd, 'httpd').replace(
                                     os.path.dirname(bench.httpd), '')])
                      for program in bench.programs.values())
            + '</table></div></section>\n')


GENERAL = (
    'Everything ran on one machine: clients and servers share its CPUs, and '
    'the network is a loopback interface of its own, with a congestion control '
    'that does not pace: with BBR, which some hosts set, TCP paces itself by '
    'timers, and is three times as fast or slow by luck.',
    'All servers ran as root, so that none spends time on becoming somebody '
    'else; httpd does, as its unit starts it.',
    'A daemon accepts connections itself. For the others a spawner does, whose '
    'CPU time is counted as theirs.',
    'httpd has a sandbox, and reads requests more strictly than most; its '
    'figures without the sandbox are those of httpd-open.',
)


def show_unfair(bench, modules):
    sentences = list(GENERAL)
    for module in modules.values():
        sentences += said(getattr(module, 'UNFAIR', []), bench)
    gone = {}
    for measure, name, why in bench.left_out:
        gone.setdefault((measure, why), []).append(name)
    sentences += [f'Left out of "{modules[measure].TITLE}": '
                  f'{", ".join(names)} ({why}).'
                  for (measure, why), names in gone.items()
                  if measure in modules]
    return ('<section id="unfair"><h2>What was not fair to whom</h2>\n<ul>'
            + ''.join(f'<li>{escape(one)}</li>\n' for one in sentences)
            + '</ul></section>\n')


def show_measure(bench, name, module):
    parts = [f'<section id="{name}"><h2>{escape(module.TITLE)}</h2>\n',
             paragraphs(said(module.TEXT, bench))]
    for place, item in enumerate(module.SHOW):
        if isinstance(item, Table):
            parts.append(show_table(bench, name, item))
        else:
            parts.append(show_plot(bench, name, item, f'{name}-{place}'))
    return ''.join(parts) + '</section>\n'


def write(bench, modules, about):
    """The page index.html in the directory of the bench."""
    names = {'figures': 'Figures to reach',
             **{name: module.TITLE for name, module in modules.items()},
             'servers': 'The servers', 'unfair': 'What was not fair to whom'}
    parts = [paper.head('httpd beside its peers', STYLE),
             show_machine(bench, about), '<ul>',
             *(f'<li><a href="#{name}">{escape(title)}</a></li>'
               for name, title in names.items()), '</ul>\n',
             '<p class="soft">Every figure is a median over rounds; in a round '
             'each server is measured once, in random order. All observations '
             'are in raw.tsv.</p>\n',
             show_figures(bench, modules)]
    parts += [show_measure(bench, name, module)
              for name, module in modules.items()]
    parts += [show_programs(bench), show_unfair(bench, modules),
              '</body>\n</html>\n']
    with open(os.path.join(bench.out, 'index.html'), 'w',
              encoding='utf-8') as file:
        file.write(''.join(parts))
