"""Explain: what a field of a manifest or a variable of a template means, from the tables that lint reads."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from nbflow.errors import NbflowError
from nbflow.kube import meanings as kubernetes
from nbflow.spec.fields import KINDS, RENAMED, table
from nbflow.spec.meanings import meaning_of_field, meaning_of_type, values_of
from nbflow.spec.similar import nearest
from nbflow.templating.catalogue import VARIABLES, Variable, find_variable

_PLACES = 6
_SHORT = {
    "wf": "Workflow",
    "wftmpl": "WorkflowTemplate",
    "cwf": "CronWorkflow",
    "cwft": "ClusterWorkflowTemplate",
}
_PLAIN = {
    "any": "anything",
    "any-string": "text",
    "bytes": "base64",
    "boolean": "true or false",
    "int-or-string": "integer or text",
    "int32": "integer",
    "quantity": "quantity, such as 64Mi or 500m",
    "string": "text",
    "time": "time, RFC 3339",
}
_ROOTS = ("Workflow", "WorkflowTemplate", "CronWorkflow", "ClusterWorkflowTemplate", "WorkflowEventBinding")


class Field(NamedTuple):
    """One field of a type. kind: its type as the table writes it."""

    owner: str
    name: str
    kind: str

    @property
    def meaning(self) -> str:
        """What it is for, in a line."""
        return field_meaning(self.owner, self.name)

    @property
    def inner(self) -> str:
        """The type of what it holds, without lists and maps around it."""
        return inner_type(self.kind)


class Explanation(NamedTuple):
    """What a name means. path: the name in full. fields: what it holds. values: those that it may have."""

    what: str
    path: str
    kind: str
    meaning: str
    values: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    notes: tuple[str, ...] = ()


def explain(name: str) -> list[Explanation]:
    """All that a name can mean: a field by its path ("workflow.spec.entrypoint") or by any part of it
    ("retryStrategy.backoff"), a type, or a variable ("inputs.parameters.x").

    Raises NbflowError with near misses if it means nothing.
    """
    wanted = re.sub(r"\[\d*\]", "", name.strip().removeprefix("{{").removesuffix("}}").strip()).strip(".")
    wanted = re.sub(r"[<>]", "", wanted)
    if not wanted:
        raise NbflowError("nothing was asked for", fix="explain workflow.spec, or explain retryStrategy")
    found = [*_variables(wanted), *_by_path(wanted)]
    return found or _whole_type(wanted) or _not_found(wanted)


def kinds() -> list[tuple[str, str]]:
    """The kinds of objects, as a path to a field begins, and what they are."""
    return [(f"{kind[0].lower()}{kind[1:]}", type_meaning(kind)) for kind in _ROOTS]


def variables_by_place() -> list[tuple[str, list[Variable]]]:
    """The variables, by where they are known."""
    places: dict[str, list[Variable]] = {}
    for variable in VARIABLES:
        places.setdefault(" or ".join(variable.where), []).append(variable)
    return list(places.items())


def known_names() -> Iterator[tuple[str, str]]:
    """All that can be asked for by a single name, with what it is: fields of Argo's, then variables."""
    found: dict[str, str] = {}
    for owner in _shortest_paths():
        if not owner.startswith(("V1", "Core")):
            for name in table()[owner]:
                found.setdefault(name, meaning_of_field(owner, name))
    yield from sorted(found.items())
    yield from ((variable.name, variable.meaning) for variable in VARIABLES)


def fields_of(type_name: str) -> list[Field]:
    """The fields of a type, by name; empty for what has none."""
    return [Field(type_name, name, kind) for name, kind in sorted(table().get(type_name, {}).items())]


def inner_type(kind: str) -> str:
    """A type without the lists and maps around it."""
    while kind.startswith(("[]", "map ")):
        kind = kind.removeprefix("[]").removeprefix("map ")
    return kind


def kind_text(kind: str) -> str:
    """A type in words."""
    if kind.startswith("[]"):
        return f"list of {kind_text(kind[2:])}"
    if kind.startswith("map "):
        return f"map of {kind_text(kind[4:])}"
    return _PLAIN.get(kind, re.sub(r"^(?:Core)?V1(?=[A-Z])", "", kind))


def field_meaning(owner: str, name: str) -> str:
    """What a field is for, in a line: in our words for Argo's types, in the client's for those of Kubernetes."""
    for type_name in (owner, *_LIKE_A_CONTAINER.get(owner, ())):
        if type_name.startswith(("V1", "Core")):
            known = kubernetes.meanings(type_name).get(name)
            return known or type_meaning(inner_type(table().get(type_name, {}).get(name, "")))
        if (own := meaning_of_field(type_name, name)) and not _is_the_container_s(type_name, name):
            return own
    return ""


def _is_the_container_s(owner: str, name: str) -> bool:
    return owner in _LIKE_A_CONTAINER and name in table()["V1Container"]


_LIKE_A_CONTAINER = dict.fromkeys(("ScriptTemplate", "UserContainer", "ContainerNode"), ("V1Container",))


def type_meaning(type_name: str) -> str:
    """What a type is, in a line."""
    if type_name.startswith(("V1", "Core")):
        return kubernetes.meanings(type_name).get("", "")
    return meaning_of_type(type_name)


