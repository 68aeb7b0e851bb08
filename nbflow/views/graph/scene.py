"""What a graph shows: shapes, groups around them, edges between them."""

from __future__ import annotations

from collections.abc import Iterator
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


class Fold(StrEnum):
    """What a person may do with a shape or group. NONE: nothing. MORE: a stack of what is left of an open loop."""

    NONE = ""
    OPEN = "open"
    SHUT = "shut"
    MORE = "more"


@dataclass(slots=True)
class Shape:
    """A node of the graph. key: its id in the SVG. node: id of its node in the status, "" for none or several.

    path: its place in the manifest. note: second line. tip: what a pointer over it shows.
    """

    name: str
    key: str
    title: str = ""
    kind: Kind = Kind.POD
    phase: Phase | None = None
    waiting: bool = False
    note: str = ""
    tip: str = ""
    node: str = ""
    path: str = ""
    fold: Fold = Fold.NONE


@dataclass(slots=True)
class Group:
    """A box around shapes: steps, a DAG, a loop or the attempts of a retry inside another one.

    row: shapes that stand beside each other in this order.
    """

    name: str
    key: str
    title: str
    phase: Phase | None = None
    tip: str = ""
    members: list[Shape | Group] = field(default_factory=list)
    node: str = ""
    path: str = ""
    fold: Fold = Fold.NONE
    row: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Edge:
    """From the name of a shape to that of another. aside: a hook or an exit handler, not part of the order.

    tail_group, head_group: names of groups at whose border it ends. hidden: it only keeps shapes in rows.
    """

    tail: str
    head: str
    aside: bool = False
    tail_group: str = ""
    head_group: str = ""
    hidden: bool = False


@dataclass(slots=True)
class Scene:
    """The whole graph. members: the outermost shapes and groups."""

    members: list[Shape | Group] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)

    def all(self) -> Iterator[Shape | Group]:
        """All shapes and groups, joints left out, in the order they are drawn."""
        todo = list(reversed(self.members))
        while todo:
            member = todo.pop()
            if isinstance(member, Group):
                todo.extend(reversed(member.members))
            if isinstance(member, Group) or member.kind is not Kind.JOINT:
                yield member

    def shapes(self) -> list[Shape]:
        """All shapes, joints left out, in the order they are drawn."""
        return [one for one in self.all() if isinstance(one, Shape)]
