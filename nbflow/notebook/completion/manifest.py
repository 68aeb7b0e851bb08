"""A half-written manifest, asked for what completion wants to know of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from nbflow.notebook.completion.outline import Step

_WORD = re.compile(r"[A-Za-z0-9][-\w]*")


def mapping(value: object) -> Mapping[str, object]:
    """A mapping as it is; empty for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """A list as it is; empty for anything else."""
    return value if isinstance(value, list) else []


def name_of(value: object) -> str:
    """Its `name`, "" without one."""
    name = mapping(value).get("name")
    return name if isinstance(name, str) else ""


class Manifest:
    """One document. documents: all of the text, for what it refers to."""

    def __init__(self, data: object, documents: Sequence[object] = ()) -> None:
        self.data, self.documents = mapping(data), documents

    @property
    def kind(self) -> str:
        """Its kind, "" if it does not say."""
        kind = self.data.get("kind")
        return kind if isinstance(kind, str) else ""

    @cached_property
    def spec(self) -> Mapping[str, object]:
        """The spec of the workflow, also that inside a CronWorkflow."""
        spec = mapping(self.data.get("spec"))
        return (
            mapping(spec["workflowSpec"]) if self.kind == "CronWorkflow" and "workflowSpec" in spec else spec
        )

    @property
    def spec_path(self) -> tuple[str, ...]:
        """Where that is."""
        return ("spec", "workflowSpec") if self.kind == "CronWorkflow" else ("spec",)

    @property
    def templates(self) -> list[object]:
        """Its templates."""
        return items(self.spec.get("templates"))

    @cached_property
    def _by_name(self) -> dict[str, object]:
        return {name_of(template): template for template in reversed(self.templates)}

    def template(self, name: object) -> Mapping[str, object]:
        """The template of that name; empty if there is none."""
        return mapping(self._by_name.get(name)) if isinstance(name, str) else {}

    def at(self, path: Sequence[Step]) -> object:
        """What stands at a path; None if nothing does."""
        value: object = self.data
        for step in path:
            if isinstance(step, int):
                found = items(value)
                value = found[step] if -len(found) <= step < len(found) else None
            else:
                value = mapping(value).get(step)
        return value

    def template_around(self, path: Sequence[Step]) -> Mapping[str, object]:
        """The template that holds a path; empty if none does."""
        length = len(self.spec_path) + 2
        if tuple(path[: length - 1]) != (*self.spec_path, "templates") or len(path) < length:
            return {}
        return mapping(self.at(path[:length]))

    def below_template(self, path: Sequence[Step]) -> Sequence[Step]:
        """What of a path is inside the template that holds it."""
        return path[len(self.spec_path) + 2 :]

    def called(self, path: Sequence[Step]) -> Mapping[str, object]:
        """The template that the step, task, hook or workflow at `path` calls; empty if that is not known."""
        if tuple(path) == self.spec_path:
            return self.template(self.spec.get("entrypoint"))
        return self.target(self.at(path))

    def target(self, call: object) -> Mapping[str, object]:
        """The template that a step or task calls; empty if that is not known."""
        data = mapping(call)
        if inline := mapping(data.get("inline")):
            return inline
        if reference := mapping(data.get("templateRef")):
            other = self.other(name_of(reference))
            return other.template(reference.get("template")) if other else {}
        return self.template(data.get("template"))

    def other(self, name: str) -> Manifest | None:
        """The document of that name that has templates."""
        for document in self.documents:
            found = Manifest(document, self.documents)
            if name and name_of(found.data.get("metadata")) == name:
                return found
        return None

    def named(self, kind: str) -> Iterator[str]:
        """The names of the documents of a kind."""
        for document in self.documents:
            if mapping(document).get("kind") == kind:
                yield name_of(mapping(document).get("metadata"))

    def volumes(self, path: Sequence[Step]) -> list[str]:
        """The names of the volumes that a container at `path` can mount."""
        found = [*items(self.spec.get("volumes")), *items(self.template_around(path).get("volumes"))]
        claims = [mapping(claim).get("metadata") for claim in items(self.spec.get("volumeClaimTemplates"))]
        return [name for name in map(name_of, [*found, *claims]) if name]


def waited_for(tasks: Sequence[object], index: int) -> list[object]:
    """The tasks that a task waits for, also through others."""
    by_name = {name_of(task): task for task in tasks}
    found: dict[str, object] = {}
    todo = [tasks[index]] if 0 <= index < len(tasks) else []
    while todo:
        task = mapping(todo.pop())
        depends = task.get("depends")
        names = [str(one) for one in items(task.get("dependencies"))]
        names += _WORD.findall(depends) if isinstance(depends, str) else []
        for name in names:
            if name in by_name and name not in found:
                found[name] = by_name[name]
                todo.append(by_name[name])
    return [task for name, task in by_name.items() if name in found]
