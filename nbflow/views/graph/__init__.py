"""The graph of a workflow in DOT: drawn from its templates until its nodes take their places in it.

The SVG that Graphviz makes of it keeps these marks for who recolours it without a new layout: the id of a
shape or cluster is the id of its node in the status ("plan:<place>" as long as there is none, "stack:<place>"
for one that stands for many), its class begins with the phase, and its first text begins with the phase's sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nbflow.spec.status import WorkflowObject
from nbflow.views.graph.plan import draw
from nbflow.views.graph.scene import Scene
from nbflow.views.graph.write import write

FAN_OUT = 12
"""More branches of one fan-out than this are drawn as one stack with counts."""

SHAPES = 400
"""Where a graph has more shapes, steps and DAGs further inside are drawn as one shape each."""

__all__ = ["FAN_OUT", "SHAPES", "Scene", "dot", "scene"]


def dot(
    workflow: WorkflowObject, *, fan_out: int = FAN_OUT, shapes: int = SHAPES, horizontal: bool = False
) -> str:
    """The graph in DOT. fan_out, shapes: where to begin to collapse. horizontal: from left to right."""
    return write(scene(workflow, fan_out=fan_out, shapes=shapes), horizontal=horizontal)


def scene(
    workflow: WorkflowObject,
    *,
    fan_out: int = FAN_OUT,
    shapes: int = SHAPES,
    folds: Mapping[str, int] = MappingProxyType({}),
) -> Scene:
    """What the graph shows, as data.

    folds: path of a shape or group -> how many of what is inside to draw, 0 to shut it.
    """
    return draw(workflow, fan_out, shapes, folds)
