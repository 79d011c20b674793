"""How reports look as HTML. Every selector begins with `.shapewatch`, so nothing around a report changes its look.

A page follows the system between light and dark, a notebook its own theme, and each has the same colours.
"""

from __future__ import annotations

COLOURS: dict[str, tuple[str, str]] = {
    "paper": ("#ffffff", "#0f1319"),
    "ink": ("#1c2128", "#e3e8ee"),
    "quiet": ("#57606a", "#9aa4b0"),
    "rule": ("#d5dbe1", "#353d47"),
    "panel": ("#f5f7f9", "#181e26"),
    "error": ("#b3261e", "#ff8a80"),
    "warning": ("#8a5a00", "#e3b341"),
    "good": ("#1a7037", "#56d364"),
    "accent": ("#0b57b0", "#79b8ff"),
    "marked": ("#fde8c8", "#5a3d0c"),
    "told": ("#fdf3f2", "#2a1a1c"),
}
"""Light and dark. Ink, and each colour that words have, stands out from paper and panel by 4.5 to 1 or more."""


def _colours(dark: bool) -> str:
    return " ".join(f"--sw-{name}: {pair[dark]};" for name, pair in COLOURS.items())


LOOK = """
.shapewatch { color: var(--sw-ink); background: var(--sw-paper); font: 16px/1.55 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", Arial, sans-serif; text-align: left; overflow-wrap: break-word; }
.shapewatch code, .shapewatch pre, .shapewatch svg, .shapewatch table, .shapewatch .shape, .shapewatch .place,
.shapewatch .meets { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
.shapewatch h1 { font-size: 1rem; font-weight: 600; margin: 0; letter-spacing: .01em; }
.shapewatch h2 { font-size: 1.3rem; line-height: 1.35; font-weight: 600; margin: 0 0 .4rem; color: var(--sw-ink); }
.shapewatch h2 .lead { display: block; font-size: .95rem; font-weight: 400; margin-bottom: .15rem; }
.shapewatch h3 { font-size: 1rem; font-weight: 600; margin: 1.4rem 0 .4rem; color: var(--sw-ink); }
.shapewatch p { margin: .5rem 0; max-width: 46rem; }
.shapewatch header p { margin: .1rem 0 0; color: var(--sw-quiet); font-size: .9rem; }
.shapewatch section { margin: 2rem 0; }
.shapewatch * + section { border-top: 1px solid var(--sw-rule); padding-top: 1.6rem; }
.shapewatch code { font-size: .875em; background: none; color: inherit; padding: 0; border: 0; }
.shapewatch .error { color: var(--sw-error); font-weight: 600; }
.shapewatch .warning { color: var(--sw-warning); font-weight: 600; }
.shapewatch .good { color: var(--sw-good); font-weight: 600; }
.shapewatch .name { font-weight: 600; }
.shapewatch .muted { color: var(--sw-quiet); }
.shapewatch .place { color: var(--sw-accent); font-size: .85em; overflow-wrap: anywhere; }
.shapewatch mark { background: var(--sw-marked); color: inherit; font-weight: 700; text-decoration: underline;
  text-underline-offset: .2em; padding: 0 .15em; border-radius: 2px; }
.shapewatch .where { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; align-items: baseline; max-width: none;
  background: var(--sw-panel); border-left: 3px solid var(--sw-rule); padding: .4rem .8rem; }
.shapewatch dl { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr); gap: .5rem 1rem; margin: 1.2rem 0; }
.shapewatch dt { grid-column: 1; font-weight: 600; color: var(--sw-quiet); margin: 0; }
.shapewatch dd { grid-column: 2; margin: 0; min-width: 0; }
.shapewatch dd > :first-child { margin-top: 0; }
.shapewatch dd > :last-child { margin-bottom: 0; }
.shapewatch section > ol > li { margin: 1rem 0; }
.shapewatch .paste { display: flex; align-items: flex-start; gap: .5rem; margin: .5rem 0; }
.shapewatch .paste pre { flex: 0 1 auto; min-width: 0; }
.shapewatch pre { margin: 0; padding: .7rem .9rem; background: var(--sw-panel); color: inherit; font-size: .95em;
  border: 1px solid var(--sw-rule); border-radius: 6px; overflow-x: auto; line-height: 1.45; }
.shapewatch .paste button { font: inherit; font-size: .8rem; margin-top: .55rem; padding: .1rem .6rem;
  color: var(--sw-ink); background: var(--sw-paper); border: 1px solid var(--sw-rule); border-radius: 5px;
  cursor: pointer; }
.shapewatch .scroll { overflow-x: auto; margin: 1rem 0; }
.shapewatch table { border-collapse: collapse; font-size: .82rem; line-height: 1.5; margin: 0; border: 0; }
.shapewatch th, .shapewatch td { text-align: left; vertical-align: baseline; padding: .18rem 1.2rem .18rem 0;
  font-weight: 400; white-space: nowrap; border: 0; background: none; color: inherit; }
.shapewatch tr { background: none; border: 0; }
.shapewatch thead th, .shapewatch thead td { border-bottom: 1px solid var(--sw-rule); font-weight: 600; }
.shapewatch th[scope="rowgroup"] { padding-top: .6rem; }
.shapewatch .right { text-align: right; }
.shapewatch figure { margin: 1.2rem 0; }
.shapewatch figcaption { color: var(--sw-quiet); font-size: .9rem; max-width: 46rem; }
.shapewatch details { margin: 1rem 0; }
.shapewatch summary { cursor: pointer; color: var(--sw-accent); }
.shapewatch .branching { display: grid; grid-template-columns: minmax(min-content, 1fr); max-width: 56rem;
  overflow-x: auto; padding-bottom: 2px; }
.shapewatch .fork, .shapewatch .meets { border: 1px solid var(--sw-quiet); border-radius: 8px; padding: .45rem .8rem;
  text-align: center; font-size: .9rem; background: var(--sw-panel); }
.shapewatch .meets { border-width: 2px; display: flex; flex-wrap: wrap; justify-content: center; gap: .1rem 1.6rem; }
.shapewatch .meets .end { white-space: nowrap; }
.shapewatch .lanes { display: flex; }
.shapewatch .lane { flex: 1 1 0; min-width: 9.6rem; display: flex; flex-direction: column; padding: 0 .4rem;
  overflow-wrap: anywhere;
  background: linear-gradient(var(--sw-quiet), var(--sw-quiet)) center / 2px 100% no-repeat; }
.shapewatch .lane .role { margin: .7rem auto .3rem; padding: 0 .6rem; font-weight: 600; background: var(--sw-paper); }
.shapewatch .lanes:first-child .role { margin-top: 0; }
.shapewatch .lane ol { list-style: none; margin: 0 0 .8rem; padding: 0; flex: 1; display: flex; flex-direction: column;
  align-items: center; gap: .6rem; }
.shapewatch .lane li { margin: 0; text-align: center; font-size: .88rem; line-height: 1.4; background: var(--sw-paper);
  border: 1px solid var(--sw-rule); border-radius: 8px; padding: .35rem .8rem; max-width: 100%; min-width: 9rem;
  box-sizing: border-box; }
.shapewatch .lane li.parts { border: 2px solid var(--sw-warning); }
.shapewatch .lane li span.name, .shapewatch .lane li span.what, .shapewatch .lane li span.shape,
.shapewatch .lane li span.here, .shapewatch .lane li span.at { display: block; }
.shapewatch .what { color: var(--sw-quiet); }
.shapewatch .spine { display: block; font-size: 13px; max-width: none; height: auto; flex: none; }
.shapewatch .spine text { fill: var(--sw-ink); white-space: pre; }
.shapewatch .spine text.what { fill: var(--sw-quiet); }
.shapewatch .spine text.sign { text-anchor: middle; font-weight: 700; font-size: 13px; }
.shapewatch .spine .line { stroke: var(--sw-quiet); stroke-width: 2; fill: none; }
.shapewatch .spine .arc { stroke: var(--sw-accent); stroke-width: 1.6; fill: none; }
.shapewatch .spine .arc.broadcast { stroke: var(--sw-warning); stroke-dasharray: 7 3; }
.shapewatch .spine .arc.mismatch { stroke: var(--sw-error); stroke-dasharray: 3 3; stroke-width: 2.2; }
.shapewatch .spine .call { fill: var(--sw-ink); }
.shapewatch .spine .fold, .shapewatch .spine .end { fill: var(--sw-paper); stroke: var(--sw-ink); stroke-width: 2; }
.shapewatch .spine .fold { stroke-dasharray: 2 2; }
.shapewatch .spine .junction { fill: var(--sw-paper); stroke: var(--sw-good); stroke-width: 2; }
.shapewatch .spine .junction.broadcast { stroke: var(--sw-warning); }
.shapewatch .spine .junction.mismatch { stroke: var(--sw-error); stroke-width: 3; }
.shapewatch .spine .told { fill: var(--sw-told); }
@media (max-width: 640px) {
  .shapewatch dl { display: block; }
  .shapewatch dt { margin-top: .9rem; }
  .shapewatch h2 { font-size: 1.15rem; }
}
"""

