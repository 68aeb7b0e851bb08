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


class Places:
    """The places of all parts of a text. Mappings are looked up by index once one of them was asked."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._root = compose(text)
        self._fields: dict[int, dict[str | None, tuple[Node, Node]]] = {}

    def find(self, path: Sequence[str | int], *, key: bool, needle: str) -> int:
        """The character at which `path`, or its nearest parent that is there, begins; 0 if there is nothing."""
        node, key_node = self._root, None
        if node is None:
            return 0
        for depth, step in enumerate(path):
            found = self._step(node, step)
            if found is None:
                key = key or depth > 0
                break
            key_node, node = found
        if needle:
            start = self._text.find(needle, node.start_mark.index, node.end_mark.index)
            if start >= 0:
                return start
        if key_node is not None and (key or not isinstance(node, ScalarNode)):
            node = key_node
        return int(node.start_mark.index)

    def _step(self, node: Node, step: str | int) -> tuple[Node | None, Node] | None:
        """The key (None in a list) and the value one step further."""
        if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
            return None, node.value[step]
        if isinstance(node, MappingNode) and isinstance(step, str):
            return self._index(node).get(step)
        return None

    def _index(self, node: MappingNode) -> dict[str | None, tuple[Node, Node]]:
        """Key -> its node and the one of its value; those of the mapping itself go before merged ones."""
        if id(node) not in self._fields:
            fields: dict[str | None, tuple[Node, Node]] = {}
            self._fields[id(node)] = fields  # a mapping that merges itself ends here
            for key, value in node.value:
                if isinstance(key, ScalarNode) and key.value == "<<":
                    sources = value.value if isinstance(value, SequenceNode) else [value]
                    for source in reversed(sources):
                        fields |= self._index(source) if isinstance(source, MappingNode) else {}
            fields |= {_key(key): (key, value) for key, value in node.value if isinstance(key, ScalarNode)}
            self._fields[id(node)] = fields
        return self._fields[id(node)]


def _key(node: ScalarNode) -> str | None:
    value: Scalar = node.value if node.style in {"'", '"'} else plain(node.value)
    return key_text(value)
