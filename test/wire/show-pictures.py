#!/usr/bin/env python3
"""show-pictures.py OUTDIR MACHINE...: what load-pictures.py measured, to see.

Reads its two files in OUTDIR, writes a plot, pictures.svg, and a part of a
page, pictures.html, beside them, and prints a table.  MACHINE is a sentence
that says where it was measured.
"""
import csv
import sys
from html import escape
from statistics import median

SERVERS = {"one-at-a-time": "one connection at a time",
           "xinetd": "httpd under xinetd", "systemd": "httpd under systemd"}
WANTED = 10  # At most this part of the first server's time.

STYLE = """
.pictures { --paper: #ffffff; --ink: #1d2433; --soft: #5a6478;
  --line: #dcdfe6; --wait: #b9c7de; --send: #1c5aa8; --load: #b3400f;
  color-scheme: light dark; background: var(--paper);
  font-family: system-ui, "DejaVu Sans", sans-serif; font-size: 11px; }
@media (prefers-color-scheme: dark) {
  .pictures { --paper: #11151f; --ink: #e8ebf2; --soft: #a3adc2;
    --line: #2c3549; --wait: #46577a; --send: #8bbcff; --load: #ff9d6b; } }
.pictures text { fill: var(--ink); }
.pictures .soft { fill: var(--soft); }
.pictures .end { text-anchor: end; }
.pictures .middle { text-anchor: middle; }
.pictures .name { font-size: 13px; font-weight: bold; }
.pictures .paper { fill: var(--paper); }
.pictures .wait { fill: var(--wait); }
.pictures .send { fill: var(--send); }
.pictures .grid { stroke: var(--line); }
.pictures .load { stroke: var(--load); stroke-width: 1.5; }
.pictures .load-text { fill: var(--load); font-weight: bold; }
"""


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def typical_round(loads, server):
    """The round whose time is nearest to the median, and that time."""
    own = [(float(row["ms"]), row["round"]) for row in loads
           if row["server"] == server]
    middle = median(ms for ms, _ in own)
    ms, number = min(own, key=lambda one: abs(one[0] - middle))
    return number, ms


class Plot:
    """A waterfall for each server, one below the other, with one axis."""
    LEFT, RIGHT, ROW, WIDTH = 96, 104, 14, 860

    def __init__(self, limit_s):
        self.limit_s = limit_s
        self.parts = []
        self.y = 0

    def x(self, ms):
        space = self.WIDTH - self.LEFT - self.RIGHT
        return self.LEFT + space * ms / 1000 / self.limit_s

    def text(self, x, y, words, kind):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">'
                          f'{escape(words)}</text>')

    def line(self, x1, y1, x2, y2, kind):
        self.parts.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" '
                          f'class="{kind}"/>')

    def bar(self, begin, end, y, kind):
        left = self.x(begin)
        width = max(self.x(end) - left, 1)
        self.parts.append(f'<rect x="{left:.1f}" y="{y}" width="{width:.1f}" '
                          f'height="{self.ROW - 4}" class="{kind}"/>')

    def legend(self):
        self.y += 22
        for x, kind, words in ((self.LEFT, "wait", "waits for the first byte"),
                               (self.LEFT + 190, "send", "arrives")):
            self.parts.append(f'<rect x="{x}" y="{self.y - 9}" width="18" '
                              f'height="10" class="{kind}"/>')
            self.text(x + 25, self.y, words, "")
        x = self.LEFT + 300
        self.line(x, self.y - 11, x, self.y + 3, "load")
        self.text(x + 8, self.y, "the load event: all is there", "")

    def waterfall(self, title, rows, loaded_ms):
        self.y += 30
        self.text(self.LEFT, self.y, title, "name")
        self.y += 9
        top, bottom = self.y, self.y + self.ROW * len(rows)
        for second in range(int(self.limit_s) + 1):
            self.line(self.x(second * 1000), top, self.x(second * 1000),
                      bottom + 4, "grid")
        for row in rows:
            asked, first, last = (float(row[key]) for key in (
                "asked_ms", "first_byte_ms", "last_byte_ms"))
            base = self.y + self.ROW - 4
            self.text(self.LEFT - 8, base, row["path"], "soft end")
            self.bar(asked, first, self.y + 2, "wait")
            self.bar(first, last, self.y + 2, "send")
            self.text(self.WIDTH - self.RIGHT + 8, base,
                      "connection " + row["connection"], "soft")
            self.y += self.ROW
        x = self.x(loaded_ms)
        self.line(x, top, x, bottom, "load")
        if loaded_ms > 700 * self.limit_s:
            self.text(x - 6, top + self.ROW - 4, seconds(loaded_ms),
                      "load-text end")
        else:
            self.text(x + 6, top + self.ROW - 4, seconds(loaded_ms),
                      "load-text")

    def axis(self, words):
        self.y += 19
        for second in range(int(self.limit_s) + 1):
            self.text(self.x(second * 1000), self.y, str(second), "middle")
        self.y += 18
        self.text(self.x(self.limit_s * 500), self.y, words, "middle")

    def foot(self, *lines):
        self.y += 8
        for words in lines:
            self.y += 15
            self.text(12, self.y, words, "soft")

    def svg(self, title):
        height = self.y + 12
        return (f'<svg xmlns="http://www.w3.org/2000/svg" class="pictures" '
                f'viewBox="0 0 {self.WIDTH} {height}" width="{self.WIDTH}" '
                f'height="{height}" style="max-width: 100%; height: auto" '
                f'role="img" aria-label="{escape(title)}">\n'
                f'<title>{escape(title)}</title>\n<style>{STYLE}</style>\n'
                f'<rect width="{self.WIDTH}" height="{height}" '
                f'class="paper"/>\n' + "\n".join(self.parts) + "\n</svg>\n")


