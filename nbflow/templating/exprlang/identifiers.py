"""Which variables an expression cannot do without."""

from __future__ import annotations

from nbflow.templating.exprlang import syntax as tree


def required_names(root: tree.Node) -> tuple[str, ...]:
    """Variables and member paths, dotted, each once.

    A path on the left of `??`, or in front of `?.`, may be missing; its first part may not.
    """
    guarded = _guarded(root)
    names: dict[str, None] = {}
    for node in tree.walk(root):
        if id(node) in guarded:
            continue
        if isinstance(node, tree.Identifier):
            names[node.name] = None
        elif isinstance(node, tree.Member) and (path := member_path(node)):
            names[path] = None
    return tuple(names)


def names_read(root: tree.Node) -> set[str]:
    """Dotted names of all that it may read: paths as far as they are plain, and functions that a variable may hide."""
    inner: set[int] = set()
    names: set[str] = set()
    for node in reversed(list(tree.walk(root))):
        if isinstance(node, tree.Builtin):
            names.add(node.name)
        elif isinstance(node, tree.Member | tree.Identifier) and id(node) not in inner:
            names.add(_longest_path(node, inner))
    names.discard("")
    return names


def _longest_path(node: tree.Node, inner: set[int]) -> str:
    """The plain beginning of a path, "" if it does not begin at a variable. inner: gets the nodes it stands for."""
    parts: list[str] = []
    here = node
    while isinstance(here, tree.Member):
        inner.add(id(here.base))
        key = here.property.value if isinstance(here.property, tree.Constant) else None
        if isinstance(key, str) and key and "." not in key:
            parts.append(key)
        else:
            parts.clear()
        here = here.base.inner if isinstance(here.base, tree.Chain) else here.base
        inner.add(id(here))
    return ".".join([here.name, *reversed(parts)]) if isinstance(here, tree.Identifier) else ""


def member_path(node: tree.Member) -> str | None:
    """`a.b["c"]` as "a.b.c"; None if it is no plain path from a variable."""
    parts: list[str] = []
    here: tree.Node = node
    while isinstance(here, tree.Member):
        if (
            here.optional
            or not isinstance(here.property, tree.Constant)
            or not isinstance(here.property.value, str)
        ):
            return None
        parts.append(here.property.value)
        here = here.base
    if not isinstance(here, tree.Identifier):
        return None
    return ".".join([here.name, *reversed(parts)])


def _guarded(root: tree.Node) -> set[int]:
    guarded: set[int] = set()
    for node in tree.walk(root):
        if isinstance(node, tree.Binary) and node.operator == "??":
            guarded.update(id(below) for below in tree.walk(node.left) if isinstance(below, tree.Member))
        elif isinstance(node, tree.Member) and node.optional and isinstance(node.base, tree.Member):
            guarded.add(id(node.base))
    return guarded
