"""What can be written where the cursor is: fields, values, names of templates, tasks and parameters, variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from nbflow.commands.explaining import Field, fields_of, inner_type, kind_text, type_meaning
from nbflow.notebook.completion.manifest import Manifest, items, mapping, name_of
from nbflow.notebook.completion.outline import Outline, Place, Step, read
from nbflow.notebook.completion.variables import variables
from nbflow.spec.fields import KINDS, OBJECTS, table
from nbflow.spec.meanings import values_of

MOST = 300
"""More candidates than this help nobody."""
_DEPENDS = ("Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned", "AnySucceeded", "AllFailed")


class Candidate(NamedTuple):
    """What could be inserted, and what it is, in a line."""

    text: str
    about: str = ""


class Completion(NamedTuple):
    """Candidates for the last characters before the cursor: `fragment`."""

    fragment: str
    candidates: Sequence[Candidate]


Stored = Callable[[str], Iterable[str]]
"""Kind -> names of the stored objects of that kind."""


def complete(text: str, cursor: int, stored: Stored = lambda kind: ()) -> Completion:
    """What fits at that character of a manifest. stored: names of objects that are not in the text."""
    outline = read(text, cursor)
    place = outline.place
    if place is None:
        return Completion("", ())
    manifest = Manifest(outline.current, outline.documents)
    if outline.tag is not None:
        return _in_tag(manifest, place, outline.tag)
    line_end = text[cursor:].partition("\n")[0]
    found = list(_at(manifest, place, closed=_goes_on(line_end), stored=stored))
    fragment = _fragment(place, outline)
    return Completion(fragment, _fitting(found, fragment))


def _goes_on(rest: str) -> bool:
    """Whether there is something behind the cursor that a key must not run into."""
    return rest.strip()[:1] not in ("", ",", "}", "]", "#")


def _fragment(place: Place, outline: Outline) -> str:
    """What of the text before the cursor a candidate replaces."""
    if place.path[-1:] in (("depends",), ("target",)):
        return re.split(r"[^\w.-]", place.before)[-1]
    return place.before if outline.tag is None else ""


def _in_tag(manifest: Manifest, place: Place, tag: str) -> Completion:
    expression = tag.startswith("=")
    fragment = re.split(r"[^\w.\-\[\]']", tag)[-1] if expression else tag.lstrip()
    known = variables(manifest, place.path, fragment)
    found = [Candidate(_in_expression(name) if expression else name, about) for name, about in known]
    return Completion(fragment, _fitting(found, fragment))


def _in_expression(name: str) -> str:
    """A variable as an expression spells it: parts with a dash in brackets."""
    first, *rest = name.split(".")
    return first + "".join(f".{part}" if part.isidentifier() else f"['{part}']" for part in rest)


def _fitting(found: Iterable[Candidate], fragment: str) -> list[Candidate]:
    """Those that begin as the fragment does, the case of letters aside; else those that hold it."""
    wanted = fragment.lower()
    unique = list(dict.fromkeys(found))
    begins = [one for one in unique if one.text.lower().startswith(wanted)]
    return (begins or [one for one in unique if wanted in one.text.lower()])[:MOST]


def _at(manifest: Manifest, place: Place, *, closed: bool, stored: Stored) -> Iterator[Candidate]:
    """All candidates at a place, whatever is written there already."""
    kind = type_at(manifest, place.path)
    if place.key and inner_type(kind) in table() and not kind.startswith(("[]", "map ")):
        yield from _keys(manifest, place, kind, closed=closed)
    elif place.key and not place.value:
        yield from _free_keys(place.path, kind)
    if place.value:
        yield from _values(manifest, place.path, stored)


def type_at(manifest: Manifest, path: Sequence[Step]) -> str:
    """The type of what stands at a path; "" if the tables do not know."""
    kind = manifest.kind or "Workflow"
    current = kind if kind in KINDS else OBJECTS.get(kind, "")
    for step in path:
        if isinstance(step, int):
            current = current.removeprefix("[]") if current.startswith("[]") else ""
        elif current.startswith("map "):
            current = current[4:]
        else:
            current = table().get(current, {}).get(step, "")
    return current


def _keys(manifest: Manifest, place: Place, kind: str, *, closed: bool) -> Iterator[Candidate]:
    """The fields that are not there yet."""
    there = mapping(manifest.at(place.path))
    for field in _ordered(fields_of(kind), place.path):
        if field.name not in there or field.name == place.written:
            yield Candidate(field.name if closed else _opened(field), about(field))


def _ordered(fields: Iterable[Field], path: Sequence[Step]) -> list[Field]:
    """`name` first, then by name; what only a controller writes is left out."""
    shown = (field for field in fields if not (not path and field.name == "status"))
    return sorted(shown, key=lambda field: (field.name != "name", field.name))


def _opened(field: Field) -> str:
    """A field with its colon, and a blank where a plain value follows."""
    deep = field.kind.startswith(("[]", "map ")) or field.kind in table()
    return f"{field.name}:" if deep else f"{field.name}: "


def about(field: Field) -> str:
    """A field in a line: its type, and what it is for."""
    return " · ".join(part for part in (kind_text(field.kind), field.meaning) if part)


def _free_keys(path: Sequence[Step], kind: str) -> Iterator[Candidate]:
    if path[-1:] == ("hooks",):
        yield Candidate("exit:", "a template that runs at the end")
    elif kind.startswith("map ") and path[-1:] in (("limits",), ("requests",)):
        yield from (Candidate(f"{name}: ", about) for name, about in _RESOURCES)


_RESOURCES = (("cpu", "cores, such as 500m or 2"), ("memory", "bytes, such as 64Mi or 2Gi"))


def _values(manifest: Manifest, path: Sequence[Step], stored: Stored) -> Iterator[Candidate]:
    """The values that a field may have here."""
    steps = [step for step in path if isinstance(step, str)]
    if not steps:
        return
    field, owner_path = steps[-1], path[: len(path) - 1 - [*reversed(path)].index(steps[-1])]
    owner = type_at(manifest, owner_path)
    yield from (Candidate(value, "one of its values") for value in values_of(owner, field))
    if path == ("kind",):
        kinds = {**{kind: kind for kind in sorted(KINDS)}, **OBJECTS}
        yield from (Candidate(kind, type_meaning(kinds[kind]) or kind) for kind in kinds)
    elif path == ("apiVersion",):
        yield Candidate("v1" if manifest.kind in OBJECTS else "argoproj.io/v1alpha1", "version of the API")
    elif owner in ("Parameter", "Artifact"):
        yield from _arguments(manifest, owner_path, owner, field)
    else:
        yield from _references(manifest, owner_path, owner, field)
        if field == "name":
            yield from _objects(owner, stored, manifest, owner_path)


def _references(manifest: Manifest, path: Sequence[Step], owner: str, field: str) -> Iterator[Candidate]:
    """What a field refers to by its name. path: of what holds the field."""
    match owner, field:
        case ("WorkflowStep" | "DAGTask" | "LifecycleHook", "template" | "onExit"):
            yield from _templates(manifest)
        case ("WorkflowSpec", "entrypoint" | "onExit"):
            yield from _templates(manifest)
        case ("DAGTask", "dependencies" | "depends"):
            yield from _tasks(manifest, path, logic=field == "depends")
        case ("DAGTemplate", "target"):
            yield from _tasks(manifest, (*path, "tasks", -1), logic=False)
        case ("TemplateRef", "template"):
            yield from _templates(manifest.other(name_of(manifest.at(path))))
        case ("V1VolumeMount", "name"):
            yield from (Candidate(name, "volume") for name in manifest.volumes(path))
        case ("ValueFrom", "parameter"):
            yield from _tags(manifest, path, ".outputs.")
        case (_, "withParam"):
            yield from _tags(manifest, path, "")


def _templates(manifest: Manifest | None) -> Iterator[Candidate]:
    for template in manifest.templates if manifest else ():
        if name := name_of(template):
            yield Candidate(name, template_about(template))


def template_about(template: object) -> str:
    """A template in a line: what it is, and what it takes."""
    data = mapping(template)
    kind = next((kind for kind in _KINDS_OF_TEMPLATES if kind in data), "")
    taken = [name_of(one) for one in items(mapping(data.get("inputs")).get("parameters"))]
    takes = f"takes {', '.join(taken)}" if taken else ""
    return " · ".join(part for part in (f"{kind} template".strip(), takes) if part)


_KINDS_OF_TEMPLATES = (
    "container", "containerSet", "script", "steps", "dag", "resource", "suspend", "http", "data", "plugin",
)  # fmt: skip


def _tasks(manifest: Manifest, path: Sequence[Step], *, logic: bool) -> Iterator[Candidate]:
    """The other tasks of a DAG."""
    tasks = items(manifest.at(path[:-1]))
    for index, task in enumerate(tasks):
        name = name_of(task)
        if not name or index == path[-1]:
            continue
        yield Candidate(name, f"task · {mapping(task).get('template') or ''}".rstrip(" ·"))
        if logic:
            yield from (Candidate(f"{name}.{end}", "how it ended") for end in _DEPENDS)


def _arguments(manifest: Manifest, path: Sequence[Step], owner: str, field: str) -> Iterator[Candidate]:
    """Names and values of arguments, as the template that is called wants them."""
    call_path = path[:-3]
    called = manifest.called(call_path)
    side = "parameters" if owner == "Parameter" else "artifacts"
    wanted = items(mapping(mapping(called).get("inputs")).get(side))
    given = mapping(manifest.at(path))
    if path[-3:-2] != ("arguments",):
        wanted = []
    if field == "name":
        there = {name_of(one) for one in items(manifest.at(path[:-1])) if one is not given}
        for one in wanted:
            if name_of(one) and name_of(one) not in there - {name_of(given)}:
                yield Candidate(name_of(one), _wanted_about(one))
    elif field == "value":
        one = next((one for one in wanted if name_of(one) == name_of(given)), {})
        yield from (Candidate(str(value), "one of its values") for value in items(mapping(one).get("enum")))
    elif field == "from":
        yield from _tags(manifest, path, "artifacts")


def _wanted_about(parameter: object) -> str:
    data = mapping(parameter)
    default = data.get("default", data.get("value"))
    known = "" if default is None else f"{default} if it is not given"
    return " · ".join(str(part) for part in (data.get("description"), known) if part)


def _tags(manifest: Manifest, path: Sequence[Step], part: str) -> Iterator[Candidate]:
    """Whole tags whose variables have `part` in their names."""
    for name, told in variables(manifest, path):
        if part in name and name.startswith(("inputs.", "steps.", "tasks.", "workflow.parameters.")):
            yield Candidate(f'"{{{{{name}}}}}"', told)


_KINDS_BY_OWNER = {
    "V1SecretKeySelector": "Secret",
    "V1SecretEnvSource": "Secret",
    "V1ConfigMapKeySelector": "ConfigMap",
    "V1ConfigMapEnvSource": "ConfigMap",
    "V1ConfigMapVolumeSource": "ConfigMap",
    "TemplateRef": "WorkflowTemplate",
    "WorkflowTemplateRef": "WorkflowTemplate",
}


def _objects(owner: str, stored: Stored, manifest: Manifest, path: Sequence[Step]) -> Iterator[Candidate]:
    """Names of objects that a field refers to: those in the same text, and the stored ones."""
    kind = _KINDS_BY_OWNER.get(owner, "")
    if not kind:
        return
    if kind == "WorkflowTemplate" and mapping(manifest.at(path)).get("clusterScope") == "true":
        kind = "ClusterWorkflowTemplate"
    names = [*manifest.named(kind), *stored(kind)]
    yield from (Candidate(name, kind) for name in dict.fromkeys(names) if name)
