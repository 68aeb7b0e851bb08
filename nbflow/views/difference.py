"""What differs between two runs: parameters, templates, phases, durations, outputs."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from json import dumps

from nbflow.spec.status import NodeStatus, NodeType, WorkflowObject, artifacts_by_name, parameter_values
from nbflow.views import durations
from nbflow.views.text import clean, columns, shorten

_LONGEST = 60
_ROOT = "(workflow)"
_NOTABLE = 1.0
"""Seconds by which durations may differ without a word: Argo keeps whole seconds."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs. what: "parameter", "template", "phase", "duration", "output" or "node".

    before, after: None where there is none. For a template they are its YAML.
    """

    what: str
    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs from `before` to `after`, names of workflows; parameters first, outputs last."""

    before: str
    after: str
    changes: tuple[Change, ...] = ()

    def of(self, what: str) -> tuple[Change, ...]:
        """The changes of one kind."""
        return tuple(change for change in self.changes if change.what == what)


def difference(before: WorkflowObject, after: WorkflowObject) -> Difference:
    """What changed from one run to another. Nodes are matched by their names below the workflow's."""
    changes = [
        *_compared("parameter", _arguments(before), _arguments(after)),
        *_compared("template", _templates(before), _templates(after)),
        *_phases(before, after),
        *_nodes(before, after),
    ]
    return Difference(before.name, after.name, tuple(changes))


def difference_text(found: Difference) -> str:
    """The changes as a table; templates as the lines that differ."""
    if not found.changes:
        return f"{clean(found.before)} and {clean(found.after)} are alike\n"
    rows = [["WHAT", "NAME", clean(found.before), clean(found.after)]]
    rows += [
        [change.what, clean(change.name), shown(change.before), shown(change.after)]
        for change in found.changes
        if change.what != "template"
    ]
    parts = ["\n".join(columns(rows, 2)) + "\n"] if len(rows) > 1 else []
    parts += [
        f"template {clean(change.name)}\n" + "".join(f"  {line}\n" for line in template_lines(change))
        for change in found.of("template")
    ]
    return "\n".join(parts)


def shown(value: str | None) -> str:
    """One side of a change for a table: "-" where there is none."""
    return "-" if value is None else shorten(clean(value), _LONGEST)


def template_lines(change: Change) -> list[str]:
    """The lines of a template that differ, as `diff -u` marks them."""
    before, after = (change.before or "").splitlines(), (change.after or "").splitlines()
    compared = difflib.unified_diff(before, after, lineterm="", n=2)
    return [clean(line) for line in compared if not line.startswith(("---", "+++", "@@"))]


def _compared(what: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield Change(what, name, old, new)


def _phases(before: WorkflowObject, after: WorkflowObject) -> Iterator[Change]:
    old, new = (str(w.status.phase or "Pending") for w in (before, after))
    if old != new:
        yield Change("phase", _ROOT, old, new)
    lengths = [_length(w.status.started_at, w.status.finished_at) for w in (before, after)]
    yield from _duration(_ROOT, lengths)


def _nodes(before: WorkflowObject, after: WorkflowObject) -> Iterator[Change]:
    """Phases and durations of all nodes, then their outputs."""
    old, new = _by_name(before), _by_name(after)
    names = list(dict.fromkeys((*old, *new)))
    for name in names:
        pair = old.get(name), new.get(name)
        if name == _ROOT:
            continue
        if pair[0] is None or pair[1] is None:
            yield Change("node", name, *(None if n is None else str(n.phase or "Pending") for n in pair))
        else:
            yield from _node(name, pair[0], pair[1])
    for name in names:
        values = [_outputs(n) for n in (old.get(name), new.get(name))]
        yield from (
            Change("output", f"{name}.{change.name}".removeprefix(f"{_ROOT}."), change.before, change.after)
            for change in _compared("output", *values)
        )


def _node(name: str, old: NodeStatus, new: NodeStatus) -> Iterator[Change]:
    phases = [str(node.phase or "Pending") for node in (old, new)]
    if phases[0] != phases[1]:
        yield Change("phase", name, *phases)
    yield from _duration(name, [_length(node.started_at, node.finished_at) for node in (old, new)])


def _duration(name: str, lengths: Sequence[timedelta | None]) -> Iterator[Change]:
    old, new = lengths
    if old is None or new is None or abs((new - old).total_seconds()) <= _NOTABLE:
        return
    yield Change(
        "duration", name, durations.go(int(old.total_seconds())), durations.go(int(new.total_seconds()))
    )


def _length(started: datetime | None, finished: datetime | None) -> timedelta | None:
    return None if started is None or finished is None else finished - started


def _by_name(workflow: WorkflowObject) -> dict[str, NodeStatus]:
    """Name below the workflow's -> node."""
    nodes = [n for n in workflow.status.nodes.values() if n.type is not NodeType.STEP_GROUP]
    return {node.name.removeprefix(workflow.name).lstrip(".") or _ROOT: node for node in nodes}


def _outputs(node: NodeStatus | None) -> dict[str, str]:
    if node is None or node.outputs is None:
        return {}
    found = dict(parameter_values(node.outputs))
    found |= {
        key: str(node.outputs[key]) for key in ("result", "exitCode") if node.outputs.get(key) is not None
    }
    return found | dict.fromkeys(artifacts_by_name(node.outputs), "(artifact)")


def _arguments(workflow: WorkflowObject) -> dict[str, str]:
    arguments = workflow.spec.get("arguments")
    return parameter_values(arguments if isinstance(arguments, Mapping) else None)


def _templates(workflow: WorkflowObject) -> dict[str, str]:
    """Name -> a text of one field a line."""
    found = workflow.spec.get("templates")
    named = [t for t in found if isinstance(t, Mapping)] if isinstance(found, list | tuple) else []
    return {
        str(t.get("name", "")): dumps(t, indent=2, sort_keys=True, ensure_ascii=False, default=str)
        for t in named
    }
