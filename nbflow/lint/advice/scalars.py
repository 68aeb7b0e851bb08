"""Words without quotes that YAML takes for a number or a boolean, where the manifest means a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import cast

from nbflow.errors import Severity
from nbflow.lint.report import Report
from nbflow.spec.positions import Places
from nbflow.spec.scalars import Scalar, any_text
from nbflow.spec.yaml import Document

_WORD = re.compile(r"[^\s,\[\]{}]+")
_TEXTS = frozenset({"value", "default"})
_LISTS = frozenset({"withItems", "enum"})


def advise_scalars(report: Report, document: Document) -> None:
    """Values of parameters and items of loops that become another text than the one that is written."""
    changed = _changed(document.built.words)
    if not changed or not document.built.trail:
        return
    secret = {finding.position for finding in report.findings if finding.rule == "NBF228"}
    for offset in _texts(document.places):
        if document.file.position(document.offset + offset) in secret:
            continue  # what is wrong with it would be told by telling it
        found = _WORD.match(document.text, offset)
        written = found.group() if found else ""
        if written in changed:
            value = changed[written]
            kind = "boolean" if isinstance(value, bool) else "number"
            problem = f"YAML reads {written} as the {kind} {any_text(value)}"
            fix = f'write "{written}" if it is a text'
            report.findings.append(
                document.finding_at("NBF227", offset, problem, fix=fix, severity=Severity.WARNING)
            )


def _changed(words: Mapping[str, object]) -> dict[str, Scalar]:
    """The words of a document that become another text, and what they become."""
    return {
        word: cast("Scalar", value)
        for word, value in words.items()
        if isinstance(value, bool | int | float)
        and any_text(value) != word
        and word.lower() not in {"true", "false"}
    }


def _texts(places: Places) -> Iterator[int]:
    """Where scalars begin that are texts for Argo: values of parameters, items of loops and of enums."""
    todo: list[tuple[int, str, bool]] = [(0, "", False)]
    seen: set[int] = set()
    while todo:
        node, key, inside = todo.pop()
        if places.is_scalar(node):
            if inside:
                yield places.start(node)
        elif node not in seen:
            seen.add(node)
            for step, (_, value) in places.inside(node).items():
                if isinstance(step, int):
                    todo.append((value, key, key in _LISTS))
                else:
                    todo.append((value, step, (key == "parameters" and step in _TEXTS) or key == "withItems"))
