"""Widgets in files that stand alone: a page of widgets, or a whole notebook, that works offline in any browser.

Both hold the widgets' saved state, as notebooks do, and a small script (`static/offline.js`) that plays the part of the
notebook application. Nothing in them is fetched from anywhere.
"""

from __future__ import annotations

import json
import os
import pathlib
from html import escape
from typing import Any, cast

_STATIC = pathlib.Path(__file__).parent / "static"
_TYPE = "application/vnd.jupyter.widget-"

# The page may run its own scripts and nothing else, so that no name or text in it can reach the network.
_POLICY = "default-src 'none'; script-src 'unsafe-inline' blob:; style-src 'unsafe-inline'; img-src data: blob:"

_PAGE = """<!DOCTYPE html>
<html{language}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>
body {{ max-width: 1000px; margin: 24px auto; padding: 0 16px; font: 15px/1.5 system-ui, sans-serif; }}
h1 {{ margin: 0 0 16px; font-size: 20px; font-weight: 600; }}
.nbt-root {{ margin-bottom: 16px !important; }}
</style>
</head>
<body>
{heading}<main>
{views}
</main>
<script type="{type}state+json">{state}</script>
<script type="module">{script}</script>
</body>
</html>
"""

# The notebook's page as nbconvert makes it, without the scripts it would fetch.
_TEMPLATE = """
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js_requirejs -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- if resources.mathjax_url -%}{{ super() }}{%- endif -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
"""


def save_html(path: str | os.PathLike[str], *widgets: Any, title: str = "") -> None:
    """Write widgets as they are now to one HTML file in which they work: hover, scrub, filter, choose.

    The file needs no kernel and no network, holds the widgets' code once, and follows the reader's dark mode.

    Args:
        path: the file; it is replaced.
        widgets: one or more of this package's widgets, shown below each other.
        title: a heading, and the page's title.
    """
    from ipywidgets.embed import dependency_state, embed_data

    if not widgets:
        raise TypeError("save_html() expected at least one widget after the path: save_html('run.html', monitor)")
    for widget in widgets:
        if not callable(getattr(widget, "freeze", None)):
            raise TypeError(
                f"save_html() expected widgets of nbtorch_widgets, such as Monitor(run); got {type(widget).__name__}"
            )
        if widget.comm is None:
            raise ValueError(f"save_html() can't save {type(widget).__name__}: it was closed. Make it again.")
        widget.freeze()
    data = embed_data(views=widgets, state=dependency_state(widgets, drop_defaults=False))
    views = [f'<script type="{_TYPE}view+json">{_json(view)}</script>' for view in data["view_specs"]]
    page = _PAGE.format(
        language=f' lang="{escape(widgets[0].language)}"' if widgets[0].language else "",
        policy=_POLICY,
        title=escape(title or type(widgets[0]).__name__),
        heading=f"<h1>{escape(title)}</h1>\n" if title else "",
        views="\n".join(views),
        type=_TYPE,
        state=_json(data["manager_state"]),
        script=_script(),
    )
    pathlib.Path(path).write_text(page, encoding="utf-8")


def export_notebook(
    notebook: str | os.PathLike[str], html: str | os.PathLike[str], *, mathjax_url: str = "", **options: Any
) -> None:
    """Write a notebook that was run and saved as an HTML page in which the widgets of this package work.

    The page needs no network. Formulas in its text would need MathJax: give `mathjax_url` to have it fetched from
    there. Other `options` are those of `nbconvert.HTMLExporter`, such as `exclude_input=True` or `theme="dark"`.
    """
    try:
        from nbconvert import HTMLExporter
    except ImportError as error:
        raise ImportError("export_notebook() needs nbconvert. Install it with: pip install nbconvert") from error

    exporter: Any = cast(Any, HTMLExporter)(raw_template=_TEMPLATE, mathjax_url=mathjax_url, **options)
    page, _ = exporter.from_filename(os.fspath(notebook))
    body, end, rest = page.rpartition("</body>")
    pathlib.Path(html).write_text(f'{body}<script type="module">{_script()}</script>\n{end}{rest}', encoding="utf-8")


def _json(value: Any) -> str:
    # No "<" is left, so nothing in it can end the script or begin another.
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")


def _script() -> str:
    return (_STATIC / "offline.js").read_text(encoding="utf-8").replace("</script", "<\\/script")
