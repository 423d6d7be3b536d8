"""How the pages look: light and dark after the reader's system, and on paper."""

STYLE = """
:root { color-scheme: light dark; --text: #1c2127; --soft: #57606a; --line: #d0d7de;
  --page: #ffffff; --band: #cfe3f7; --mark: #1f5f99; --alarm: #b3261e; --alarm-page: #fdecea; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --soft: #9ba6b2; --line: #39424d;
  --page: #14191f; --band: #24405c; --mark: #79b8f2; --alarm: #ff8a80; --alarm-page: #3b1d1b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem 1rem 4rem; background: var(--page);
  color: var(--text); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; }
h2 { font-size: 1.3rem; margin: 3rem 0 .5rem; border-top: 2px solid var(--line);
  padding-top: 1rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .4rem; }
p { margin: .4rem 0; max-width: 45rem; }
.soft, caption { color: var(--soft); font-size: .9rem; }
.alarms { list-style: none; margin: .5rem 0; padding: .6rem 1rem; background: var(--alarm-page);
  border-left: 4px solid var(--alarm); }
.alarms li { margin: .3rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; min-width: 100%; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
td { white-space: nowrap; }
th[scope=row] { min-width: 8rem; overflow-wrap: anywhere; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.rings { color: var(--alarm); font-weight: 600; }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--soft); font-size: 11px; }
svg line { stroke: var(--line); }
svg .band { fill: var(--band); }
svg circle { fill: var(--mark); }
svg .alarm { fill: var(--alarm); }
@media print { :root { --text: #000; --soft: #444; --line: #bbb; --page: #fff; --band: #ddd;
  --mark: #000; --alarm: #900; --alarm-page: #fff; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  h2 { break-before: page; } h2:first-of-type { break-before: auto; }
  h3, caption, thead { break-after: avoid; }
  tr, svg, .alarms li { break-inside: avoid; } .wide { overflow: visible; }
  svg * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
