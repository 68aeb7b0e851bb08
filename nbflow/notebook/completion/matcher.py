"""IPython's side of completion: find out what is being completed, and answer within a blink."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from nbflow.notebook.completion.candidates import Candidate, Completion, complete
from nbflow.notebook.completion.line import complete_cell_line, complete_magic

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

_CELL = re.compile(r"\s*%%workflow(?![\w])[ \t]?")
_LINE = re.compile(r"(?:^|=\s*)\s*%workflow[ \t]+([^\n]*)$")
_MOST_NAMES = 30
_ABOUT = 80


def matches(shell: InteractiveShell, text: str, line: int, column: int) -> Completion | None:
    """What fits in that line and column of a cell; None if it is no cell of ours."""
    lines = text.split("\n")
    before = lines[line][:column] if line < len(lines) else ""
    if (found := _LINE.search(before)) is not None:
        return complete_magic(found.group(1), shell.user_ns, _stored)
    cell = _CELL.match(text)
    if cell is None:
        return None
    first = text[: cell.end()].count("\n")
    if line < first:
        return None
    body = "\n".join(lines[first + 1 :])
    if line == first:
        return complete_cell_line(before.partition("%%workflow")[2].lstrip(), body, shell.user_ns)
    cursor = sum(len(one) + 1 for one in lines[first + 1 : line]) + column
    return complete(body, cursor, _stored)


def result(found: Completion) -> SimpleMatcherResult:
    """The answer in IPython's words. The line on each candidate goes where a front end shows the type."""
    from IPython.core.completer import SimpleCompletion

    fitting = [SimpleCompletion(one.text, type=_about(one)) for one in found.candidates]
    return {
        # What is written already, if nothing fits: without any answer of ours IPython offers names of Python.
        "completions": fitting or [SimpleCompletion(found.fragment, type="")],
        "matched_fragment": found.fragment,
        "suppress": True,
    }


def answer(shell: InteractiveShell, context: CompletionContext) -> SimpleMatcherResult:
    """What IPython asks of a matcher; nothing, and no suppression, outside of our cells."""
    found = matches(shell, context.full_text, context.cursor_line, context.cursor_position)
    return {"completions": []} if found is None else result(found)


def _about(one: Candidate) -> str:
    """JupyterLab shows what fits on one line, and breaks lines at blanks: there are none."""
    about = one.about or "value"
    return (about if len(about) <= _ABOUT else about[: _ABOUT - 1] + "…").replace(" ", "\u00a0")


def _stored(kind: str) -> Sequence[str]:
    """Names of stored objects of a home on this machine; a cluster is not asked while somebody types."""
    from nbflow.clients.client import Selection
    from nbflow.commands.connecting import connect
    from nbflow.errors import NbflowError

    names: Iterable[str] = ()
    with suppress(NbflowError, OSError):
        client = connect()
        if client.target == "argo":
            return ()
        if kind == "Workflow":
            names = (workflow.name for workflow in client.list(Selection(limit=_MOST_NAMES)))
        else:
            names = (_name(one) for one in client.objects(kind))
    return [name for name in names if name]


def _name(stored: object) -> str:
    metadata = stored.get("metadata") if isinstance(stored, dict) else None
    return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""
