"""The tree of an expression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields


@dataclass(slots=True, eq=False)
class Node:
    """at: where the node starts in the source."""

    at: int


@dataclass(slots=True, eq=False)
class Constant(Node):
    """A literal: nil, a bool, an integer, a float, a string or bytes."""

    value: object


@dataclass(slots=True, eq=False)
class Identifier(Node):
    """A variable."""

    name: str


@dataclass(slots=True, eq=False)
class Unary(Node):
    """An operator in front of its operand."""

    operator: str
    operand: Node


@dataclass(slots=True, eq=False)
class Binary(Node):
    """An operator between its operands."""

    operator: str
    left: Node
    right: Node


@dataclass(slots=True, eq=False)
class Chain(Node):
    """An access with `?.` somewhere in it: nil as a whole once one part is nil."""

    inner: Node


@dataclass(slots=True, eq=False)
class Member(Node):
    """base.property or base[property], with ?. in front of it if optional."""

    base: Node
    property: Node
    optional: bool
    method: bool = False


@dataclass(slots=True, eq=False)
class Slice(Node):
    """base[start:end]"""

    base: Node
    start: Node | None
    end: Node | None


@dataclass(slots=True, eq=False)
class Call(Node):
    """A call of a variable or a member."""

    callee: Node
    arguments: list[Node]


@dataclass(slots=True, eq=False)
class Builtin(Node):
    """A call of a function of the language; a predicate is an argument as any other."""

    name: str
    arguments: list[Node]


@dataclass(slots=True, eq=False)
class Predicate(Node):
    """What is evaluated for each element."""

    body: Node


@dataclass(slots=True, eq=False)
class Pointer(Node):
    """#, #index or #acc: the element, its index, what was accumulated."""

    name: str


@dataclass(slots=True, eq=False)
class Let(Node):
    """let name = value; body"""

    name: str
    value: Node
    body: Node


@dataclass(slots=True, eq=False)
class Sequence(Node):
    """Expressions of which the last one counts."""

    nodes: list[Node]


@dataclass(slots=True, eq=False)
class Conditional(Node):
    """condition ? then : otherwise"""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(slots=True, eq=False)
class Array(Node):
    """[...]"""

    nodes: list[Node]


@dataclass(slots=True, eq=False)
class Map(Node):
    """{...}"""

    pairs: list[tuple[Node, Node]]


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below, in the order of the text."""
    for field in fields(node):
        yield from _nodes(getattr(node, field.name))


def _nodes(value: object) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _nodes(item)


def walk(node: Node) -> Iterator[Node]:
    """All nodes of the tree, those below a node before the node."""
    for child in children(node):
        yield from walk(child)
    yield node
