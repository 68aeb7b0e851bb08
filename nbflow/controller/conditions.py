"""successCondition and failureCondition: Kubernetes' label selectors, asked of any field of an object. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from nbflow.errors import NbflowError

_KEY = r"[A-Za-z0-9](?:[\w./-]*[A-Za-z0-9])?"
_SET = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^()]*)\)")
_COMPARED = re.compile(rf"({_KEY})\s*(==|=|!=|>|<)\s*([\w.-]*)")
_EXISTS = re.compile(rf"(!?)\s*({_KEY})")
_SPLIT = re.compile(r",(?![^()]*\))")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One comparison. operator: in, notin, >, <, exists, absent. text: as Argo's messages show it."""

    key: str
    operator: str
    values: tuple[str, ...] = ()
    text: str = ""

    def matches(self, item: Mapping[str, object]) -> bool:
        """Whether the field of an object is so; a field that is absent is only `!=`, `notin` or absent."""
        value = field_text(item, self.key)
        match self.operator:
            case "exists":
                return value is not None
            case "absent":
                return value is None
            case "in":
                return value is not None and value in self.values
            case "notin":
                return value is None or value not in self.values
        if value is None or not re.fullmatch(r"[-+]?\d+", value):
            return False
        number, limit = int(value), int(self.values[0])
        return number > limit if self.operator == ">" else number < limit


def parse(condition: str, name: str) -> list[Requirement]:
    """The comparisons of a condition, all of which count. name: for the error. Raises NbflowError."""
    return [_requirement(part.strip(), condition, name) for part in _SPLIT.split(condition) if part.strip()]


def _requirement(part: str, condition: str, name: str) -> Requirement:
    if found := _SET.fullmatch(part):
        values = tuple(sorted(value.strip() for value in found[3].split(",")))
        return Requirement(found[1], found[2], values, _text(found[1], found[2], *values))
    if found := _COMPARED.fullmatch(part):
        operator = {"==": "in", "=": "in", "!=": "notin"}.get(found[2], found[2])
        if operator in "<>" and not re.fullmatch(r"\d+", found[3]):
            raise NbflowError(
                f"{name} '{condition}' failed to parse: {part}: a whole number has to follow {operator}"
            )
        said = {">": "gt", "<": "lt"}.get(found[2], found[2])
        return Requirement(found[1], operator, (found[3],), _text(found[1], said, found[3]))
    if found := _EXISTS.fullmatch(part):
        said = found[1] or "exists"
        return Requirement(found[2], "absent" if found[1] else "exists", (), _text(found[2], said))
    raise NbflowError(
        f"{name} '{condition}' failed to parse: {part}",
        fix="write it as a label selector: status.succeeded > 0",
    )


def _text(key: str, operator: str, *values: str) -> str:
    """Go's way to print one."""
    return f"{{{key} {operator} [{' '.join(values)}]}}"


def field_text(item: object, path: str) -> str | None:
    """The field that a dotted path names, as text; None if there is none. A number in the path counts a list."""
    value = item
    for part in path.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
