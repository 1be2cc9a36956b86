"""HTML pages of charts that need nothing but themselves: no server, no network, no file beside them.

Belongs here: the two pages, their escaping and their content security policy. Does not belong here: writing them to
disk.

A page forbids itself the network with a policy in its head. Only the scripts of the page itself may run, each named by
its hash, so that markup smuggled into a title or a figure could not run even if it escaped the escaping. Plotly sets
styles on elements, hence `style-src 'unsafe-inline'`; its download button draws an image from a data or blob URL.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote

_DRAW = """
const figure = JSON.parse(document.getElementById("figure").textContent);
const options = {displaylogo: false, responsive: false};
Plotly.newPlot("chart", figure.data, figure.layout, options).then(chart => { chart.dataset.drawn = "yes"; });
"""

_STYLE = """
body { font-family: Arial, Helvetica, sans-serif; color: #1A1A1A; background: #FFFFFF; margin: 0; }
main { max-width: 1152px; margin: 0 auto; padding: 16px; }
#chart { width: 1152px; margin: 0 auto; }
h1 { font-size: 24px; }
h2 { font-size: 16px; margin: 24px 0 8px; }
ul { list-style: none; padding: 0; display: grid; gap: 24px; }
ul { grid-template-columns: repeat(auto-fill, minmax(480px, 1fr)); }
li { border: 1px solid #D3D3D3; padding: 12px; }
a { color: #0089D1; text-decoration: none; font-weight: bold; }
p { color: #6B6B6B; margin: 4px 0 8px; font-size: 13px; }
img { width: 100%; height: auto; display: block; }
"""


def chart_page(figure_json: str, title: str) -> str:
    """A page with one chart, Plotly inside, that makes no request when opened.

    Parameters
    ----------
    figure_json
        A Plotly figure as JSON: an object with `data` and `layout`.
    title
        The page's title, plain text; escaped here.

    Returns
    -------
    str
        The page, about 5 MB, nearly all of it Plotly. The drawn element gets `data-drawn="yes"`.

    Raises
    ------
    ValueError
        When the text is not the JSON of a Plotly figure.
    """
    plotly, draw = _plotly(), _DRAW
    policy = (
        f"default-src 'none'; script-src {_hash_of(plotly)} {_hash_of(draw)}; style-src 'unsafe-inline'; "
        "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
    )
    body = (
        '<div id="chart"></div>\n'
        f'<script type="application/json" id="figure">{_embedded(figure_json)}</script>\n'
        f"<script>{plotly}</script>\n<script>{draw}</script>"
    )
    return _page(title, policy, body)


def index_page(sections: Mapping[str, Sequence[tuple[str, str, str, str]]]) -> str:
    """A page that lists charts by section, with their previews and links to `<name>.html`.

    Parameters
    ----------
    sections
        By the name of a section, `(name, title, subtitle, preview_svg)` of each of its charts, in the order they are
        listed. The drawing becomes an image, in which no script runs; an empty one is left out.
    """
    parts = [
        f"<h2>{html.escape(section.replace('_', ' ').capitalize())}</h2>\n<ul>\n"
        + "\n".join(_entry(*entry) for entry in entries)
        + "\n</ul>"
        for section, entries in sections.items()
    ]
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    return _page("Charts", policy, "\n".join(["<main><h1>Charts</h1>", *parts, "</main>"]))


def _entry(name: str, title: str, subtitle: str, preview_svg: str) -> str:
    link, words = quote(name, safe=""), html.escape(title)
    drawing = base64.b64encode(preview_svg.encode()).decode()
    image = (
        f'<a href="{link}.html"><img alt="{words}" src="data:image/svg+xml;base64,{drawing}"></a>' if drawing else ""
    )
    return f'<li><a href="{link}.html">{words}</a><p>{html.escape(subtitle)}</p>{image}</li>'


def _page(title: str, policy: str, body: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _embedded(figure_json: str) -> str:
    """The JSON so that it can stand inside a script element: no `<`, `>`, `&` or line separators left."""
    try:
        figure = json.loads(figure_json, parse_constant=_refuse_constant)
    except ValueError as error:
        raise ValueError(f"not a Plotly figure: expected JSON, got {figure_json[:40]!r} ({error})") from None
    if not isinstance(figure, dict) or not {"data", "layout"} <= set(figure):
        raise ValueError(f"not a Plotly figure: expected an object with data and layout, got {figure_json[:40]!r}")
    text = json.dumps({"data": figure["data"], "layout": figure["layout"]}, separators=(",", ":"), ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON; a missing value is null")


def _hash_of(script: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(script.encode()).digest()).decode()}'"


@lru_cache(maxsize=1)
def _plotly() -> str:
    """Plotly's script, without the MathJax that it would otherwise look for."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).replace("\r\n", "\n")  # as the HTML parser does before it hashes
