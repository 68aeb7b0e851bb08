"""DAGs: tasks that wait for tasks that are there, in no ring, and know only what they waited for."""

from __future__ import annotations

from functools import cached_property, partial

from nbflow.lint.arguments import MADE_UP, check_arguments, supply
from nbflow.lint.calls import check_call, check_hook_templates
from nbflow.lint.check import Check, add_outputs
from nbflow.lint.filling import Values, fill, is_reference, shown
from nbflow.lint.loops import add_items, is_aggregated, is_loop
from nbflow.lint.names import check_names
from nbflow.lint.objects import Json, Template, items, mapping, text
from nbflow.lint.report import Report, Where
from nbflow.lint.scope import Scope
from nbflow.lint.steps import check_no_leaf_fields
from nbflow.lint.tags import check_tags
from nbflow.lint.templates import check_template
from nbflow.spec.similar import did_you_mean
from nbflow.templating.depends import ITEM_RESULTS, RESULTS, depends_tasks
from nbflow.topology import cycle, dependencies, sort

Graph = dict[str, tuple[str, ...]]


def check_dag(check: Check, template: Template, scope: Scope, values: Values) -> None:
    """The graph first, then what each task calls, then what it says."""
    report, where, said = check.report, template.where.at("dag"), f"templates.{template.name}"
    check_no_leaf_fields(report, template)
    dag = mapping(template.data, "dag")
    tasks = items(dag, "tasks")
    if not tasks:
        report.error("NBF142", where, f"{said} must have at least one task", "add `tasks:`")
    check_names(report, where.at("tasks"), tasks, f"{said}.tasks", values=values)
    graph = task_graph(tasks)
    sound = _check_graph(report, where.at("tasks"), tasks, graph, said)
    called: dict[str, Template | None] = {}
    position = {text(task, "name"): index for index, task in enumerate(tasks)}
    order = [(position[name], tasks[position[name]]) for name in sort(graph) if name in position]
    for index, task in order:
        called[text(task, "name")] = _check_call(
            check, where.at("tasks", index), task, template, scope, values
        )
    _check_target(report, where.at("target"), dag, tasks, scope, values, said)
    past = _Past(graph, tasks, sound=sound)
    for index, task in order:
        place = where.at("tasks", index)
        _check_task(check, place, task, template, scope, values, past)
        found = called[text(task, "name")]
        if found is not None:
            reached = place.after(f"{said}.tasks.{text(task, 'name')}")
            given = supply(mapping(task, "arguments"))
            check_template(check, found, given, reached, argument_of="the task")


def task_graph(tasks: list[Json]) -> Graph:
    """Task -> the tasks that it waits for."""
    return {text(task, "name"): dependencies(text(task, "depends"), _names(task)) for task in tasks}


def _names(task: Json) -> list[str]:
    names = task.get("dependencies")
    return names if isinstance(names, list) else []


class _Past:
    """What tasks may know of others: whether they waited for them. Worked out for all at once, when first asked.

    sound: the graph has no ring and no loose end; nothing is said about a broken one.
    """

    def __init__(self, graph: Graph, tasks: list[Json], *, sound: bool) -> None:
        self._graph, self._sound = graph, sound
        self._hooked = {text(task, "name") for task in tasks if mapping(task, "hooks")}

    @cached_property
    def _ancestors(self) -> dict[str, int]:
        """Task -> the tasks it waited for, a bit for each."""
        found: dict[str, int] = {}
        for name in sort(self._graph):
            found[name] = 0
            for needed in self._graph[name]:
                found[name] |= found[needed] | self._bits[needed]
        return found

    @cached_property
    def _bits(self) -> dict[str, int]:
        return {name: 1 << number for number, name in enumerate(self._graph)}

    def knows(self, name: str) -> bool:
        """Whether there is a task of that name."""
        return name in self._graph

    def holds(self, task: str, name: str) -> bool:
        """Whether `task` waited for `name`."""
        return not self._sound or bool(self._ancestors[task] & self._bits.get(name, 0))

    def resolves(self, task: str, tag: str) -> bool:
        """`tasks.NAME.status` of those it waited for, and of those whose hooks may ask for it."""
        if not tag.startswith("tasks.") or not tag.endswith(".status"):
            return False
        name = tag[len("tasks.") : -len(".status")]
        return name in self._hooked or (name in self._graph and self.holds(task, name))


def _check_graph(report: Report, where: Where, tasks: list[Json], graph: Graph, said: str) -> bool:
    """Whether all that tasks wait for is there, in no ring."""
    sound = True
    uses_depends = any(text(task, "depends") for task in tasks)
    loops = {text(task, "name") for task in tasks if is_loop(task)}
    for index, task in enumerate(tasks):
        place = where.at(index)
        sound = _check_dependencies(report, place, task, graph, said) and sound
        _check_style(report, place, task, said, uses_depends=uses_depends)
        _check_results(report, place, task, loops, f"{said}.tasks")
    ring = cycle(graph)
    if ring is not None:
        index = next((i for i, task in enumerate(tasks) if text(task, "name") == ring[0]), 0)
        place = where.at(index, "depends" if text(tasks[index], "depends") else "dependencies")
        problem = f"{said} sorting failed: graph with cycle: {'->'.join(ring)}"
        report.error("NBF140", place, problem, "take one of these dependencies out")
    return sound and ring is None


