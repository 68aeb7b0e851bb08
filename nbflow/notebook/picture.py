"""The graph of a workflow as SVG, laid out again only when its shape changed."""

from __future__ import annotations

import time

from nbflow.errors import NbflowError
from nbflow.spec.status import WorkflowObject

_BREATH = 0.3
_PATIENCE = 15
"""Between two layouts pass at least so many seconds, and so many times as long as the last one took."""


class Picture:
    """Draws one workflow again and again. `problem` says why there is no drawing."""

    def __init__(self) -> None:
        self.svg = ""
        self.problem = ""
        self._shape: object = None
        self._next = 0.0

    def update(self, workflow: WorkflowObject, *, final: bool = False) -> bool:
        """Draw `workflow` if its shape is new and the last drawing is some time ago. True if `svg` is new.

        final: draw now, in the colours of the phases as they are.
        """
        shape = None if final else _shape(workflow)
        began = time.monotonic()
        if not final and (shape == self._shape or began < self._next):
            return False
        self._shape = shape
        self.svg, self.problem = draw(workflow)
        took = time.monotonic() - began
        self._next = began + max(_BREATH, took * _PATIENCE)
        return True

    def due(self, workflow: WorkflowObject) -> bool:
        """Whether the shape is another than the one drawn."""
        return _shape(workflow) != self._shape


def draw(workflow: WorkflowObject) -> tuple[str, str]:
    """The SVG, and "" or why there is none."""
    from nbflow import render
    from nbflow.views.graph import dot

    try:
        return render.svg(dot(workflow)), ""
    except NbflowError as error:
        return "", str(error)


def _shape(workflow: WorkflowObject) -> object:
    nodes = workflow.status.nodes
    return tuple((node.id, node.children) for node in nodes.values())
