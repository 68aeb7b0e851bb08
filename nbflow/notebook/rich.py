"""Something to look at, in as many forms as there are front ends: each one picks the best it can show."""

from __future__ import annotations

import base64
import html

from nbflow.views.text import clean


class Rich:
    """Text, and beside it SVG or HTML. `str()` is the text.

    svg is made of our own drawings only: some front ends put it into the page as it is.
    """

    def __init__(self, text: str, *, svg: str = "", html: str = "") -> None:
        self.text, self.svg, self.html = text, svg, html

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text.rstrip("\n")

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        forms = {"text/plain": repr(self), "image/svg+xml": self.svg, "text/html": self.html}
        return {kind: text for kind, text in forms.items() if text}


def image(data: bytes, kind: str, alt: str) -> str:
    """An image as HTML that needs no other file; on white, since drawings count on it."""
    encoded = base64.b64encode(data).decode()
    style = (
        "max-width:100%;max-height:40em;background:#fff;border:1px solid #8884;border-radius:6px;padding:6px"
    )
    return f'<img style="{style}" alt="{escape(alt)}" src="data:{kind};base64,{encoded}">'


def block(text: str) -> str:
    """Lines as HTML."""
    style = "margin:.25em 0;max-height:30em;overflow:auto;white-space:pre-wrap;font-family:monospace"
    return f'<pre style="{style}">{escape(text, keep_lines=True)}</pre>'


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table as HTML, all cells escaped."""
    left = ' style="text-align:left"'
    top = "".join(f"<th{left}>{escape(name)}</th>" for name in head)
    body = "".join(
        "<tr>" + "".join(f"<td{left}>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def escape(text: str, *, keep_lines: bool = False) -> str:
    """Text for HTML: no markup, no control characters."""
    cleaned = "\n".join(clean(line) for line in text.split("\n")) if keep_lines else clean(text)
    return html.escape(cleaned, quote=True)