PAGE = f"""
html {{ color-scheme: light dark; }}
body.shapewatch {{ margin: 0; }}
.shapewatch {{ {_colours(dark=False)} }}
@media screen and (prefers-color-scheme: dark) {{ .shapewatch {{ {_colours(dark=True)} }} }}
.shapewatch main {{ max-width: 64rem; margin: 0 auto; padding: 1.6rem 1.2rem 4rem; }}
@media print {{
  .shapewatch {{ font-size: 11pt; }}
  .shapewatch main {{ max-width: none; padding: 0; }}
  .shapewatch .paste button {{ display: none; }}
  .shapewatch .scroll, .shapewatch pre, .shapewatch .branching {{ overflow: visible; }}
  .shapewatch pre {{ white-space: pre-wrap; }}
  .shapewatch .spine {{ max-width: 100%; }}
  .shapewatch li, .shapewatch dd, .shapewatch .branching {{ break-inside: avoid; }}
}}
"""

NOTEBOOK = f"""
{LOOK.replace(".shapewatch", ".shapewatch" * 3)}
div.shapewatch {{ {_colours(dark=False)} padding: .8rem 1rem; border-radius: 6px; }}
[data-jp-theme-light="false"] div.shapewatch, .vscode-dark div.shapewatch, .vscode-high-contrast div.shapewatch,
html[theme="dark"] div.shapewatch {{ {_colours(dark=True)} }}
div.shapewatch.shapewatch.shapewatch.shapewatch {{ font-size: 14px; }}
"""
"""JupyterLab and Notebook 7, VS Code, Colab: each says in its own way that it is dark. The class is named three times
because theirs have rules for the tables and headings in a cell that would else come before these."""
