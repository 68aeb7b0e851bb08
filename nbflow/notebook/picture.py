"""The graph of a workflow as SVG, laid out again only when its shape changed.

A page recolours nodes by itself; what it cannot do is move them, or count the nodes that a stack stands for.
"""

from __future__ import annotations

import time

from nbflow.errors import NbflowError
from nbflow.spec.status import WorkflowObject
from nbflow.views.graph import Scene, scene
from nbflow.views.graph.write import write

_BREATH = 0.2
_PATIENCE = 15
"""Between two layouts pass at least so many seconds, and so many times as long as the last one took."""


class Picture:
    """Draws one workflow again and again. `problem` says why there is no drawing; `due` asks for a new look."""

    def __init__(self) -> None:
        self.svg = ""
        self.problem = ""
        self.due = True
        self._shape: object = None
        self._next = 0.0

    def update(self, workflow: WorkflowObject, *, final: bool = False) -> bool:
        """Draw `workflow` if its shape is new and the last look is some time ago. True if `svg` is new.

        final: look now, there will be no other time.
        """
        began = time.monotonic()
        if not self.due or (began < self._next and not final):
            return False
        self.due = False
        drawing = scene(workflow)
        shape = _shape(drawing, workflow)
        changed = shape != self._shape
        if changed:
            self._shape = shape
            self.svg, self.problem = _svg(drawing)
        took = time.monotonic() - began
        self._next = began + max(_BREATH, took * _PATIENCE)
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


def _shape(drawing: Scene, workflow: WorkflowObject) -> object:
    """All that a page cannot change by itself: the phase counts where a shape is no single node."""
    nodes = workflow.status.nodes
    shapes = tuple(
        (shape.key, shape.title, shape.note, shape.waiting, None if shape.key in nodes else shape.phase)
        for shape in drawing.shapes()
    )
    return shapes, tuple(drawing.edges)
