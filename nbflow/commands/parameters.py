"""Parameters from the command line and from files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from nbflow.commands.manifests import read_bytes
from nbflow.errors import Finding, NbflowError, Severity
from nbflow.revise.submit import SubmitOptions, split_parameter

if TYPE_CHECKING:
    from yaml import YAMLError

    from nbflow.spec.yaml import Document


def read_parameter_file(path: str) -> tuple[str, ...]:
    """A YAML or JSON mapping as NAME=VALUE texts; what is no string becomes JSON, as Argo reads it.

    Raises NbflowError if it cannot be read or is no mapping.
    """
    import yaml

    try:
        data = yaml.safe_load(read_bytes(path))
    except yaml.YAMLError as error:
        raise _no_yaml(error, path) from error
    if data is None:
        return ()
    if not isinstance(data, dict):
        raise NbflowError(
            "a parameter file holds one mapping", where=path, fix="write NAME: VALUE, one a line"
        )
    return tuple(f"{_plain(name)}={_plain(value)}" for name, value in data.items())


def unknown_parameters(workflows: Sequence[Document], options: SubmitOptions) -> Iterator[Finding]:
    """A warning for each parameter given that no workflow declares or uses."""
    from nbflow.spec.similar import did_you_mean

    for name in dict.fromkeys(split_parameter(text)[0] for text in options.parameters):
        declared = [known for document in workflows for known in _declared(document.data, options.entrypoint)]
        if name in declared or any(_uses(document.data, name) for document in workflows):
            continue
        listed = f"it declares {', '.join(dict.fromkeys(declared))}" if declared else "it declares none"
        problem = f"the workflow declares no parameter '{name}'"
        fix = did_you_mean(name, declared) or f"{listed}: declare it in `spec.arguments.parameters`"
        yield Finding("NBF202", problem, Severity.WARNING, fix=fix)


def _declared(workflow: Mapping[str, object], entrypoint: str) -> Iterator[str]:
    """Parameters of the workflow and inputs of its entrypoint."""
    spec = _mapping(workflow.get("spec"))
    yield from _names(spec.get("arguments"))
    start = entrypoint or spec.get("entrypoint")
    templates = spec.get("templates")
    for template in templates if isinstance(templates, list) else ():
        if isinstance(template, Mapping) and template.get("name") == start:
            yield from _names(template.get("inputs"))


def _names(owner: object) -> Iterable[str]:
    parameters = _mapping(owner).get("parameters")
    found = parameters if isinstance(parameters, list | tuple) else ()
    return (str(p["name"]) for p in found if isinstance(p, Mapping) and "name" in p)


def _uses(workflow: Mapping[str, object], name: str) -> bool:
    """Whether a tag names it, or the parameters are declared where we do not look."""
    spec = _mapping(workflow.get("spec"))
    text = json.dumps(spec, default=str)
    return "workflowTemplateRef" in spec or f"workflow.parameters.{name}" in text


def _plain(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _no_yaml(error: YAMLError, path: str) -> NbflowError:
    """What the parser says, at the place that it names."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else path
    said = problem or getattr(error, "reason", None) or "it cannot be read"
    return NbflowError(f"this is no YAML: {said}", where=place, fix="write NAME: VALUE, one a line")
