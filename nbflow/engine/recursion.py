"""The guard of recursion: calls go a hundred templates deep and no deeper, as in Argo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nbflow.engine.run import Call, Run
from nbflow.spec.status import NodeStatus

MAX_DEPTH = 100
_TOO_DEEP = (
    "Maximum recursion depth exceeded. See "
    "https://argo-workflows.readthedocs.io/en/latest/scaling/#maximum-recursion-depth"
)


def too_deep(run: Run, call: Call) -> str:
    """Why a call is not made: Argo's words, and the templates that call each other if they go round in a circle.

    What is around it is remembered as endless.
    """
    around = list(_around(run, call))
    run.endless.update(node.id for node in around)
    reference = call.reference
    called = reference.template_ref.template if reference.template_ref else reference.template
    names = [(call.scope, called), *((node.template_scope, run.tree.template_of(node)) for node in around)]
    return _TOO_DEEP + _circle(names)


def _around(run: Run, call: Call) -> Iterator[NodeStatus]:
    """The nodes of the templates that a call is made in, from the inside."""
    node = run.tree.nodes.get(call.boundary)
    while node is not None:
        yield node
        node = run.tree.nodes.get(node.boundary_id)


def _circle(names: Sequence[tuple[str, str]]) -> str:
    """(scope, template), from the inside: the innermost circle. Templates that are written in place have no name."""
    seen: dict[tuple[str, str], int] = {}
    for index, one in enumerate(names):
        if one[1] and one in seen:
            circle = [name for _, name in reversed(names[seen[one] : index + 1]) if name]
            return f" ({' -> '.join(circle)} has no end)"
        seen[one] = index
    return ""
