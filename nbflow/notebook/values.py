"""What a node gives back: its outputs and its log, as values that also look well in a cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from nbflow.errors import NbflowError
from nbflow.notebook.artifacts import Artifacts
from nbflow.notebook.near import near
from nbflow.notebook.rich import escape
from nbflow.spec.status import InputsOutputs, parameter_values
from nbflow.views.text import clean_log

_LINES = 1_000
_LONGEST = 200
"""So many characters of a value are shown in a table; the value itself is whole."""


class Outputs(Mapping[str, str]):
    """Output parameters by name; `result`, `exit_code` and `artifacts` beside them.

    Values are strings, as in Argo.
    """

    def __init__(self, outputs: InputsOutputs | None, owner: str, artifacts: Artifacts | None = None) -> None:
        self._outputs, self._owner = outputs or {}, owner
        self.parameters: Mapping[str, str] = parameter_values(outputs)
        self.artifacts = artifacts or Artifacts({}, owner)

    @property
    def result(self) -> str | None:
        """What a script or container wrote to stdout, where something refers to it; else None."""
        found = self._outputs.get("result")
        return None if found is None else str(found)

    @property
    def exit_code(self) -> int | None:
        """The exit code of the main container; None if it is not known."""
        found = self._outputs.get("exitCode")
        return None if found is None else int(str(found))

    def __getitem__(self, name: str) -> str:
        if name in self.parameters:
            return self.parameters[name]
        if name == "result" and self.result is not None:
            return self.result
        if name in self.artifacts:
            raise NoSuchOutputError(
                f"{self._owner} has no output parameter {name!r}, it is an artifact",
                fix=f".artifacts[{name!r}]",
            )
        raise NoSuchOutputError(
            f"{self._owner} has no output parameter {name!r}", fix=near(name, self.parameters)
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.parameters)

    def __repr__(self) -> str:
        return repr(dict(self._rows()))

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{_cell(name)}</th><td>{_cell(value)}</td></tr>" for name, value in self._rows()
        )
        return f"<table>{rows}</table>" if rows else f"<em>{escape(self._owner)} has no outputs</em>"

    def _rows(self) -> Iterator[tuple[str, str]]:
        yield from self.parameters.items()
        if self.result is not None:
            yield "result", self.result
        yield from ((name, "(artifact)") for name in self.artifacts)


class NoSuchOutputError(NbflowError, KeyError):
    """There is no output of that name."""


class _Printer(Protocol):
    stack: Sequence[object]

    def text(self, text: str) -> None: ...


class Logs(str):
    """The text of a log. A cell shows its lines, not the quoted string."""

    __slots__ = ()

    @property
    def lines(self) -> list[str]:
        """Line by line, without line ends."""
        return self.split("\n") if self else []

    def _repr_pretty_(self, printer: _Printer, _cycle: bool) -> None:
        """IPython's hook for plain text: of the others none goes before what it does with strings."""
        if len(printer.stack) > 1:  # inside something else
            printer.text(repr(self))
            return
        shown = [clean_log(line) for line in self.lines[-_LINES:]]
        hidden = len(self.lines) - len(shown)
        printer.text("\n".join([f"… {hidden} lines before; print() shows all"] * (hidden > 0) + shown))


def _cell(text: str) -> str:
    return escape(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")