def seconds(ms):
    return f"{ms / 1000:.2f} s"


def draw(loads, resources, machine):
    typical = {server: typical_round(loads, server) for server in SERVERS}
    latest = max(ms for _, ms in typical.values())
    plot = Plot(max(1, latest / 1000 * 1.02))
    plot.legend()
    for server, title in SERVERS.items():
        number, ms = typical[server]
        rows = [row for row in resources
                if row["server"] == server and row["round"] == number]
        rows.sort(key=lambda row: (float(row["asked_ms"]), row["path"]))
        plot.waterfall(title, rows, ms)
    plot.axis("seconds since the start of the navigation")
    count = len(loads) // len(SERVERS)
    # Wherever a clause ends, the next line may begin.
    middle = machine.find(", Linux") + 1
    plot.foot(f"Of n = {count} loads from each server, the one whose time is "
              "nearest to the median.", machine[:middle],
              machine[middle:].strip())
    return plot.svg("When each file of the page with twelve pictures arrives, "
                    "from three servers")


def summary(loads):
    """Of each server: title, median, least, most, ratio, connections."""
    rows = []
    for server, title in SERVERS.items():
        own = [row for row in loads if row["server"] == server]
        times = [float(row["ms"]) for row in own]
        counts = sorted({int(row["connections"]) for row in own})
        base = rows[0][1] if rows else median(times)
        rows.append((title, median(times), min(times), max(times),
                     median(times) / base, " or ".join(
                         str(count) for count in counts)))
    return rows


def verdict(rows):
    slowest = max(row[4] for row in rows[1:])
    return (f"Wanted: at most 1/{WANTED} of the first server's time under "
            f"both; {'reached' if slowest <= 1 / WANTED else 'MISSED'}: "
            f"at most 1/{1 / slowest:.0f}.")


HEADS = ("server", "median", "range", "ratio", "connections")


def cells(row):
    title, middle, least, most, ratio, connections = row
    return (title, seconds(middle),
            f"{least / 1000:.2f} to {seconds(most)}",
            "1" if ratio == 1 else f"{ratio:.3f} (1/{1 / ratio:.0f})",
            connections)


def print_table(rows, machine, count):
    form = "{:<26}{:>8}  {:>16}  {:>14}  {:>11}"
    print(form.format(*HEADS))
    for row in rows:
        print(form.format(*cells(row)))
    print(verdict(rows))
    print(f"n = {count} loads each; {machine}")


def page(rows, svg, machine, count):
    head = "".join(f"<th>{name}</th>" for name in HEADS)
    body = "\n".join("<tr>" + "".join(
        f"<td>{escape(cell)}</td>" for cell in cells(row)) + "</tr>"
        for row in rows)
    return f"""<section id="pictures">
<h2>Twelve pictures, and one connection at a time</h2>
<p>Chromium, with nothing in its cache, loads <code>/a/b/ref.html</code>: a page
and twelve pictures. It opens six connections at once, which is all it allows
itself for one server. The server that serves one connection at a time keeps
the first one until a second has passed without a request, and lets the other
five, whose requests have long arrived, wait; then each of these does the same
to those behind it. That makes about five seconds, in which nothing is done.
httpd has a process for each connection, and none waits for another.</p>
<table>
<thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody>
</table>
<p>{escape(verdict(rows))} The time is that from the start of the navigation to
the load event, as the browser notes it; <i>ratio</i> is that of the medians.
Every load, {count} from each server in turns, showed all twelve pictures.
{escape(machine)}.</p>
<figure>
{svg}<figcaption>Each row is a file, in the order in which the browser asked for
them. Under the first server, see the steps: a second for each connection. Under
httpd there are none: no connection waits for another one to end.</figcaption>
</figure>
</section>
"""


def main():
    out, machine = sys.argv[1], " ".join(sys.argv[2:])
    loads = read(out + "/pictures.tsv")
    count = len(loads) // len(SERVERS)
    svg = draw(loads, read(out + "/pictures-resources.tsv"), machine)
    rows = summary(loads)
    with open(out + "/pictures.svg", "w") as file:
        file.write(svg)
    with open(out + "/pictures.html", "w") as file:
        file.write(page(rows, svg, machine, count))
    print_table(rows, machine, count)


main()
