"""Make pieces of HTML pages that need no other file."""

import base64
import hashlib
from collections.abc import Collection, Sequence
from html import escape

from .line_chart import charted

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem;
  color: #222; background: #fff; }
h1, p, dd { overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; }
th, td { padding: 0.3rem 0.6rem; border-bottom: 1px solid #ddd; text-align: right; }
th { vertical-align: bottom; } th:first-child, td:first-child { text-align: left; }
td { white-space: nowrap; } tr.own td { background: #fff3e0; }
dt { font-weight: 600; } dd { margin: 0 0 0.4rem 1rem; }
img { max-width: 100%; height: auto; }
.charts { display: flex; flex-wrap: wrap; align-items: start; gap: 1rem; }
.charts img { flex: 1 1 24rem; min-width: 0; max-width: 40rem; }
@media (max-width: 640px) {
  .charts { flex-direction: column; overflow-x: auto; }
  .charts img { flex: none; width: 36rem; max-width: none; } /* smaller, it could not be read */
}
"""


def html_page(title: str, body: str, style: str = '', script: str = '') -> str:
    """Return a page for screens of any width, in which nothing runs but ``script``.

    Its policy names style and script by their hashes and knows no address but those that hold
    their pictures: what might have come in with a name runs nowhere and asks nobody.

    Args:
        body: HTML without scripts that run.
        script: JavaScript, which finds the whole body there.
    """
    style = STYLE + style
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hash_of(style)}; "
        f"script-src {_hash_of(script)}; base-uri 'none'; form-action 'none'"
    )
    body += f'<script>{script}</script>' if script else ''
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><style>{style}</style></head>\n'
        f'<body>{body}</body></html>\n'
    )


def _hash_of(text: str) -> str:
    if not text:
        return "'none'"
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def html_table(
    header: Sequence, rows: Sequence[Sequence], own: Collection[str] = (), title: str = 'numbers'
) -> str:
    """Return a table that scrolls sideways where it is too wide.

    Args:
        title: for those who hear the page.
        own: first cells of the rows that stand out.
    """
    head = ''.join(f'<th scope="col">{escape(str(cell))}</th>' for cell in header)
    lines = [
        f'<tr{" class=own" if row[0] in own else ""}>'
        + ''.join(f'<td>{escape(str(cell))}</td>' for cell in row)
        + '</tr>'
        for row in rows
    ]
    table = f'<table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'
    return _scrolling('wide', title, table)


def html_charts(charts: Sequence[str], title: str) -> str:
    """Lay out SVG beside each other, or on a phone below each other and scrolling sideways."""
    pictures = [
        f'<img alt="{escape(charted(chart)[0])}" src="{data_uri(chart.encode(), "image/svg+xml")}">'
        for chart in charts
    ]
    return _scrolling('charts', title, '\n'.join(pictures))


def _scrolling(kind: str, title: str, content: str) -> str:
    """Return a box that scrolls sideways, by keys, too."""
    region = f'class="{kind}" tabindex="0" role="region" aria-label="{escape(title)}"'
    return f'<div {region}>{content}</div>'


def data_uri(content: bytes, kind: str) -> str:
    """Return a file as an address; ``kind`` as in 'image/png'."""
    return f'data:{kind};base64,{base64.b64encode(content).decode()}'
