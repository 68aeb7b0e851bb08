"""What went wrong, said so that the reader can mend it.

One root error for callers to catch. A class of its own exists only where a caller catches it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class NbflowError(Exception):
    """Says what is wrong, where, and what to do, in this order.

    problem: one sentence without a final stop, in Argo's words.
    where: something to look up, "hello.yaml:14:9" or "step greet(2)"; "" if nowhere.
    fix: what the reader can do now, "start Docker, or use --on sandbox"; "" if nothing.

    Programs read the attributes, people the text; nothing ever parses the text.
    """

    def __init__(self, problem: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(problem)
        self.problem, self.where, self.fix = problem, where, fix

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"\n  fix: {self.fix}" if self.fix else ""
        return f"{place}{self.problem}{advice}"

    def _render_traceback_(self) -> list[str]:
        """IPython's own hook: a notebook shows the message, not our frames."""
        return [f"{type(self).__name__}: {self}"]


class Severity(StrEnum):
    """Errors are Argo's verdict and decide exit codes; warnings are ours and never do."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a manifest. line and column count from 1, column in characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that lint found.

    rule: a stable code, "NBF101". position: where, None if the manifest has no such place.
    source_line: the text of that line, for the caret; "" if there is none.
    """

    rule: str
    problem: str
    severity: Severity = Severity.ERROR
    position: Position | None = None
    source_line: str = ""
    fix: str = ""

    def render(self) -> str:
        """The finding as text: place and problem, the line with a caret, the fix."""
        place = f"{self.position}: " if self.position else ""
        lines = [f"{place}{self.severity}: {self.problem} [{self.rule}]"]
        if self.position and self.source_line:
            gutter = f"{self.position.line:>5} | "
            text, column = _window(self.source_line, self.position.column)
            lines.append(gutter + text)
            lines.append(" " * (len(gutter) - 2) + "| " + " " * (column - 1) + "^")
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(lines)


def _window(line: str, column: int) -> tuple[str, int]:
    """The part of a long line (JSON in one) that is worth showing, and the column in it."""
    if len(line) <= 200:
        return line, column
    start = max(0, column - 80)
    return line[start : start + 160], column - start


class ManifestError(NbflowError):
    """A manifest was refused. `findings` holds everything that is wrong with it, in reading order."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        count = sum(f.severity is Severity.ERROR for f in self.findings)
        super().__init__(f"the manifest was refused: {count} error{'s' if count != 1 else ''}")

    def __str__(self) -> str:
        return "\n".join(f.render() for f in self.findings)


class NotFoundError(NbflowError):
    """No object of that kind and name."""


class ConflictError(NbflowError):
    """It exists already, or its state does not allow what was asked."""
