"""Which task waits for which: answered once, for lint, engine and views.

Works on names, not on models, so that a typed template and the JSON of a stored workflow are asked alike.
A graph is a mapping: name of a task -> names of the tasks it waits for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Protocol

Graph = Mapping[str, tuple[str, ...]]

_TASK = re.compile(r"([a-zA-Z0-9][-a-zA-Z0-9]*?)\.[A-Z][a-zA-Z]+|([a-zA-Z0-9][-a-zA-Z0-9]*)")
"""`name.Result` or a bare name, as Argo finds them in `depends`."""


class Task(Protocol):
    """What a task says about its place in a DAG."""

    @property
    def name(self) -> str:
        """Unique in its DAG."""

    @property
    def depends(self) -> str:
        """An expression over results of tasks; "" if `dependencies` speaks."""

    @property
    def dependencies(self) -> tuple[str, ...]:
        """Names of tasks."""


def dependencies(depends: str, names: Iterable[str]) -> tuple[str, ...]:
    """The tasks that a task waits for, each once, in the order of naming. `depends` hides `dependencies`."""
    found = _named(depends) if depends else [task for name in names for task in _dependency(name)]
    return tuple(dict.fromkeys(found))


def _named(depends: str) -> list[str]:
    return [first or second for first, second in _TASK.findall(depends)]


def _dependency(name: str) -> Iterable[str]:
    """The tasks of one of `dependencies`: Argo puts it into an expression and looks which tasks that names."""
    return (name,) if name.replace("-", "").isalnum() else _named(f"{name}.Succeeded")


def task_dependencies(task: Task) -> tuple[str, ...]:
    """The tasks that `task` waits for."""
    return dependencies(task.depends, task.dependencies)


def task_graph(tasks: Iterable[Task]) -> dict[str, tuple[str, ...]]:
    """All tasks of a DAG, in their order, and what each waits for."""
    return {task.name: task_dependencies(task) for task in tasks}


def dependents(graph: Graph) -> dict[str, tuple[str, ...]]:
    """The graph turned round: name -> the tasks that wait for it, in the graph's order."""
    waiting: dict[str, list[str]] = {name: [] for name in graph}
    for name, needed in graph.items():
        for dependency in needed:
            waiting.setdefault(dependency, []).append(name)
    return {name: tuple(names) for name, names in waiting.items()}


def ancestors(graph: Graph) -> dict[str, int]:
    """For each task all tasks that it waits for, directly or not, as bits: bit n is the n-th task of the graph.

    Bits, because a row of ten thousand tasks has fifty million ancestors.
    """
    bits = {name: 1 << number for number, name in enumerate(graph)}
    above: dict[str, int] = {}
    for name in sort(graph):
        above[name] = 0
        for needed in graph.get(name, ()):
            above[name] |= above.get(needed, 0) | bits.get(needed, 0)
    return above


def sort(graph: Graph, starts: Iterable[str] | None = None) -> tuple[str, ...]:
    """`starts` (all by default) and the tasks that they need, each after those it waits for, else in order.

    A cycle is broken anywhere.
    """
    order: list[str] = []
    seen: set[str] = set()
    for start in graph if starts is None else starts:
        stack = [(start, False)]
        while stack:
            task, left = stack.pop()
            if left:
                order.append(task)
            elif task not in seen:
                seen.add(task)
                stack.append((task, True))
                stack.extend((needed, False) for needed in reversed(graph.get(task, ())))
    return tuple(order)


def leaves(graph: Graph) -> tuple[str, ...]:
    """The tasks that nobody waits for, by name: they decide the phase of a DAG."""
    needed = {dependency for names in graph.values() for dependency in names}
    return tuple(sorted(name for name in graph if name not in needed))


def cycle(graph: Graph) -> tuple[str, ...] | None:
    """Tasks that wait for each other in a ring, first and last the same; None if there is no ring."""
    finished: set[str] = set()
    for start in graph:
        path: dict[str, None] = {}
        stack = [(start, False)]
        while stack:
            task, left = stack.pop()
            if left:
                del path[task]
                finished.add(task)
            elif task in path:
                ring = list(path)
                return (*ring[ring.index(task) :], task)
            elif task not in finished:
                path[task] = None
                stack.append((task, True))
                stack.extend((needed, False) for needed in reversed(graph.get(task, ())))
    return None
