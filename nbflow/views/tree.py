"""The tree of nodes that `argo get` prints.

Steps and DAGs hold the nodes whose boundary they are; step groups and retries hold their children. A step
group, a retry with one attempt, and an omitted node have no line of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cmp_to_key
from typing import NamedTuple

from nbflow.spec.status import NodeStatus, NodeType, Phase, WorkflowObject, artifacts_by_name
from nbflow.views import durations
from nbflow.views.phases import sign
from nbflow.views.podnames import pod_name, template_of
from nbflow.views.selector import Term, matches, parse_selector
from nbflow.views.text import Style, clean, columns

_BOUNDARIES = (NodeType.STEPS, NodeType.DAG)
_PARENTS = (NodeType.STEP_GROUP, NodeType.RETRY)
_LEAVES = (NodeType.POD, NodeType.SKIPPED, NodeType.SUSPEND, NodeType.HTTP, NodeType.PLUGIN)
_HEADS = {
    "": ("STEP", "TEMPLATE", "PODNAME", "DURATION", "MESSAGE"),
    "short": ("STEP", "TEMPLATE", "PODNAME", "DURATION", "MESSAGE", "NODENAME"),
    "wide": (
        "STEP",
        "TEMPLATE",
        "PODNAME",
        "DURATION",
        "ARTIFACTS",
        "MESSAGE",
        "RESOURCESDURATION",
        "NODENAME",
    ),
}
# (only child, first, last, between) of a step group, and (last, between) of all other parents
_UTF8 = (("──", "┬─", "└─", "├─"), "│ ")
_ASCII = (("--", "+-", "`-", "|-"), "| ")
_START = datetime.min.replace(tzinfo=UTC)


class Row(NamedTuple):
    """One line: the lines that lead to a node, and the node."""

    lead: str
    node: NodeStatus


@dataclass(slots=True)
class _Branch:
    node: NodeStatus
    inside: list[_Branch] = field(default_factory=list)


def tree(
    workflow: WorkflowObject,
    *,
    now: datetime | None = None,
    style: Style = Style(),
    output: str = "",
    selector: str = "",
) -> str:
    """The tree as text, "" as long as the workflow has no nodes.

    now: for the duration of what still runs; None takes the latest time that the nodes know.
    output: "", "short" or "wide" as in `argo get -o`. selector: show only nodes that match.
    """
    blocks = _blocks(workflow, style, parse_selector(selector))
    if not blocks:
        return ""
    moment = now or _latest(workflow)
    lines: list[Sequence[str]] = [_HEADS[output]]
    for number, block in enumerate(blocks):
        lines += [[""]] * (number > 0)
        lines += [_cells(workflow, row, moment, style, output) for row in block]
    return "\n".join(columns(lines, 2)) + "\n"


def rows(workflow: WorkflowObject, *, style: Style = Style(), selector: str = "") -> list[Row]:
    """The lines of the tree, main part first, then exit handler and hooks."""
    return [row for block in _blocks(workflow, style, parse_selector(selector)) for row in block]


def _blocks(workflow: WorkflowObject, style: Style, terms: tuple[Term, ...]) -> list[list[Row]]:
    roots = _forest(workflow)
    main = roots.pop(workflow.name, None)
    if main is None:
        return []
    handler, hooks = f"{workflow.name}.onExit", f"{workflow.name}.hooks."
    others = [b for b in roots.values() if b.node.name == handler or b.node.name.startswith(hooks)]
    return [list(_walk(branch, style, terms)) for branch in (main, *others)]


def _forest(workflow: WorkflowObject) -> dict[str, _Branch]:
    """Root id -> its branch, each with all that is inside, in the order of the tree."""
    nodes = workflow.status.nodes
    shown = {i: _Branch(n) for i, n in nodes.items() if n.type in (*_BOUNDARIES, *_PARENTS, *_LEAVES)}
    parents = {child: i for i, n in nodes.items() if n.type in _PARENTS for child in n.children}
    roots = {}
    for node_id, branch in shown.items():
        parent = parents.get(node_id) or branch.node.boundary_id
        if not parent:
            roots[node_id] = branch
        elif parent in shown:
            shown[parent].inside.append(branch)
    for branch in shown.values():
        branch.inside.sort(key=cmp_to_key(_order))
    return roots


def _order(one: _Branch, other: _Branch) -> int:
    """By start, then by index in a loop, then by name."""
    first, second = one.node, other.node
    at, then = first.started_at or _START, second.started_at or _START
    if at != then:
        return -1 if at < then else 1
    index, against = _index(first.display_name), _index(second.display_name)
    if index is not None and against is not None:
        return index - against
    return (first.display_name > second.display_name) - (first.display_name < second.display_name)


def _index(display_name: str) -> int | None:
    opening, colon = display_name.find("("), display_name.find(":")
    text = display_name[opening + 1 : colon] if 0 <= opening < colon else ""
    return int(text) if text.isascii() and text.isdigit() else None


def _walk(root: _Branch, style: Style, terms: tuple[Term, ...]) -> Iterator[Row]:
    """Depth first, without recursion: a recursive workflow may be deeper than Python's stack."""
    todo = [(root, " ", " ")]
    while todo:
        branch, lead, below = todo.pop()
        hidden, indented = _hidden(branch.node, terms)
        if not hidden:
            yield Row(lead, branch.node)
        last = len(branch.inside) - 1
        children = []
        for index, child in enumerate(branch.inside):
            part, rest = _connector(index, last, hidden, indented, style)
            start = lead if hidden and index == 0 else below
            children.append((child, start + part, below + rest))
        todo.extend(reversed(children))


