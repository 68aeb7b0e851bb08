"""The tasks of one DAG: what they wait for, and what they know of each other."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import cast

from nbflow import topology
from nbflow.engine import calls
from nbflow.engine.arguments import Prepared, Surroundings
from nbflow.engine.hooks import is_hooked, last_attempt
from nbflow.engine.names import loop_index
from nbflow.engine.references import LocalScope, View, referred
from nbflow.engine.run import Call, Reference, Run
from nbflow.engine.scope import aggregate_variables, node_artifacts, node_variables, skipped_variables
from nbflow.engine.steps import continues_on
from nbflow.engine.templates import Data
from nbflow.spec.status import NodeStatus, NodeType, Phase
from nbflow.spec.template import DAGTask
from nbflow.templating.depends import depends_expression, evaluate_depends

KIND = "tasks"


def reference_of(task: DAGTask) -> Reference:
    """The template that a task calls."""
    return Reference(task.template, task.template_ref, task.inline)


class Tasks:
    """The tasks of one DAG node by name: typed, as plain data (`data`), and what each waits for (`graph`)."""

    def __init__(self, run: Run, call: Call, prepared: Prepared, dag_name: str) -> None:
        self.run, self.call, self.prepared, self.dag_name = run, call, prepared, dag_name
        dag = prepared.source.template.dag
        assert dag is not None
        self.tasks: dict[str, DAGTask] = {task.name: task for task in dag.tasks}
        self.data = {str(cast("Data", task)["name"]): cast("Data", task) for task in prepared.body}
        self.graph = topology.task_graph(dag.tasks)
        self.scope = LocalScope.of(prepared)

    def node_name(self, name: str) -> str:
        """The name of a task's node."""
        return f"{self.dag_name}.{name}"

    def node(self, name: str) -> NodeStatus | None:
        """The node of a task, None if it has not come so far."""
        return self.run.tree.named(self.node_name(name))

    # --- what a task waits for ------------------------------------------------------------------------------------

    def depends_hold(self, name: str) -> bool:
        """Whether a task may run, now that all it waits for is finished. Raises DependsError."""
        task = self.tasks[name]
        needed = self.graph[name]
        if not task.depends or (len(needed) == 1 and task.depends == needed[0]):
            return all(self._lets_go_on(before) for before in needed)
        continued = {
            before: (on.error, on.failed)
            for before in needed
            if (on := self.tasks[before].continue_on) is not None
        }
        logic = depends_expression(task.depends, task.dependencies, continued)
        return evaluate_depends(logic, {before: self._results(before) for before in needed})

    def _lets_go_on(self, name: str) -> bool:
        """What a bare name in `depends` asks of a finished task."""
        node = self.node(name)
        if node is None or node.phase is None:
            return False
        fine = node.phase in (Phase.SUCCEEDED, Phase.SKIPPED) or node.daemoned
        return fine or continues_on(self.tasks[name], node.phase)

    def _results(self, name: str) -> dict[str, bool]:
        """What `depends` can ask about a finished task."""
        node = self.node(name)
        assert node is not None
        phases: list[Phase | None] = []
        if node.type is NodeType.TASK_GROUP:
            phases = [self.run.tree.nodes[child].phase for child in self.run.tree.children(node.id)]
        return {
            "Succeeded": node.phase is Phase.SUCCEEDED,
            "Failed": node.phase is Phase.FAILED,
            "Errored": node.phase is Phase.ERROR,
            "Skipped": node.phase is Phase.SKIPPED,
            "Omitted": node.phase is Phase.OMITTED,
            "Daemoned": node.daemoned and node.phase is not Phase.PENDING,
            "AnySucceeded": Phase.SUCCEEDED in phases,
            "AllFailed": bool(phases) and all(phase is Phase.FAILED for phase in phases),
        }

    # --- what a task knows ----------------------------------------------------------------------------------------

    def around(self, name: str) -> Surroundings:
        """What counts for a task besides the others."""
        node = self.node(name)
        at = node.started_at if node else None
        around = calls.surroundings(self.run, self.call, self.prepared.source, at=at)
        return replace(around, clock=self.run.clock(self.node_name(name), at))

    def view(self, name: str, data: object) -> View:
        """What a task can refer to: the tasks it waits for, directly or not. Raises LoopError."""
        direct = self.graph[name]
        names = referred(data, self.tasks)
        if not all(needed in direct for needed in names):
            above = self._ancestors[name]
            names = tuple(needed for needed in names if above >> self._numbers[needed] & 1)
        return self.view_of(names)

    @cached_property
    def _ancestors(self) -> dict[str, int]:
        return topology.ancestors(self.graph)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.graph)}

    def view_of(self, names: tuple[str, ...]) -> View:
        """What these tasks gave. Raises LoopError for results of a loop that are no JSON."""
        for needed in names:
            self._know(needed)
        view = self.scope.view(names, self.run.variables)
        view.artifacts.update(self.run.global_artifacts)
        return view

    def _know(self, name: str) -> None:
        """Take in what a finished task gave."""
        node = self.node(name)
        if name in self.scope.variables or node is None:
            return
        prefix = f"{KIND}.{name}"
        attempt = last_attempt(self.run, node)
        variables = node_variables(prefix, attempt)
        if node.type is NodeType.TASK_GROUP:
            nodes = [self.run.tree.nodes[child] for child in self.run.tree.children(node.id)]
            rounds = sorted((n for n in nodes if not is_hooked(n)), key=lambda n: loop_index(n.name))
            variables = {**aggregate_variables(prefix, rounds), **variables}
        elif node.outputs is None and node.phase in (Phase.SKIPPED, Phase.OMITTED):
            scope = self.prepared.source.scope
            outputs = calls.declared_outputs(self.run, scope, reference_of(self.tasks[name]))
            variables |= skipped_variables(prefix, outputs) if outputs is not None else {}
        if node.fulfilled:
            self.scope.add(name, variables, node_artifacts(prefix, attempt))
