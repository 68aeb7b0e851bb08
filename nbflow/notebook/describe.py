"""A node in a cell: how it stands, what it got and what it gave."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from nbflow.notebook.rich import escape, table
from nbflow.notebook.snapshot import badge
from nbflow.spec.status import InputsOutputs, NodeStatus, artifacts_by_name, parameter_values
from nbflow.views import durations
from nbflow.views.podnames import template_of

_LONGEST = 200


def node_html(node: NodeStatus) -> str:
    """The node as HTML without any script or style sheet."""
    took = durations.between(node.started_at, node.finished_at, datetime.now(UTC))
    told = [template_of(node), durations.short(took) if node.started_at else ""]
    facts = f'<span style="opacity:.75">{escape(" · ".join(one for one in told if one))}</span>'
    message = f"<div>{escape(node.message)}</div>" if node.message else ""
    head = f"{badge(node.phase, str(node.phase or 'Pending'))} <strong>{escape(node.display_name)}</strong> {facts}"
    rows = [*_rows("input", node.inputs), *_rows("output", node.outputs)]
    values = table(["", "Name", "Value"], rows) if rows else ""
    return f'<div style="margin:.25em 0">{head}</div>{message}{values}'


def _rows(side: str, given: InputsOutputs | None) -> Iterator[list[str]]:
    for name, value in parameter_values(given).items():
        yield [side, name, value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"]
    for key in ("result", "exitCode"):
        if given and given.get(key) is not None:
            yield [side, key, str(given[key])[:_LONGEST]]
    for name, artifact in artifacts_by_name(given).items():
        yield [side, name, f"artifact {artifact.get('path') or ''}".strip()]
