"""What the project's pages look like: light and dark, and nothing from
elsewhere.
"""

from html import escape

STYLE = '''
:root { --paper: #f6f4ef; --card: #fff; --ink: #1d2433; --soft: #5a6478;
  --line: #d8d4ca; --link: #1c5aa8; --good: #0063a3; --bad: #a33200; }
@media (prefers-color-scheme: dark) { :root { --paper: #11151f;
  --card: #161c29; --ink: #e8ebf2; --soft: #a3adc2; --line: #323c52;
  --link: #8bbcff; --good: #6cb9f2; --bad: #f5a35c; } }
* { box-sizing: border-box; }
body { max-width: 82rem; margin: 0 auto; padding: 2rem 1.2rem 4rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, "DejaVu Sans", sans-serif; }
a { color: var(--link); }
section { margin: 2.5rem 0; padding: 1.2rem 1.5rem 1.5rem; background:
  var(--card); border: 1px solid var(--line); border-radius: .7rem; }
h1 { line-height: 1.2; } h2 { margin: 0 0 .4rem; }
h3 { margin: 1.4rem 0 .4rem; font-size: 1rem; }
p, li { max-width: 48rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; font-size: .85rem; }
td, th { padding: .15rem .6rem; border-bottom: 1px solid var(--line);
  text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
.words td { white-space: normal; }
'''


def head(title, style):
    """A page's start, up to its first heading; `style` is its own."""
    return f'''<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>{STYLE}{style}</style>
</head>
<body>
<h1>{escape(title)}</h1>
'''