def _check_dependencies(report: Report, where: Where, task: Json, graph: Graph, said: str) -> bool:
    sound = True
    for needed in dependencies(text(task, "depends"), _names(task)):
        if needed not in graph:
            sound = False
            field = "depends" if text(task, "depends") else "dependencies"
            index = next((i for i, name in enumerate(_names(task)) if needed in name), 0)
            path = (field,) if field == "depends" else (field, index)
            problem = f"{said}.tasks.{text(task, 'name')} dependency '{needed}' not defined: "
            problem += f"invalid dependency {needed}"
            fix = did_you_mean(needed, graph) or f"the tasks are: {', '.join(graph)}"
            report.error("NBF141", where.at(*path), problem, fix, needle=needed)
    return sound


def _check_style(report: Report, where: Where, task: Json, said: str, *, uses_depends: bool) -> None:
    """`depends` speaks alone, and reads names that begin with a digit as numbers."""
    name = text(task, "name")
    if (uses_depends or _names(task)) and name[:1].isdigit():
        problem = f"{said}.tasks.{name} name cannot begin with a digit when using either 'depends' or 'dependencies'"
        report.error("NBF142", where.at("name"), problem, f"rename it, for example `t{name}`")
    if uses_depends and _names(task):
        problem = f"{said} cannot use both 'depends' and 'dependencies' in the same DAG template"
        fix = f'write `depends: "{" && ".join(_names(task))}"`'
        report.error("NBF142", where.at("dependencies"), problem, fix, key=True)
    if uses_depends and task.get("continueOn") is not None:
        problem = f"{said} cannot use 'continueOn' when using 'depends'."
        problem += " Instead use 'dep-task.Failed'/'dep-task.Errored'"
        report.error(
            "NBF142",
            where.at("continueOn"),
            problem,
            f'say "({name} || {name}.Failed)" in what depends on it',
        )


def _check_results(report: Report, where: Where, task: Json, loops: set[str], said: str) -> None:
    """`A.Failed` and the like in `depends`."""
    for name, result in depends_tasks(text(task, "depends")):
        if result is None:
            continue
        needle = f"{name}.{result}"
        if result not in RESULTS:
            problem = f"{said}.{text(task, 'name')} task result '{result}' for task '{name}' is invalid"
            fix = did_you_mean(result, RESULTS) or f"choose one of: {', '.join(RESULTS)}"
            report.error("NBF142", where.at("depends"), problem, fix, needle=needle)
        elif result in ITEM_RESULTS and name not in loops:
            problem = (
                f"{said}.{name} dependency '{name}' uses an items-based condition such as .AnySucceeded or .AllFailed "
                "but does not contain any items"
            )
            report.error(
                "NBF142",
                where.at("depends"),
                problem,
                f"use {name}.Succeeded or {name}.Failed",
                needle=needle,
            )


def _check_call(
    check: Check, where: Where, task: Json, template: Template, scope: Scope, values: Values
) -> Template | None:
    """What the task calls; its outputs can be named in the whole DAG."""
    reached = where.after(f"templates.{template.name}.tasks.{text(task, 'name')}")
    called = check_call(check, reached, task, template.holder, MADE_UP, values, argument_of="the task")
    add_outputs(check, scope, "tasks", text(task, "name"), called, aggregated=is_aggregated(task))
    return called


def _check_task(
    check: Check, where: Where, task: Json, template: Template, scope: Scope, values: Values, past: _Past
) -> None:
    report, name = check.report, text(task, "name")
    said = f"templates.{template.name}.tasks.{name}"
    check_hook_templates(report, where, task, template.holder)
    inner = scope.inner()
    inner.also, inner.own = partial(past.resolves, name), f"tasks.{name}."
    inner.add(
        f"inputs.parameters.{text(p, 'name')}"
        for p in items(mapping(mapping(task, "inline"), "inputs"), "parameters")
    )
    add_items(report, where, task, inner, said)
    check_tags(report, where, task, inner, said, values)
    arguments = mapping(task, "arguments")
    check_arguments(
        report, where.at("arguments"), arguments, f"{said}.arguments.", may_lack_values=False, values=values
    )
    _check_origins(report, where.at("arguments"), arguments, name, past, said)


def _check_origins(report: Report, where: Where, arguments: Json, name: str, past: _Past, said: str) -> None:
    """An argument that is the output of a task needs a dependency on it. Of a task that is not there the tag tells."""
    for list_name, field, kind in (("parameters", "value", "parameter"), ("artifacts", "from", "artifact")):
        for index, argument in enumerate(items(arguments, list_name)):
            value = text(argument, field)
            if not value.startswith("{{tasks."):
                continue
            origin = value.split(".")[1]
            if past.knows(origin) and not past.holds(name, origin):
                problem = f"{said} missing dependency '{origin}' for {kind} '{text(argument, 'name')}'"
                own = "a task has no outputs before it has run: name one that it waits for"
                fix = own if origin == name else f"let the task depend on {origin}"
                report.error("NBF143", where.at(list_name, index, field), problem, fix)


def _check_target(
    report: Report, where: Where, dag: Json, tasks: list[Json], scope: Scope, values: Values, said: str
) -> None:
    target = text(dag, "target")
    check_tags(report, where, target, scope, f"{said}.targets", values)
    names = [text(task, "name") for task in tasks]
    for name in fill(target, values).split(" ") if target else []:
        if name not in names and not is_reference(name):
            fix = did_you_mean(name, names) or f"the tasks are: {', '.join(names)}"
            report.error("NBF144", where, f"{said}.targets: target '{shown(name)}' is not defined", fix)