def _variables(wanted: str) -> Iterator[Explanation]:
    """The variable of that name, or all that begin with it."""
    exact = find_variable(wanted) if "." in wanted or wanted in _SINGLE else None
    found = [exact] if exact else [v for v in VARIABLES if v.name.startswith(f"{wanted}.")]
    if exact is None and len(found) > 1 and "." not in wanted and wanted in _all_fields():
        found = []  # `inputs` alone is the field
    yield from (_variable(variable) for variable in found)


_SINGLE = {variable.name for variable in VARIABLES if "." not in variable.name}


def _variable(variable: Variable) -> Explanation:
    where = tuple(f"known {place}" for place in variable.where)
    since = (f"since Argo Workflows v{variable.since}",) if variable.since else ()
    return Explanation("VARIABLE", f"{{{{{variable.name}}}}}", "", variable.meaning, notes=(*where, *since))


def _by_path(wanted: str) -> Iterator[Explanation]:
    """Fields by a path that begins at a kind, or at any field."""
    first, *rest = wanted.split(".")
    kind = _kind(first)
    if kind:
        if found := _walk(kind, rest):
            yield _explained(f"{kind[0].lower()}{kind[1:]}.{'.'.join(f.name for f in found)}", found[-1])
        elif not rest:
            yield _explained_type(kind)
        return
    seen: set[tuple[str, str]] = set()
    for start in _starting_with(first):
        path = _walk(start.owner, [first, *rest])
        mark = (path[-1].owner, path[-1].name) if path else ("", "")
        if path and mark not in seen and len(seen) < _PLACES:
            seen.add(mark)
            before = _shortest_paths().get(start.owner, "")
            yield _explained(".".join([before, *(f.name for f in path)]).strip("."), path[-1])


def _walk(type_name: str, names: Sequence[str]) -> list[Field]:
    """The fields on a path, the case of letters aside; empty if it leads nowhere."""
    found: list[Field] = []
    for name in names:
        known = table().get(type_name, {})
        field = name if name in known else next((f for f in known if f.lower() == name.lower()), "")
        if not field:
            return []
        found.append(Field(type_name, field, known[field]))
        type_name = found[-1].inner
    return found


def _explained(path: str, field: Field) -> Explanation:
    deeper = tuple(fields_of(field.inner))
    return Explanation(
        "FIELD", path, kind_text(field.kind), field.meaning, values_of(field.owner, field.name), deeper
    )


def _explained_type(name: str) -> Explanation:
    path = _shortest_paths().get(name, "")
    return Explanation("TYPE", name, path and f"at {path}", type_meaning(name), fields=tuple(fields_of(name)))


def _whole_type(wanted: str) -> list[Explanation]:
    """A type by its name: RetryStrategy, Container."""
    lowered = {name.lower(): name for name in table()}
    name = lowered.get(wanted.lower()) or lowered.get(f"v1{wanted.lower()}")
    return [_explained_type(name)] if name else []


def _kind(name: str) -> str:
    return _SHORT.get(name.lower()) or next((k for k in KINDS if k.lower() == name.lower()), "")


def _starting_with(name: str) -> list[Field]:
    """The fields of that name, those nearest to the top first."""
    known = (
        Field(owner, field, kind) for owner in _shortest_paths() for field, kind in table()[owner].items()
    )
    return [field for field in known if field.name.lower() == name.lower()]


@cache
def _all_fields() -> frozenset[str]:
    return frozenset(name for owner in _shortest_paths() for name in table()[owner])


@cache
def _shortest_paths() -> dict[str, str]:
    """Type -> where it first appears in a manifest, nearest to the top first. What a controller writes is left out."""
    paths = {kind: f"{kind[0].lower()}{kind[1:]}" for kind in _ROOTS}
    todo = deque(_ROOTS)
    while todo:
        owner = todo.popleft()
        for field in fields_of(owner):
            if field.inner in table() and field.inner not in paths and (owner, field.name) not in _WRITTEN:
                paths[field.inner] = f"{paths[owner]}.{field.name}"
                todo.append(field.inner)
    return paths


_WRITTEN = {*((kind, "status") for kind in _ROOTS), ("WorkflowSpec", "templateDefaults")}
"""Where nobody looks for a type first."""


def _not_found(wanted: str) -> list[Explanation]:
    *before, last = wanted.split(".")
    names: set[str] = set()
    if before and (start := _kind(before[0])):
        walked = _walk(start, before[1:])
        owner = walked[-1].inner if walked else start if len(before) == 1 else ""
        names = {f"{'.'.join(before)}.{field.name}" for field in fields_of(owner)}
        names |= {v.name for v in VARIABLES if v.name.startswith(f"{'.'.join(before)}.")}
    everything = names or {*_all_fields(), *(v.name for v in VARIABLES)}
    close = nearest(wanted, everything) or nearest(last, _all_fields()) or nearest(wanted, table())
    fix = (
        f"did you mean `{close}`?"
        if close
        else "a field is workflow.spec.entrypoint, a variable workflow.name"
    )
    renamed = next((fix for (_, name), fix in RENAMED.items() if name == last), "")
    raise NbflowError(f"there is no field and no variable {wanted!r}", fix=renamed or fix)
