"""Steps and tasks that can never run."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from nbflow.lint.objects import Json, Template, groups, items, mapping, text
from nbflow.lint.report import Report, Where
from nbflow.topology import dependencies

_ENDS = ("Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned")
"""How a task may have ended when those that wait for it are asked."""
_MOST_TASKS = 3
"""In a `depends` that is tried with all ways in which they may end."""


def advise_running(report: Report, templates: list[Template]) -> None:
    """Conditions that hold for no input."""
    for template in templates:
        for number, group in enumerate(groups(template.data)):
            for index, step in enumerate(group):
                _advise_call(report, template.where.at("steps", number, index), step, "step")
        tasks = items(mapping(template.data, "dag"), "tasks")
        for index, task in enumerate(tasks):
            where = template.where.at("dag", "tasks", index)
            _advise_call(report, where, task, "task")
            _advise_depends(report, where, task)
        _advise_target(report, template, tasks)


def _advise_call(report: Report, where: Where, call: Json, kind: str) -> None:
    name, when = text(call, "name"), text(call, "when")
    if when and "{{" not in when and _is_false(when):
        problem = f"{kind} '{name}' can never run: its condition `{when}` is always false"
        report.warning("NBF223", where.at("when"), problem, f"remove the {kind}, or mend its `when`")
    if call.get("withItems") == []:
        problem = f"{kind} '{name}' can never run: its list of items is empty"
        report.warning(
            "NBF223", where.at("withItems"), problem, f"remove the {kind}, or give it items", key=True
        )
    if "withSequence" in call and text(mapping(call, "withSequence"), "count") == "0":
        problem = f"{kind} '{name}' can never run: its sequence is empty"
        report.warning("NBF223", where.at("withSequence", "count"), problem, "count to 1 at least")


def _is_false(when: str) -> bool:
    from nbflow.templating.failures import WhenError
    from nbflow.templating.when import should_execute

    try:
        return not should_execute(when)
    except WhenError:
        return False


def _advise_depends(report: Report, where: Where, task: Json) -> None:
    """`a.Succeeded && a.Failed`: only conditions that name a task twice, or say `!`, can be as bad as that."""
    depends = text(task, "depends")
    if not depends or ("!" not in depends and "&&" not in depends):
        return
    from nbflow.errors import NbflowError
    from nbflow.templating.depends import ITEM_RESULTS, depends_expression, depends_tasks, evaluate_depends

    named = depends_tasks(depends)
    names = sorted({name for name, _ in named})
    simple = len(names) == len(named) and "!" not in depends
    if simple or len(names) > _MOST_TASKS or any(result in ITEM_RESULTS for _, result in named):
        return
    try:
        # What the task before goes on after is not looked at: the more generous reading counts.
        expression = depends_expression(depends, (), dict.fromkeys(names, (True, True)))
        if not any(evaluate_depends(expression, results) for results in _outcomes(names)):
            problem = f"task '{text(task, 'name')}' can never run: no outcome fulfils `{depends}`"
            report.warning("NBF223", where.at("depends"), problem, "mend its `depends`")
    except NbflowError:
        return


def _outcomes(names: list[str]) -> Iterator[dict[str, dict[str, bool]]]:
    for ends in product(_ENDS, repeat=len(names)):
        yield {
            name: {**{other: other == end for other in _ENDS}, "AnySucceeded": False, "AllFailed": False}
            for name, end in zip(names, ends, strict=True)
        }


def _advise_target(report: Report, template: Template, tasks: list[Json]) -> None:
    """A DAG with a target runs what the target waits for, and nothing else."""
    target = text(mapping(template.data, "dag"), "target")
    if not target or "{{" in target:
        return
    waits = {text(task, "name"): _waits_for(task) for task in tasks}
    todo = [name for name in target.split() if name in waits]
    if not todo:
        return
    wanted = set(todo)
    while todo:
        more = [name for name in waits[todo.pop()] if name in waits and name not in wanted]
        wanted.update(more)
        todo += more
    for index, task in enumerate(tasks):
        name = text(task, "name")
        if name not in wanted:
            problem = f"task '{name}' can never run: the target '{target}' does not wait for it"
            place = template.where.at("dag", "tasks", index, "name")
            report.warning("NBF223", place, problem, "add it to `target`, or remove it")


def _waits_for(task: Json) -> tuple[str, ...]:
    names = task.get("dependencies")
    return tuple(dependencies(text(task, "depends"), names if isinstance(names, list) else []))
