"""The JavaScript and CSS of the live view, put together for the page.

The files here are ES modules that import each other; view.js is where anywidget begins. A page gets a widget
as one module, so `module` joins them: each file once, after those that it imports, without its `import` lines
and the word `export`. There is no build step, and all names of the files share one scope.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
_ENTRY = "view"
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default\b)", re.MULTILINE)
_STYLES = ("view", "header", "graph", "nodes", "log", "detail", "runs")


@cache
def module() -> str:
    """All JavaScript as one ES module."""
    parts: dict[str, str] = {}
    _add(_ENTRY, parts)
    return "\n".join(parts.values())


@cache
def style() -> str:
    """All CSS."""
    return "\n".join((_HERE / f"{name}.css").read_text(encoding="utf-8") for name in _STYLES)


def _add(name: str, parts: dict[str, str]) -> None:
    """Put a file after those that it imports. parts: file name -> text, in the order of the module."""
    text = (_HERE / f"{name}.js").read_text(encoding="utf-8")
    for imported in _IMPORT.findall(text):
        if imported not in parts:
            _add(imported, parts)
    parts[name] = _EXPORT.sub("", _IMPORT.sub("", text))
