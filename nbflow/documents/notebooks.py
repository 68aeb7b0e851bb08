"""Notebooks from manifests, and manifests from notebooks."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from nbflow.errors import NbflowError
from nbflow.spec.yaml import load_documents

if TYPE_CHECKING:
    from nbformat import NotebookNode

_MAGIC = re.compile(r"\s*%%workflow(?:[ \t]+([A-Za-z_]\w*))?[^\n]*\n")
_NAME = re.compile(r"[^0-9A-Za-z_]+")


class Part(NamedTuple):
    """A manifest and what it is called."""

    name: str
    text: str


def notebook_of(parts: Sequence[Part]) -> NotebookNode:
    """A notebook with a `%%workflow` cell for each manifest that has a Workflow; its first comment becomes prose.

    Manifests without one are written to a file by a cell, and created from there.
    """
    from nbformat import v4

    title = parts[0].name if len(parts) == 1 else "Workflows"
    cells = [v4.new_markdown_cell(f"# {title}"), v4.new_code_cell("%load_ext nbflow")]
    used: set[str] = set()
    for part in parts:
        cells += _cells(part, used)
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    made: NotebookNode = v4.new_notebook(cells=cells, metadata=metadata)
    return made


def manifests_of(notebook: NotebookNode) -> list[Part]:
    """The manifests of a notebook's `%%workflow` cells, by the names of their variables.

    Raises NbflowError if there are none.
    """
    found = []
    for number, cell in enumerate(notebook.cells, start=1):
        begin = _MAGIC.match(cell.source) if cell.cell_type == "code" else None
        if begin:
            name = begin.group(1) or f"cell-{number}"
            found.append(Part(name, cell.source[begin.end() :].rstrip("\n") + "\n"))
    if not found:
        raise NbflowError("the notebook has no `%%workflow` cell", fix="name a notebook that runs workflows")
    return found


def manifest_text(parts: Sequence[Part]) -> str:
    """All manifests as one text, each with the name of its cell above it."""
    return "---\n".join(f"# {part.name}\n{part.text}" for part in parts)


def read_notebook(data: bytes, source: str) -> NotebookNode:
    """A notebook of any version. Raises NbflowError if it is none."""
    import nbformat

    try:
        found: NotebookNode = nbformat.reads(data.decode(), as_version=4)
    except Exception as error:  # nbformat raises what its JSON and its schemas raise
        raise NbflowError(f"this is no notebook: {str(error).splitlines()[0]}", where=source) from error
    return found


def write_notebook(notebook: NotebookNode) -> str:
    """A notebook as text."""
    import nbformat

    return str(nbformat.writes(notebook)) + "\n"


def _cells(part: Part, used: set[str]) -> list[NotebookNode]:
    from nbformat import v4

    prose, body = _prose(part.text)
    cells = [v4.new_markdown_cell(prose)] if prose else []
    documents = load_documents(body, part.name)
    if any(document.kind == "Workflow" or not document.kind for document in documents):
        name = _variable(part.name, used)
        return [
            *cells,
            v4.new_code_cell(f"%%workflow {name}\n{body.strip()}"),
            v4.new_code_cell(f"{name}.tree()"),
        ]
    file = f"{PurePath(part.name).stem}.yaml"
    return [
        *cells,
        v4.new_code_cell(f"%%writefile {file}\n{body.strip()}"),
        v4.new_code_cell(f"%workflow create -f {file}"),
    ]


def _prose(text: str) -> tuple[str, str]:
    """The comment that a manifest begins with as text, and the rest."""
    lines = text.lstrip("\n").split("\n")
    count = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    prose = "\n".join(line.lstrip("#").strip() for line in lines[:count]).strip()
    return prose, "\n".join(lines[count:])


def _variable(name: str, used: set[str]) -> str:
    """A Python variable for a manifest, a new one each time."""
    base = _NAME.sub("_", PurePath(name).stem).strip("_").lower() or "run"
    base = f"run_{base}" if base[0].isdigit() or keyword.iskeyword(base) else base
    found, number = base, 2
    while found in used:
        found, number = f"{base}_{number}", number + 1
    used.add(found)
    return found
