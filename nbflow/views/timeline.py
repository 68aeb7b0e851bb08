"""When each node ran: bars on one axis of time, as data, as text and as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape
from typing import NamedTuple

from nbflow.spec.status import NodeStatus, NodeType, Phase, WorkflowObject
from nbflow.views import durations
from nbflow.views.phases import SIGNS
from nbflow.views.text import clean, columns, shorten

MOST = 200
"""So many bars are drawn at most; the data holds all."""
_CELLS = 48
_LABEL, _WIDTH, _ROW, _TOP, _MARGIN = 220, 900, 22, 28, 12
_NAME, _NAME_DRAWN = 32, 26
_COLORS = {
    Phase.RUNNING: "#0072b2",
    Phase.SUCCEEDED: "#007a59",
    Phase.FAILED: "#c04a00",
    Phase.ERROR: "#a3286b",
}
_OTHER = "#8c959f"
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400)


class Bar(NamedTuple):
    """One node that has started. end: when it finished, or the moment that was asked about."""

    node: NodeStatus
    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it took, or takes so far."""
        return self.end - self.start


def bars(workflow: WorkflowObject, now: datetime | None = None) -> list[Bar]:
    """What ran itself (steps, DAGs, loops and retries only hold others), in order of start.

    now: the end of what still runs; None takes the latest time that the workflow knows.
    """
    nodes = [n for n in workflow.status.nodes.values() if n.type not in _RUN_NOTHING and n.started_at]
    if not nodes:
        return []
    moment = now or _latest(workflow)
    found = [Bar(n, n.started_at, max(n.finished_at or moment, n.started_at)) for n in nodes if n.started_at]
    return sorted(found, key=lambda bar: (bar.start, bar.end, bar.node.name))


_RUN_NOTHING = (
    NodeType.STEPS,
    NodeType.STEP_GROUP,
    NodeType.DAG,
    NodeType.TASK_GROUP,
    NodeType.RETRY,
    NodeType.SKIPPED,
)


def timeline(workflow: WorkflowObject, now: datetime | None = None) -> str:
    """The bars as text, one line a node."""
    found = bars(workflow, now)
    if not found:
        return f"nothing of workflow {clean(workflow.name)} has started yet\n"
    first, span = _span(found)
    rows = [["NODE", "START", "DURATION", ""]]
    rows += [
        [
            f"{SIGNS[bar.node.phase]} {shorten(clean(bar.node.display_name), _NAME)}",
            f"+{durations.short(bar.start - first)}",
            durations.short(bar.length),
            _drawn(bar, first, span),
        ]
        for bar in found[:MOST]
    ]
    return "\n".join(columns(rows, 2)) + "\n" + _more(found)


def timeline_svg(workflow: WorkflowObject, now: datetime | None = None) -> str:
    """The bars as SVG, readable on white; "" if nothing has started."""
    found = bars(workflow, now)
    if not found:
        return ""
    first, span = _span(found)
    shown = found[:MOST]
    height = _TOP + _ROW * len(shown) + _MARGIN
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12" fill="#1f2328">'
    )
    parts = [
        opening,
        f"<title>Timeline of workflow {_text(workflow.name)}</title>",
        *_axis(span, height),
        *(_row(index, bar, first, span) for index, bar in enumerate(shown)),
        "</svg>",
    ]
    return "".join(parts)


def _row(index: int, bar: Bar, first: datetime, span: float) -> str:
    y = _TOP + index * _ROW
    x = _x((bar.start - first).total_seconds(), span)
    wide = max(_x((bar.end - first).total_seconds(), span) - x, 3)
    color = _COLORS.get(bar.node.phase or Phase.PENDING, _OTHER)
    name, took = bar.node.display_name, durations.short(bar.length)
    told = _text(f"{name}: {bar.node.phase or 'Pending'}, {took}")
    inside = x + wide + 40 > _WIDTH
    at, anchor, ink = (x + wide - 5, "end", "#ffffff") if inside else (x + wide + 5, "start", "#57606a")
    label = (
        ""
        if inside and wide < 40
        else f'<text x="{at:.1f}" y="{y + 15}" text-anchor="{anchor}" fill="{ink}">'
    )
    return (
        f"<g><title>{told}</title>"
        f'<text x="{_LABEL - 8}" y="{y + 15}" text-anchor="end">{_text(shorten(clean(name), _NAME_DRAWN))} '
        f'<tspan fill="{color}">{SIGNS[bar.node.phase]}</tspan></text>'
        f'<rect x="{x:.1f}" y="{y + 4}" width="{wide:.1f}" height="{_ROW - 7}" rx="3" fill="{color}"/>'
        f"{label and label + took + '</text>'}</g>"
    )


def _axis(span: float, height: int) -> Sequence[str]:
    step = next((s for s in _STEPS if span / s <= 8), _STEPS[-1] * (1 + int(span) // (8 * _STEPS[-1])))
    lines = []
    for seconds in range(0, int(span) + 1, step):
        x = _x(seconds, span)
        lines.append(
            f'<line x1="{x:.1f}" y1="{_TOP - 6}" x2="{x:.1f}" y2="{height - _MARGIN}" stroke="#d0d7de"/>'
            f'<text x="{x:.1f}" y="{_TOP - 11}" text-anchor="middle" fill="#57606a">{durations.go(seconds)}</text>'
        )
    return lines


def _x(seconds: float, span: float) -> float:
    return _LABEL + (_WIDTH - _LABEL - 20) * seconds / span


def _span(found: Sequence[Bar]) -> tuple[datetime, float]:
    """Where the axis begins, and how many seconds it is long."""
    first = found[0].start
    return first, max((max(bar.end for bar in found) - first).total_seconds(), 1.0)


def _drawn(bar: Bar, first: datetime, span: float) -> str:
    before = round((bar.start - first).total_seconds() / span * (_CELLS - 1))
    length = max(round(bar.length.total_seconds() / span * _CELLS), 1)
    return " " * before + "━" * min(length, _CELLS - before)


def _more(found: Sequence[Bar]) -> str:
    return f"and {len(found) - MOST} more nodes\n" if len(found) > MOST else ""


def _latest(workflow: WorkflowObject) -> datetime:
    known = [t for n in workflow.status.nodes.values() for t in (n.started_at, n.finished_at) if t]
    return max(known)


def _text(text: str) -> str:
    return escape(clean(text), quote=True)
