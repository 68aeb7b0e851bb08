"""Where the parts of a document stand in its text. Only a document with findings is asked."""

from __future__ import annotations

from collections.abc import Sequence

import yaml
from yaml._yaml import CParser
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from nbflow.spec.scalars import Scalar, key_text, plain


class _Composer(CParser):
    """Composes nodes without resolving tags."""

    def resolve(self, kind: type[Node], value: str, implicit: object) -> None:
        """No tag is needed."""

    def descend_resolver(self, parent: Node, index: object) -> None:
        """Nothing to remember."""

    def ascend_resolver(self) -> None:
        """Nothing to forget."""


def compose(text: str) -> Node | None:
    """The nodes of a text, None if there are none that can be read."""
    composer = _Composer(text)
    try:
        node: Node | None = composer.get_node() if composer.check_node() else None
    except yaml.YAMLError:
        return None
    return node


def find(root: Node | None, text: str, path: Sequence[str | int], *, key: bool, needle: str) -> int:
    """The character at which `path`, or its nearest parent that is there, begins; 0 if there is nothing."""
    node, key_node = root, None
    if node is None:
        return 0
    for depth, step in enumerate(path):
        found = _step(node, step)
        if found is None:
            key = key or depth > 0
            break
        key_node, node = found
    if needle:
        start = text.find(needle, node.start_mark.index, node.end_mark.index)
        if start >= 0:
            return start
    if key_node is not None and (key or not isinstance(node, ScalarNode)):
        node = key_node
    return int(node.start_mark.index)


def _step(node: Node, step: str | int) -> tuple[Node | None, Node] | None:
    """The key (None in a list) and the value one step further."""
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return None, node.value[step]
    if isinstance(node, MappingNode):
        merged: list[Node] = []
        for key, value in reversed(node.value):
            if isinstance(key, ScalarNode):
                if _key(key) == step:
                    return key, value
                if key.value == "<<":
                    merged += value.value if isinstance(value, SequenceNode) else [value]
        for other in merged:
            found = _step(other, step) if isinstance(other, MappingNode) else None
            if found is not None:
                return found
    return None


def _key(node: ScalarNode) -> str | None:
    value: Scalar = node.value if node.style in {"'", '"'} else plain(node.value)
    return key_text(value)