def _hidden(node: NodeStatus, terms: tuple[Term, ...]) -> tuple[bool, bool]:
    """Whether a node has no line, and whether its children are joined by a line of their own."""
    if node.type is NodeType.RETRY and len(node.children) == 1:
        return True, False
    if node.type is NodeType.STEP_GROUP:
        return True, True
    if node.type is NodeType.SKIPPED and node.phase is Phase.OMITTED:
        return True, False
    return not matches(terms, node), False


def _connector(index: int, last: int, hidden: bool, indented: bool, style: Style) -> tuple[str, str]:
    (alone, first, end, between), bar = _UTF8 if style.utf8 else _ASCII
    if hidden and not indented:
        return "", ""
    if hidden and last == 0:
        return alone, "  "
    if hidden and index == 0:
        return first, bar
    return (end, "  ") if index == last else (between, bar)


def _cells(workflow: WorkflowObject, row: Row, now: datetime, style: Style, output: str) -> list[str]:
    node = row.node
    step = f"{row.lead}{sign(node, style)} {clean(node.display_name)}"
    pod, length, host = "", "", ""
    if node.type is NodeType.POD:
        pod = clean(pod_name(workflow, node))
        length = durations.short(durations.between(node.started_at, node.finished_at, now))
        host = clean(str(node.extra.get("hostNodeName", "")))
    cells = [step, clean(_template(node)), pod, length, clean(node.message)]
    if output == "short":
        return [*cells, host]
    if output == "wide":
        artifacts = clean(",".join(artifacts_by_name(node.outputs)))
        return [*cells[:4], artifacts, cells[4], resources(node.extra.get("resourcesDuration")), host]
    return cells


def _template(node: NodeStatus) -> str:
    reference = node.extra.get("templateRef")
    if isinstance(reference, dict):
        return f"{reference.get('name', '')}/{template_of(node)}"
    return node.template_name


def resources(value: object) -> str:
    """`{"cpu": 3, "memory": 10}` (seconds of a core, of 100 MiB) as Argo prints it."""
    if not isinstance(value, dict):
        return ""
    units = {"cpu": "1 cpu", "memory": "100Mi memory"}
    parts = (f"{durations.go(int(v))}*({units.get(k, f'1 {k}')})" for k, v in sorted(value.items()))
    return ",".join(parts)


def _latest(workflow: WorkflowObject) -> datetime:
    nodes = workflow.status.nodes.values()
    times = [at for node in nodes for at in (node.started_at, node.finished_at) if at]
    return max(times, default=_START)
