"""Words without quotes that YAML takes for a number or a boolean, where the manifest means a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nbflow.errors import Severity
from nbflow.lint.report import Report
from nbflow.spec.scalars import any_text, plain

if TYPE_CHECKING:
    from yaml.nodes import Node

    from nbflow.spec.yaml import Document

_AMBIGUOUS = re.compile(
    r"(?:: +|- +|\[ *|, *)(?:[-+]?0\d+|[-+]?0[xXbBoO]\w+|[-+]?\d[\d_]*\.\d*0|\+\d[\d.]*|\d[\d.]*[eE][-+]?\d+|\d+_[\d_]+"
    r"|\d{16,}|[yYnN]|[yY]es|YES|[nN]o|NO|[oO]n|ON|[oO]ff|OFF)(?=\s|[],}]|$)"
)
"""A hint, looked for in the whole text: only a document that has one is parsed again."""
_TEXTS = frozenset({"value", "default"})
_LISTS = frozenset({"withItems", "enum"})


def advise_scalars(report: Report, document: Document) -> None:
    """Values of parameters and items of loops that become another text than the one that is written."""
    if _AMBIGUOUS.search(document.text) is None:
        return
    from nbflow.spec.positions import compose

    root = compose(document.text)
    for node in _texts(root) if root is not None else ():
        written = node.value
        value = plain(written) if written else None
        if value is None or isinstance(value, str):
            continue
        read = any_text(value)
        if read != written and written.lower() not in {"true", "false"}:
            kind = "boolean" if isinstance(value, bool) else "number"
            problem = f"YAML reads {written} as the {kind} {read}"
            finding = document.finding_at(
                "NBF227",
                node.start_mark.index,
                problem,
                fix=f'write "{written}" if it is a text',
                severity=Severity.WARNING,
            )
            report.findings.append(finding)


def _texts(root: Node) -> Iterator[Node]:
    """Plain scalars in the places of texts: values of parameters, items of loops and of enums."""
    from yaml.nodes import MappingNode, ScalarNode, SequenceNode

    todo: list[tuple[Node, str, bool]] = [(root, "", False)]
    seen: set[int] = set()
    while todo:
        node, key, inside = todo.pop()
        if isinstance(node, ScalarNode):
            if inside and node.style in {None, ""}:
                yield node
            continue
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, SequenceNode):
            todo += [(item, key, key in _LISTS) for item in node.value]
        elif isinstance(node, MappingNode):
            texts = key == "parameters"
            todo += [
                (value, name.value, (texts and name.value in _TEXTS) or (key == "withItems"))
                for name, value in node.value
                if isinstance(name, ScalarNode)
            ]
