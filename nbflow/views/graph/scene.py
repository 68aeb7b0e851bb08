"""What a graph shows: shapes, groups around them, edges between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from nbflow.spec.status import Phase


class Kind(StrEnum):
    """What a shape stands for."""

    POD = "pod"
    SUSPEND = "suspend"
    GROUP = "group"  # steps or a DAG, not drawn in detail
    STACK = "stack"  # many of a kind
    RECURSION = "recursion"  # a template that is drawn around it already
    JOINT = "joint"  # where many edges meet


@dataclass(slots=True)
class Shape:
    """A node of the graph. key: its id in the SVG. note: second line. tip: what a pointer over it shows."""

    name: str
    key: str
    title: str = ""
    kind: Kind = Kind.POD
    phase: Phase | None = None
    waiting: bool = False
    note: str = ""
    tip: str = ""


@dataclass(slots=True)
class Group:
    """A box around shapes: steps or a DAG inside another one."""

    name: str
    key: str
    title: str
    phase: Phase | None = None
    tip: str = ""
    members: list[Shape | Group] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Edge:
    """From the name of a shape to that of another. aside: a hook or an exit handler, not part of the order."""

    tail: str
    head: str
    aside: bool = False


@dataclass(slots=True)
class Scene:
    """The whole graph. members: the outermost shapes and groups."""

    members: list[Shape | Group] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)

    def shapes(self) -> list[Shape]:
        """All shapes, joints left out, in the order they are drawn."""
        found: list[Shape] = []
        todo = list(reversed(self.members))
        while todo:
            member = todo.pop()
            if isinstance(member, Group):
                todo.extend(reversed(member.members))
            elif member.kind is not Kind.JOINT:
                found.append(member)
        return found
