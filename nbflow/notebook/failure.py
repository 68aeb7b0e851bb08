"""What a notebook says when something is not as it should be: short, in colour, never a traceback."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from nbflow.commands.advice import trouble_of
from nbflow.errors import Finding, ManifestError, NbflowError, Severity
from nbflow.notebook.rich import Rich, block
from nbflow.spec.status import NodeStatus, NodeType, WorkflowObject
from nbflow.views.phases import SIGNS
from nbflow.views.text import DEFAULT, Style, clean, clean_log

BOLD, FAINT = 1, 2
"""The only marks: Jupyter shows errors on red, where no colour is readable in both its light and its dark theme."""
_WORD = re.compile(r"""\{\{.*?\}\}|[^\s,:\[\]{}"']+""")
_MEANT = re.compile(r"did you mean `([^`]+)`\?")
_LONGEST_LINE = 200
_COLOR = Style(color=True)
_PLAIN = Style()
_GROUPS = (NodeType.STEPS, NodeType.STEP_GROUP, NodeType.DAG, NodeType.TASK_GROUP, NodeType.RETRY)
_SHOWN = 3
"""So many failed nodes are told in full; the others are in the table of nodes."""


class DetachedError(NbflowError):
    """The waiting was interrupted; the workflow goes on."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"stopped waiting; workflow {name} goes on",
            fix=f"%workflow stop {name} ends it, %workflow watch {name} shows it again",
        )


class StillRunningError(NbflowError, TimeoutError):
    """The time to wait is over; the workflow goes on."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(
            f"workflow {name} is not finished after {seconds:g} s", fix="wait() again, or longer"
        )


class VerbFailedError(NbflowError):
    """A verb said itself what is wrong; this only stops the notebook."""

    def __init__(self, line: str, code: int) -> None:
        super().__init__(f"`%workflow {line.strip()}` ended with exit code {code}")


class WorkflowFailedError(NbflowError):
    """A workflow, or the node whose results were wanted, did not succeed.

    nodes: the pods and others at fault. tails: the last lines that each of them logged, by node id.
    """

    def __init__(
        self, workflow: WorkflowObject, nodes: Sequence[NodeStatus], tails: dict[str, list[str]]
    ) -> None:
        status = workflow.status
        what, phase = f"workflow {workflow.name}", status.phase
        if nodes and phase and not phase.bad:  # it went on nevertheless
            what, phase = f"node {clean(nodes[0].display_name)} of {what}", nodes[0].phase
        super().__init__(f"{what} ended in phase {phase or 'unfinished'}", fix="")
        self.message = status.message
        self.nodes, self.tails = tuple(nodes), tails

    def __str__(self) -> str:
        return "\n".join(self._lines(_PLAIN))

    def _render_traceback_(self) -> list[str]:
        return self._lines(_COLOR)

    def _lines(self, style: Style) -> list[str]:
        lines = [style.paint(self.problem, BOLD) + (f": {clean(self.message)}" if self.message else "")]
        for node in self.nodes[:_SHOWN]:
            lines += self._told(node, style)
        hidden = len(self.nodes) - _SHOWN
        return lines + ([f"  and {hidden} more nodes"] if hidden > 0 else [])

    def _told(self, node: NodeStatus, style: Style) -> list[str]:
        mark = style.paint(SIGNS[node.phase], BOLD)
        why = f": {clean(node.message)}" if node.message else ""
        tail = [f"  {style.paint('|', FAINT)} {clean_log(line)}" for line in self.tails.get(node.id, ())]
        found = trouble_of(node)
        fix = [f"  {clean(found.problem)}: {clean(found.fix)}"] if found else []
        return [f"{mark} {style.paint(clean(node.display_name), BOLD)}{why}", *fix, *tail]


