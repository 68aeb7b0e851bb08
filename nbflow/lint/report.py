"""Where a rule looks, and what it reports there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from nbflow.errors import Finding, Severity
from nbflow.lint.rules import FIXES
from nbflow.spec.yaml import Document, Path


@dataclass(slots=True, eq=False)
class Where:
    """A place in a document.

    chain: how the check came here, in Argo's words ("templates.main.steps[0].hello "); it begins each message.
    document: None for an object that is stored and has no text; what it does wrong is shown at its caller.
    Never changed; a frozen class would cost lint a twentieth of its time.
    """

    document: Document | None
    path: Path = ()
    chain: str = ""
    caller: Where | None = None

    def at(self, *steps: str | int) -> Where:
        """A place below this one."""
        return Where(self.document, self.path + steps, self.chain, self.caller)

    def after(self, said: str) -> Where:
        """The same place, reached by one step more."""
        return Where(self.document, self.path, f"{self.chain}{said} ", self.caller)


@dataclass
class Report:
    """The findings so far, each once: a template that is called twice is at fault once."""

    findings: list[Finding] = field(default_factory=list)
    _told: set[tuple[object, ...]] = field(default_factory=set)
    _severity: Severity = Severity.ERROR

    def error(
        self, rule: str, where: Where, problem: str, fix: str = "", *, key: bool = False, needle: str = ""
    ) -> None:
        """What Argo refuses."""
        self._add(rule, where, problem, fix, self._severity, key=key, needle=needle)

    def warning(
        self, rule: str, where: Where, problem: str, fix: str = "", *, key: bool = False, needle: str = ""
    ) -> None:
        """What Argo lets pass and we advise against."""
        self._add(rule, where, problem, fix, Severity.WARNING, key=key, needle=needle)

    @contextmanager
    def as_warnings(self) -> Iterator[None]:
        """Within, errors are warnings: Argo does not look there."""
        before, self._severity = self._severity, Severity.WARNING
        try:
            yield
        finally:
            self._severity = before

    def _add(
        self, rule: str, where: Where, problem: str, fix: str, severity: Severity, *, key: bool, needle: str
    ) -> None:
        place = where
        while place.document is None and place.caller is not None:
            place = place.caller
        mark = (rule, id(where.document), where.path, needle, problem)
        if mark in self._told:
            return
        self._told.add(mark)
        problem, fix = where.chain + problem, fix or FIXES.get(rule, "")
        if place.document is None:
            self.findings.append(Finding(rule, problem, severity, fix=fix))
            return
        needle = needle if place is where else ""
        self.findings.append(
            place.document.finding(
                rule, place.path, problem, fix=fix, severity=severity, key=key, needle=needle
            )
        )
