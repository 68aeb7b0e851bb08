"""Which variables a tag may name where the cursor is: those of the catalogue, with the names that the manifest has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from nbflow.notebook.completion.manifest import Manifest, items, mapping, name_of, waited_for
from nbflow.notebook.completion.outline import Step
from nbflow.templating.catalogue import VARIABLES, Variable, Where

_PODS = ("container", "script", "containerSet", "resource", "data")
_WITH_RESULT = ("container", "script", "containerSet", "data", "http", "plugin")
_LOOPS = ("withItems", "withParam", "withSequence")
_RESOURCES = ("cpu", "memory")
_FORMATS = ("RFC3339", "s", "Y", "m", "d", "H", "M", "S")
_PLACEHOLDER = re.compile(r"<(\w+)>")


def variables(manifest: Manifest, path: Sequence[Step], begun: str = "") -> list[tuple[str, str]]:
    """Names and meanings of the variables that are known at a path. begun: as far as one is written already."""
    places = set(_places(manifest, path))
    calls = {"steps": list(_steps_before(manifest, path)), "tasks": list(_tasks_before(manifest, path))}
    found: list[tuple[str, str]] = []
    for variable in sorted(VARIABLES, key=_rank):
        first, dot, _ = variable.name.partition(".")
        if not places.intersection(variable.where) or ("." in begun and not begun.startswith(first + dot)):
            continue
        if "<name>" in variable.name:
            found += _of_calls(manifest, variable, calls.get(first, []))
        elif _is_there(manifest, path, variable.name):
            names = _names(manifest, path, variable.name.partition("<")[0])
            found += ((name, variable.meaning) for name in _filled(variable.name, names))
    return found


def _is_there(manifest: Manifest, path: Sequence[Step], name: str) -> bool:
    """Whether a variable that stands for all parameters, or for a field, has something to stand for."""
    match name:
        case "workflow.parameters" | "workflow.parameters.json":
            return any(_names(manifest, path, "workflow.parameters."))
        case "inputs.parameters":
            return any(_names(manifest, path, "inputs.parameters."))
        case "workflow.priority":
            return "priority" in manifest.spec
        case "item":
            rounds = items(mapping(manifest.at(_call_path(manifest, path))).get("withItems"))
            return not rounds or not all(isinstance(one, dict) for one in rounds)
    return True


def _rank(variable: Variable) -> int:
    """What is nearest comes first."""
    order = ("inputs", "item", "steps", "tasks", "retries", "lastRetry", "outputs", "workflow")
    first = variable.name.split(".")[0]
    return order.index(first) if first in order else len(order)


def _places(manifest: Manifest, path: Sequence[Step]) -> Iterator[Where]:
    if manifest.kind == "CronWorkflow" and tuple(path[:2]) != ("spec", "workflowSpec"):
        yield Where.CRON
        return
    yield Where.WORKFLOW
    if "metrics" in path:
        yield Where.METRIC
    template, below = manifest.template_around(path), manifest.below_template(path)
    if not template:
        if "hooks" in path or path[-1:] == ("onExit",):
            yield Where.EXIT_HANDLER
        return
    yield Where.TEMPLATE
    if any(kind in template for kind in _PODS):
        yield Where.POD
    if "steps" in template:
        yield Where.STEPS
    if "dag" in template:
        yield Where.DAG
    if any(key in mapping(manifest.at(_call_path(manifest, path))) for key in _LOOPS) and below:
        yield Where.LOOP
    retried = (template, manifest.spec, mapping(manifest.spec.get("templateDefaults")))
    if any("retryStrategy" in owner for owner in retried):
        yield Where.RETRY
    if name_of(template) in _exit_handlers(manifest):
        yield Where.EXIT_HANDLER


def _call_path(manifest: Manifest, path: Sequence[Step]) -> Sequence[Step]:
    """Where the step or task that holds a path is; the path itself if none does."""
    below = manifest.below_template(path)
    start = len(path) - len(below)
    match list(below):
        case ["steps", int(), int(), *_]:
            return path[: start + 3]
        case ["dag", "tasks", int(), *_]:
            return path[: start + 3]
    return path


def _exit_handlers(manifest: Manifest) -> set[str]:
    """The names of the templates that run at the end, also through others."""
    hooks = [mapping(hook).get("template") for hook in mapping(manifest.spec.get("hooks")).values()]
    todo = [str(name) for name in (manifest.spec.get("onExit"), *hooks) if name]
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        todo += (str(mapping(call).get("template")) for call in _calls(manifest.template(name)))
    return found


def _calls(template: Mapping[str, object]) -> list[object]:
    """All steps or tasks of a template."""
    steps = [step for group in items(template.get("steps")) for step in items(group)]
    return [*steps, *items(mapping(template.get("dag")).get("tasks"))]


def _steps_before(manifest: Manifest, path: Sequence[Step]) -> Iterator[object]:
    """The steps that have ended when the one at `path` starts; all, for the outputs of the template."""
    groups = items(manifest.template_around(path).get("steps"))
    match list(manifest.below_template(path)):
        case ["steps", int(number), *_]:
            groups = groups[:number]
    yield from (step for group in groups for step in items(group))


def _tasks_before(manifest: Manifest, path: Sequence[Step]) -> Iterator[object]:
    """The tasks that the one at `path` waits for; all, for the outputs of the template."""
    tasks = items(mapping(manifest.template_around(path).get("dag")).get("tasks"))
    match list(manifest.below_template(path)):
        case ["dag", "tasks", int(number), *_]:
            tasks = waited_for(tasks, number)
    yield from tasks


def _of_calls(manifest: Manifest, variable: Variable, calls: Iterable[object]) -> Iterator[tuple[str, str]]:
    """A variable such as steps.<name>.outputs.parameters.<parameter>, for each step or task that has it."""
    rest = variable.name.partition("<name>")[2]
    for call in calls:
        name = name_of(call)
        template = manifest.target(call)
        if not name or not _has(rest, mapping(call), template):
            continue
        outputs = mapping(template.get("outputs"))
        inner = items(outputs.get("parameters" if "parameters" in rest else "artifacts"))
        full = variable.name.replace("<name>", name)
        yield from ((one, variable.meaning) for one in _filled(full, map(name_of, inner)))


def _has(rest: str, call: Mapping[str, object], template: Mapping[str, object]) -> bool:
    """Whether what a step or task calls gives that; of an unknown template, whatever any can give."""
    if rest == ".outputs.parameters":
        return any(key in call for key in _LOOPS)
    if not template:
        return rest in (".id", ".status", ".startedAt", ".finishedAt", ".outputs.result")
    if rest in (".outputs.result", ".exitCode"):
        return any(kind in template for kind in _WITH_RESULT)
    return rest != ".ip" or template.get("daemon") == "true"


def _filled(name: str, names: Iterable[str]) -> list[str]:
    """A name for each of those that may stand for its placeholder; itself if it has none."""
    found = _PLACEHOLDER.search(name)
    return [name.replace(found.group(), one, 1) for one in names if one] if found else [name]


def _names(manifest: Manifest, path: Sequence[Step], before: str) -> Iterable[str]:
    """What may stand for the placeholder behind `before`, such as "inputs.parameters."."""
    owner, _, side = before.rstrip(".").rpartition(".")
    match owner:
        case "workflow":
            return _of_workflow(manifest, side)
        case "cronworkflow":
            return mapping(mapping(manifest.data.get("metadata")).get(side))
        case "workflow.outputs":
            return _global_names(manifest, side)
        case "inputs" | "outputs":
            return (
                name_of(one)
                for template in _templates_around(manifest, path)
                for one in items(mapping(template.get(owner)).get(side))
            )
    if before == "item.":
        rounds = items(mapping(manifest.at(_call_path(manifest, path))).get("withItems"))
        return dict.fromkeys(key for one in rounds for key in mapping(one))
    return _RESOURCES if before == "resourcesDuration." else ()


def _of_workflow(manifest: Manifest, side: str) -> Iterable[str]:
    if side == "parameters":
        return [name_of(one) for one in items(mapping(manifest.spec.get("arguments")).get("parameters"))]
    if side == "creationTimestamp":
        return _FORMATS
    owners = (manifest.data.get("metadata"), manifest.spec.get("workflowMetadata"))
    return dict.fromkeys(key for owner in owners for key in mapping(mapping(owner).get(side)))


def _global_names(manifest: Manifest, side: str) -> list[str]:
    """The global names of outputs of all templates."""
    outputs = (mapping(mapping(template).get("outputs")).get(side) for template in manifest.templates)
    names = (mapping(one).get("globalName") for side_of_one in outputs for one in items(side_of_one))
    return [name for name in names if isinstance(name, str)]


def _templates_around(manifest: Manifest, path: Sequence[Step]) -> Iterator[Mapping[str, object]]:
    """The template that holds a path, and the one that is written inline there."""
    yield manifest.template_around(path)
    if "inline" in path:
        yield mapping(manifest.at(path[: list(path).index("inline") + 1]))
