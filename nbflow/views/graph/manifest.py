"""The parts of a manifest that a graph is drawn from, read from plain data that may be anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nbflow.spec.status import WorkflowObject
from nbflow.topology import dependencies

JSONObject = Mapping[str, object]
LOOPS = ("withItems", "withParam", "withSequence")
_NUMBER = re.compile(r"-?\d{1,9}$")


@dataclass(frozen=True, slots=True)
class Call:
    """A step or task. segment: its part of a node's name. waits: names of the tasks it waits for."""

    name: str
    segment: str
    data: JSONObject
    waits: tuple[str, ...] = ()

    @property
    def loops(self) -> bool:
        """Whether it runs for several items."""
        return any(self.data.get(key) is not None for key in LOOPS)

    @property
    def template(self) -> str:
        """The name of the template it calls; "" if it is inline."""
        reference = mapping(self.data.get("templateRef"))
        return str(reference.get("template") or self.data.get("template") or "")

    @property
    def size(self) -> int | None:
        """How many turns the loop takes, where the manifest alone tells."""
        items = self.data.get("withItems")
        if isinstance(items, list | tuple):
            return len(items)
        sequence = mapping(self.data.get("withSequence"))
        count, start, end = (_number(sequence.get(key)) for key in ("count", "start", "end"))
        if count is not None:
            return max(count, 0)
        return abs(end - (start or 0)) + 1 if end is not None else None


class Templates:
    """The templates of a workflow, its stored ones included."""

    def __init__(self, workflow: WorkflowObject) -> None:
        stored = workflow.status.extra.get("storedWorkflowTemplateSpec")
        self.spec: JSONObject = stored if isinstance(stored, Mapping) else workflow.spec
        self._own = {str(one.get("name")): one for one in items(self.spec.get("templates"))}
        self._stored = mapping(workflow.status.extra.get("storedTemplates"))

    def of(self, call: JSONObject) -> JSONObject:
        """The template that a step, task or hook calls; empty if it is not here."""
        inline = call.get("inline")
        if isinstance(inline, Mapping):
            return inline
        reference = mapping(call.get("templateRef"))
        if not reference:
            return self._own.get(str(call.get("template")), {})
        ending = f"/{reference.get('name')}/{reference.get('template')}"
        return next((mapping(one) for key, one in self._stored.items() if key.endswith(ending)), {})


def calls_of(template: JSONObject) -> list[list[Call]]:
    """Steps, group by group; or the tasks of a DAG, in one list. Empty for a template that is a leaf."""
    if "dag" in template:
        return [list(_tasks(mapping(template.get("dag"))))]
    groups = template.get("steps")
    if not isinstance(groups, list | tuple):
        return []
    return [
        [
            Call(str(step.get("name", "")), f"[{index}].{step.get('name', '')}", step)
            for step in items(_steps(group))
        ]
        for index, group in enumerate(groups)
    ]


def mapping(value: object) -> JSONObject:
    """`value` if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> list[JSONObject]:
    """The mappings in a list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def _steps(group: object) -> object:
    """A group is a list; one of older manifests may be an object with `steps`."""
    return group.get("steps") if isinstance(group, Mapping) else group


def _tasks(dag: JSONObject) -> Iterator[Call]:
    for task in items(dag.get("tasks")):
        name = str(task.get("name", ""))
        named = task.get("dependencies")
        names = [str(one) for one in named] if isinstance(named, list | tuple) else []
        depends = task.get("depends")
        yield Call(name, f".{name}", task, dependencies(depends if isinstance(depends, str) else "", names))


def _number(value: object) -> int | None:
    return int(str(value)) if value is not None and _NUMBER.match(str(value)) else None
