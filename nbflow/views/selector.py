"""Node field selectors, `--node-field-selector phase=Failed,displayName!=a`, as Argo reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from nbflow.errors import NbflowError
from nbflow.spec.status import NodeStatus, parameter_values

FIELDS = (
    *("displayName", "templateName", "phase", "name", "id", "templateRef.name", "templateRef.template"),
    "inputs.parameters.NAME.value",
)
_PARAMETER = re.compile(r"inputs\.parameters\..+\.value")
_TERM = re.compile(r"^\s*(?P<field>[^=!\s]+)\s*(?P<operator>==|=|!=)\s*(?P<value>.*?)\s*$", re.DOTALL)


class Term(NamedTuple):
    """One condition. equal False: the field must differ."""

    field: str
    value: str
    equal: bool = True


def parse_selector(text: str) -> tuple[Term, ...]:
    """The conditions of a selector; all must hold. Raises NbflowError if it cannot be read."""
    return tuple(_term(part) for part in re.split(r"(?<!\\),", text) if part.strip())


def matches(terms: tuple[Term, ...], node: NodeStatus) -> bool:
    """Whether a node meets all conditions."""
    if not terms:
        return True
    known = fields_of(node)
    return all((known.get(term.field, "") == term.value) is term.equal for term in terms)


def fields_of(node: NodeStatus) -> dict[str, str]:
    """What a selector may ask of a node."""
    reference = node.extra.get("templateRef")
    reference = reference if isinstance(reference, Mapping) else {}
    known = {
        "displayName": node.display_name,
        "templateName": str(reference.get("template", "")) or node.template_name,
        "phase": node.phase.value if node.phase else "",
        "name": node.name,
        "id": node.id,
    }
    known.update(
        (f"templateRef.{key}", str(reference[key])) for key in ("name", "template") if key in reference
    )
    known.update((f"inputs.parameters.{k}.value", v) for k, v in parameter_values(node.inputs).items())
    return known


def _term(text: str) -> Term:
    found = _TERM.match(text)
    if found is None:
        raise NbflowError(
            f"the selector {text.strip()!r} cannot be read",
            fix="write FIELD=VALUE or FIELD!=VALUE, joined by commas",
        )
    if found["field"] not in FIELDS and not _PARAMETER.fullmatch(found["field"]):
        raise NbflowError(
            f"the selector {text.strip()!r} asks for a field that nodes lack",
            fix=f"one of {', '.join(FIELDS)}",
        )
    value = re.sub(r"\\(.)", r"\1", found["value"])
    return Term(found["field"], value, found["operator"] != "!=")
