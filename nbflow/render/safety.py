"""No SVG leaves this package that could run a script or fetch a file.

Graphviz escapes labels, yet passes other attributes of the DOT through (`dot` 2.43 does not even quote a
font's name). Whoever shows an SVG inside a page shows it with the rights of that page, hence this second
look.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from nbflow.errors import NbflowError

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

_ELEMENTS = frozenset(
    f"{{{SVG}}}{name}"
    for name in (
        "svg", "g", "a", "title", "defs", "linearGradient", "radialGradient", "stop",
        "path", "polygon", "polyline", "ellipse", "circle", "rect", "line", "text", "tspan",
    )
)  # fmt: skip
_LINKS = ("href", f"{{{XLINK}}}href")
_HARMLESS_LINK = re.compile(r"(#|https?://)", re.IGNORECASE)
_FETCH = re.compile(r"url\(\s*(?!#)", re.IGNORECASE)


def safe_svg(drawn: str) -> str:
    """`drawn` from `<svg` on, as it is if it holds nothing but shapes and text, else without what is more.

    Raises NbflowError if it is not SVG.
    """
    start = drawn.find("<svg")
    text = drawn[max(start, 0) :].rstrip()
    try:
        root = ET.fromstring(text)  # noqa: S314  # without its prolog it can declare no entity
    except ET.ParseError as error:
        raise NbflowError(f"the drawing is not well-formed SVG: {error}") from error
    return _serialised(root) if _clean(root) else text


def _clean(root: ET.Element) -> bool:
    """Take out of the tree what may not stay. True if there was anything."""
    changed = False
    for element in root.iter():
        foreign = [child for child in element if child.tag not in _ELEMENTS]
        for child in foreign:
            element.remove(child)
        unsafe = [name for name, value in element.attrib.items() if not _harmless(name, value)]
        for name in unsafe:
            del element.attrib[name]
        changed = changed or bool(foreign or unsafe)
    return changed


def _harmless(name: str, value: str) -> bool:
    if name in _LINKS:
        return _HARMLESS_LINK.match(value) is not None
    return not name.lower().startswith("on") and ("(" not in value or _FETCH.search(value) is None)


def _serialised(root: ET.Element) -> str:
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    return ET.tostring(root, encoding="unicode")
