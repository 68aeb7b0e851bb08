"""Label selectors as Kubernetes writes them: `app=x,tier!=db,env in (a,b),!old,new`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from nbflow.errors import NbflowError

Labels = Mapping[str, str]
Requirement = Callable[[Labels], bool]

_SET = re.compile(r"^(\S+)\s+(in|notin)\s*\(([^()]*)\)$")
_EQUAL = re.compile(r"^([^=!\s]+)\s*(==|=|!=)\s*(\S*)$")
_KEY = re.compile(r"^(!?)\s*([\w./-]+)$")
_COMMA = re.compile(r",(?![^(]*\))")


def parse_selector(text: str) -> Requirement:
    """A function that tells whether labels meet all requirements. Raises NbflowError for what is no selector."""
    requirements = [_requirement(part.strip()) for part in _COMMA.split(text) if part.strip()]
    return lambda labels: all(meets(labels) for meets in requirements)


def _requirement(part: str) -> Requirement:
    if found := _SET.match(part):
        key, word, listed = found.groups()
        values = {value.strip() for value in listed.split(",")}
        if word == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _EQUAL.match(part):
        key, sign, value = found.groups()
        if sign == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _KEY.match(part):
        negated, key = found.groups()
        return lambda labels: (key in labels) is not bool(negated)
    raise NbflowError(
        f"{part!r} is no label selector",
        fix='write "key=value", "key!=value", "key in (a,b)", "key" or "!key"',
    )
