"""A run as it stays in a saved notebook: HTML that needs no kernel, no script and no style sheet.

What Jupyter keeps of HTML in a notebook that it does not trust decides what is used here: tables, inline
styles, `<details>`, `<pre>` and images as data. An inline `<svg>` would be lost, hence the image.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator
from datetime import UTC, datetime

from nbflow.clients.client import Client
from nbflow.errors import NbflowError
from nbflow.notebook.nodes import tail
from nbflow.notebook.picture import draw
from nbflow.notebook.rows import ordered
from nbflow.spec.status import NodeStatus, NodeType, Phase, WorkflowObject
from nbflow.views import durations
from nbflow.views.phases import SIGNS, status_text
from nbflow.views.text import clean
from nbflow.views.tree import tree

ROWS, TAILS, LINES, LONGEST = 60, 8, 15, 300
"""What a snapshot holds at most: rows of the table, logs, lines of a log, characters of a line."""
CROWD = 20
"""Of a loop with more rounds only those are shown that went wrong; its own row says how they stand."""
MESSAGE = 500
"""Characters of a message or name."""
IMAGE = 300_000
"""Bytes of the largest graph that is kept; a bigger one belongs into `nbflow graph`."""

COLORS = {
    None: "#6e7781",
    Phase.PENDING: "#6e7781",
    Phase.RUNNING: "#0072b2",
    Phase.SUCCEEDED: "#007a59",
    Phase.SKIPPED: "#6e7781",
    Phase.OMITTED: "#6e7781",
    Phase.FAILED: "#c04a00",
    Phase.ERROR: "#a3286b",
}
"""Dark enough for white text on them, light enough to be read on dark pages."""

# Exactly one of snapshot and live view is to be seen: the snapshot where no live view came up, and then the
# message about a widget that cannot be found is not to be seen either.
PAIR_RULE = (
    ".jp-OutputArea-child:has(.nbflow-snap):has(~ .jp-OutputArea-child .nbflow-live){display:none}"
    ".jp-OutputArea-child:has(.nbflow-snap) + .jp-OutputArea-child:has(> .jupyter-widgets)"
    ":not(:has(.nbflow-live)){display:none}"
)


def snapshot(client: Client, workflow: WorkflowObject, *, pair: str = "") -> dict[str, str]:
    """The MIME bundle of `workflow` as it is now. pair: its id, if a live view is displayed directly after it."""
    text = tree(workflow) or f"workflow {workflow.name} has no nodes yet"
    return {"text/plain": text, "text/html": page(client, workflow, pair=pair)}


def page(client: Client, workflow: WorkflowObject, *, pair: str = "") -> str:
    """The HTML of a snapshot."""
    parts = [
        _head(workflow),
        _image(workflow),
        node_table(workflow),
        *_tails(client, workflow),
        pair_rule() if pair else "",
    ]
    mark = f' data-nbflow-snap="{pair}"' if pair else ""
    return f'<div class="nbflow-snap"{mark} style="max-width:64em;line-height:1.4">{"".join(parts)}</div>'


def pair_rule() -> str:
    """The rule of the pair, as an element that leaves nothing behind where a site takes it out: of a `<style>` the text
    would stay, for everybody to read."""
    return (
        f'<link rel="stylesheet" href="data:text/css;base64,{base64.b64encode(PAIR_RULE.encode()).decode()}">'
    )


def node_table(workflow: WorkflowObject) -> str:
    """The nodes as a table, indented as a tree; of many nodes the ones that went wrong, and the first."""
    nodes = ordered(workflow, crowd=CROWD)
    if not nodes:
        return ""
    shown = nodes if len(nodes) <= ROWS else _chosen(nodes)
    head = "".join(
        f'<th style="text-align:left">{name}</th>' for name in ("Node", "Phase", "Duration", "Message")
    )
    body = "".join(_node_row(depth, node) for depth, node in shown)
    hidden = len(nodes) - len(shown)
    more = f'<div style="opacity:.75">and {hidden} more nodes</div>' if hidden else ""
    return f'<table style="margin:.5em 0"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}'


def _head(workflow: WorkflowObject) -> str:
    status = workflow.status
    took = durations.short(durations.between(status.started_at, status.finished_at, datetime.now(UTC)))
    facts = [f"{status.progress} pods" if status.progress else "", took if status.started_at else ""]
    if status.finished_at is None:
        facts.append(f"as of {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
    told = " · ".join(fact for fact in facts if fact)
    message = f'<div style="margin:.25em 0">{_text(_cut(status.message))}</div>' if status.message else ""
    return (
        f'<div style="margin:.25em 0">{badge(status.phase, status_text(workflow))} '
        f'<strong>{_text(workflow.name)}</strong> <span style="opacity:.75">{_text(told)}</span></div>{message}'
    )


def badge(phase: Phase | None, text: str) -> str:
    shape = "border-radius:1em;padding:.1em .7em;margin-right:.4em;font-weight:600"
    style = f"background:{COLORS[phase]};color:#fff;{shape}"
    return f'<span style="{style}">{SIGNS[phase]} {_text(text)}</span>'


def _image(workflow: WorkflowObject) -> str:
    svg, problem = draw(workflow)
    if problem or len(svg) > IMAGE:
        why = problem or "The graph is too large to be kept in a notebook: `%workflow graph` draws it."
        return f'<div style="opacity:.75">{_text(why)}</div>'
    data = base64.b64encode(svg.encode()).decode()
    style = (
        "max-width:100%;max-height:28em;background:#fff;border:1px solid #8884;border-radius:6px;padding:6px"
    )
    return f'<div><img style="{style}" alt="{alt(workflow)}" src="data:image/svg+xml;base64,{data}"></div>'


def alt(workflow: WorkflowObject) -> str:
    """The graph in words."""
    nodes = ordered(workflow)
    told = ", ".join(f"{node.display_name} {node.phase or 'Pending'}" for _, node in nodes[:20])
    more = f" and {len(nodes) - 20} more" if len(nodes) > 20 else ""
    return _text(f"Graph of workflow {workflow.name}: {told}{more}")


def _node_row(depth: int, node: NodeStatus) -> str:
    over = node.started_at is not None and node.finished_at is not None
    took = durations.between(node.started_at, node.finished_at, datetime.now(UTC))
    phase = f'<span style="color:{COLORS[node.phase]}">{SIGNS[node.phase]}</span> {node.phase or "Pending"}'
    indent = f"padding-left:{0.6 + 1.2 * min(depth, 12):.1f}em"
    cells = (
        _text(_cut(node.display_name)),
        phase,
        durations.short(took) if over else "",
        _text(_cut(node.message)),
    )
    whole = "text-align:left;white-space:nowrap"
    styles = (f"text-align:left;{indent}", whole, whole, "text-align:left")
    row = "".join(f'<td style="{s}">{c}</td>' for s, c in zip(styles, cells, strict=True))
    return f"<tr>{row}</tr>"


def _chosen(nodes: list[tuple[int, NodeStatus]]) -> list[tuple[int, NodeStatus]]:
    bad = {node.id for _, node in nodes if node.phase and node.phase.bad}
    wanted = set(list(bad)[: ROWS // 2])
    room = ROWS - len(wanted)
    wanted |= {node.id for _, node in [pair for pair in nodes if pair[1].id not in wanted][:room]}
    return [pair for pair in nodes if pair[1].id in wanted]


def _tails(client: Client, workflow: WorkflowObject) -> Iterator[str]:
    """The ends of the logs: of what failed first, then of what came last."""
    pods = [n for n in workflow.status.nodes.values() if n.type is NodeType.POD and n.started_at is not None]
    bad = [node for node in pods if node.phase and node.phase.bad]
    good = [node for node in pods if node not in bad]
    for node in (*bad[:TAILS], *good[-max(TAILS - len(bad), 0) or len(good) :]):
        try:
            lines = tail(client, workflow, node, LINES)
        except NbflowError:
            continue
        if lines:
            yield _details(node, lines, opened=node in bad)


def _details(node: NodeStatus, lines: list[str], *, opened: bool) -> str:
    text = "\n".join(line if len(line) <= LONGEST else line[: LONGEST - 1] + "…" for line in lines)
    style = (
        "margin:.25em 0 .5em 1.2em;max-height:20em;overflow:auto;white-space:pre-wrap;font-family:monospace"
    )
    return (
        f"<details{' open' if opened else ''}><summary>Log of {_text(node.display_name)}</summary>"
        f'<pre style="{style}">{_text(text, keep_lines=True)}</pre></details>'
    )


def _cut(text: str) -> str:
    """A text of a stranger's that is to stand in one place of many."""
    return text if len(text) <= MESSAGE else text[: MESSAGE - 1] + "…"


def _text(text: str, *, keep_lines: bool = False) -> str:
    """Text for HTML: no markup, no control characters."""
    cleaned = "\n".join(clean(line) for line in text.split("\n")) if keep_lines else clean(text)
    return html.escape(cleaned, quote=True)
