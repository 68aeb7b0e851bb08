"""The graph of a workflow as SVG, laid out again only when shapes come or go.

What the page can change in place travels as marks: which node stands at a shape by now, the phase of what stands
for many, its counts. The page never moves a shape.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TypedDict

from nbflow.errors import NbflowError
from nbflow.spec.status import Phase, WorkflowObject
from nbflow.views.graph import Scene, scene
from nbflow.views.graph.folds import STEP
from nbflow.views.graph.scene import Fold, Group, Shape
from nbflow.views.graph.write import write

_BREATH = 0.1
_PATIENCE = 5
"""Between two looks pass at least so many seconds, and so many times as long as the last one took."""


class Mark(TypedDict, total=False):
    """A shape or box. node: id of the one that stands there, "" for none. note: its second line.

    many: it stands for several, whose phase is given. path, fold: what a person may open or close there.
    after: titles of the shapes before it.
    """

    node: str
    title: str
    many: bool
    phase: str
    note: str
    path: str
    fold: str
    after: list[str]


class Picture:
    """Draws one workflow again and again.

    svg: the drawing, problem: why there is none. marks: id of a shape in the drawing -> what stands there.
    due: ask for a new look.
    """

    def __init__(self) -> None:
        self.svg = ""
        self.problem = ""
        self.marks: Mapping[str, Mark] = {}
        self.due = True
        self._folds: dict[str, int] = {}
        self._shape: object = None
        self._keys: list[str] = []
        self._next = 0.0

    def fold(self, path: str, now: str) -> None:
        """Open what is shut there, shut what is open, or show more of it. now: the fold that the person saw."""
        more = self._folds.get(path, 0) + STEP
        self._folds[path] = 0 if now == Fold.OPEN else more
        self.due, self._next = True, 0.0

    def update(self, workflow: WorkflowObject, *, final: bool = False) -> bool:
        """Look at `workflow` if it is due and the last look is some time ago. True if svg or marks are new.

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
        drawing = scene(workflow, folds=self._folds)
        members, shape = list(drawing.all()), _shape(drawing)
        drawn = shape != self._shape
        if drawn:
            self._shape, self._keys = shape, [one.key for one in members]
            self.svg, self.problem = _svg(drawing)
        before, self.marks = self.marks, _marks(self._keys, members, drawing)
        return drawn or before != self.marks


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


def _marks(keys: Iterable[str], members: Iterable[Shape | Group], drawing: Scene) -> dict[str, Mark]:
    """The marks of what was drawn under these ids."""
    before = _before(drawing)
    return {key: _mark(one, before.get(one.name, ())) for key, one in zip(keys, members, strict=True)}


def _mark(one: Shape | Group, after: Iterable[str]) -> Mark:
    mark = Mark(node=one.node, title=one.title, path=one.path, fold=one.fold.value, after=sorted(after))
    if one.key.startswith("stack:"):
        mark["many"] = True
        mark["phase"] = (one.phase or Phase.PENDING).value
    if isinstance(one, Shape):
        mark["note"] = one.note
    return mark


def _before(drawing: Scene) -> dict[str, set[str]]:
    """Name of a shape -> titles of those with an edge to it, through joints."""
    shapes = {one.name: one for one in drawing.shapes()}
    tails: dict[str, set[str]] = {}
    for edge in drawing.edges:
        if not edge.hidden:
            tails.setdefault(edge.head, set()).add(edge.tail)
    return {
        name: {
            shapes[tail].title
            for one in tails.get(name, ())
            for tail in ([one] if one in shapes else tails.get(one, ()))
            if tail in shapes
        }
        for name in shapes
    }


def _shape(drawing: Scene) -> object:
    """All that a page cannot change by itself."""

    def told(one: Shape | Group) -> tuple[object, ...]:
        if isinstance(one, Group):
            return (one.name, one.title, one.fold, len(one.members))
        return (one.name, one.title, one.fold, one.kind, bool(one.note))

    return tuple(told(one) for one in drawing.all()), tuple(drawing.edges)
