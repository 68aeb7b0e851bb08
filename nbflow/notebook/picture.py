"""The graph of a workflow as SVG, laid out again only when its shape changed.

A page recolours shapes by itself, and gives the shape that a template stood for to the node that takes its
place. What it cannot do is move shapes, or count the nodes that a stack stands for.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from nbflow.errors import NbflowError
from nbflow.spec.status import WorkflowObject
from nbflow.views.graph import Scene, scene
from nbflow.views.graph.scene import Group, Shape
from nbflow.views.graph.write import write

_BREATH = 0.1
_PATIENCE = 5
"""Between two looks pass at least so many seconds, and so many times as long as the last one took."""


class Picture:
    """Draws one workflow again and again.

    svg: the drawing, problem: why there is none. places: id of a shape in the drawing -> id of its node, where they
    differ. due: ask for a new look.
    """

    def __init__(self) -> None:
        self.svg = ""
        self.problem = ""
        self.places: Mapping[str, str] = {}
        self.due = True
        self._shape: object = None
        self._keys: list[str] = []
        self._next = 0.0

    def update(self, workflow: WorkflowObject, *, final: bool = False) -> bool:
        """Look at `workflow` if it is due and the last look is some time ago. True if the picture is new.

        final: look now, there will be no other time.
        """
        began = time.monotonic()
        if not self.due or (began < self._next and not final):
            return False
        self.due = False
        changed = self._look(workflow)
        took = time.monotonic() - began
        self._next = began + max(_BREATH, took * _PATIENCE)
        return changed

    def _look(self, workflow: WorkflowObject) -> bool:
        drawing = scene(workflow)
        keys, shape = [one.key for one in _all(drawing)], _shape(drawing, workflow)
        if shape != self._shape:
            self._shape, self._keys, self.places = shape, keys, {}
            self.svg, self.problem = _svg(drawing)
            return True
        places = {drawn: now for drawn, now in zip(self._keys, keys, strict=True) if drawn != now}
        changed = places != self.places
        self.places = places
        return changed


def draw(workflow: WorkflowObject) -> tuple[str, str]:
    """The SVG of a workflow as it is, and "" or why there is none."""
    return _svg(scene(workflow))


def _svg(drawing: Scene) -> tuple[str, str]:
    from nbflow import render

    if not drawing.members:
        return "", "there is nothing to draw yet"
    try:
        return render.svg(write(drawing, horizontal=False)), ""
    except NbflowError as error:
        return "", str(error)


def _all(drawing: Scene) -> Iterator[Shape | Group]:
    """All shapes and groups, in the order they are drawn."""
    todo = list(reversed(drawing.members))
    while todo:
        member = todo.pop()
        yield member
        if isinstance(member, Group):
            todo.extend(reversed(member.members))


def _shape(drawing: Scene, workflow: WorkflowObject) -> object:
    """All that a page cannot change by itself: also the phase where a shape is no single node."""
    nodes = workflow.status.nodes

    def told(one: Shape | Group) -> tuple[object, ...]:
        alone = one.key in nodes or one.phase is None
        inside = (len(one.members),) if isinstance(one, Group) else (one.kind, one.note, one.waiting)
        return (one.name, one.title, None if alone else one.phase, *inside)

    return tuple(told(one) for one in _all(drawing)), tuple(drawing.edges)
