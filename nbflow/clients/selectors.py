"""Label selectors as Kubernetes writes them: `app=x,tier!=db,env in (a,b),!old,new`; and field selectors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from nbflow.errors import NbflowError
from nbflow.spec.status import WorkflowObject

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


def labels_of(stored: Mapping[str, object]) -> Labels:
    """The labels of an object."""
    metadata = stored.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
    return {str(key): str(value) for key, value in labels.items()} if isinstance(labels, Mapping) else {}


FIELDS = ("metadata.name", "metadata.namespace")
"""What can be asked of a custom resource's fields."""


def parse_fields(text: str) -> Callable[[WorkflowObject], bool]:
    """A function that tells whether a workflow's fields are so. Raises NbflowError for what is no field selector."""
    wanted = []
    for part in text.split(",") if text.strip() else ():
        found = _EQUAL.match(part.strip())
        if found is None:
            raise NbflowError(f"{part!r} is no field selector", fix='write "metadata.name=my-workflow"')
        if found[1] not in FIELDS:
            raise NbflowError(f"field label not supported: {found[1]}", fix=f"one of: {', '.join(FIELDS)}")
        wanted.append((found[1].partition(".")[2], found[2] != "!=", found[3]))
    return lambda workflow: all(
        (str(workflow.metadata.get(key, "")) == value) is equal for key, equal, value in wanted
    )


def parse_pattern(text: str) -> re.Pattern[str] | None:
    """A regular expression, None for "". Raises NbflowError if it is none."""
    if not text:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise NbflowError(
            f"{text!r} is no regular expression: {error}", fix="quote special characters with \\"
        ) from error