class RefusedError(ManifestError):
    """A manifest that did not pass, shown over the lines of its cell."""

    def __init__(self, findings: Iterable[Finding], cell: str = "") -> None:
        super().__init__(tuple(findings))
        self._cell = cell

    def _render_traceback_(self) -> list[str]:
        errors = sum(f.severity is Severity.ERROR for f in self.findings)
        count = f"{errors} error{'s' if errors != 1 else ''}"
        head = _COLOR.paint(f"The manifest was refused: {count}, nothing was created", BOLD)
        return [head, *mark_lines(self.findings, self._cell, _COLOR)]


def marks(findings: Sequence[Finding], cell: str = "") -> Rich:
    """What lint advises against in a manifest that runs nevertheless, to be shown under its cell."""
    text = "\n".join(mark_lines(findings, cell, _PLAIN)).lstrip("\n")
    count = f"{len(findings)} warning{'s' if len(findings) != 1 else ''}"
    html = f"<details open><summary>{count}</summary>{block(text)}</details>"
    return Rich(f"{count}\n{text}", html=html)


def mark_lines(findings: Sequence[Finding], cell: str, style: Style) -> list[str]:
    """Each finding with its lines, a marker under the fault, and how to mend it."""
    marker = _Marker(cell.splitlines(), style)
    return [line for finding in findings for line in marker.told(finding)]


class _Marker:
    """Puts findings over the lines of their text."""

    def __init__(self, lines: Sequence[str], style: Style) -> None:
        self._lines, self._style = lines, style

    def told(self, finding: Finding) -> list[str]:
        paint = self._style.paint
        place = f"{finding.position}: " if finding.position else ""
        lines = ["", f"{place}{paint(finding.severity.value, BOLD)}: {clean(finding.problem)}"]
        lines += self._excerpt(finding)
        if finding.fix:
            lines.append(f"  {paint('fix:', BOLD)} {clean(finding.fix)}")
        if mended := self._mended(finding):
            lines.append(f"  {paint('write:', BOLD)} {clean(mended)}")
        return lines

    def _mended(self, finding: Finding) -> str:
        """The line as it was meant, to be copied; "" where that is not known."""
        meant = _MEANT.search(finding.fix)
        if finding.position is None or meant is None:
            return ""
        line = finding.source_line or self._line(finding.position.line)
        start = finding.position.column - 1
        word = _WORD.match(line[start:])
        if word is None or len(line) > _LONGEST_LINE:
            return ""
        wrong, right = word.group(), meant.group(1)
        if wrong.startswith("{{"):
            inner = wrong.strip("{} ")
            right = wrong.replace(inner, right)
        return (line[:start] + right + line[start + len(wrong) :]).strip()

    def _excerpt(self, finding: Finding) -> list[str]:
        """The line at fault between its neighbours, and a caret under the fault."""
        if finding.position is None:
            return []
        at, column = finding.position.line, finding.position.column
        text = {number: self._line(number) for number in (at - 1, at, at + 1)}
        text[at] = finding.source_line or text[at]
        shown = [self._numbered(n, text[n], mark=n == at) for n in (at - 1, at)]
        word = _WORD.match(text[at][column - 1 :])
        carets = self._style.paint("^" * len(word.group() if word else "^"), BOLD)
        caret = self._style.paint(" " * 5 + "│ ", FAINT) + " " * (column - 1) + carets
        return [line for line in (*shown, caret, self._numbered(at + 1, text[at + 1], mark=False)) if line]

    def _line(self, number: int) -> str:
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def _numbered(self, number: int, text: str, *, mark: bool) -> str:
        if not text.strip() and not mark:
            return ""
        gutter = self._style.paint(f"{number:>4} │ ", BOLD if mark else FAINT, DEFAULT)
        return gutter + (clean(text) if mark else self._style.paint(clean(text), FAINT))


def culprits(workflow: WorkflowObject) -> list[NodeStatus]:
    """The nodes where a failure began: not the groups that only pass it on, and not attempts that were retried."""
    bad = [node for node in workflow.status.nodes.values() if node.phase and node.phase.bad]
    leaves = [node for node in bad if node.type not in _GROUPS]
    return leaves or bad[:1]
