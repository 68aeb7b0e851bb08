"""DAG templates: tasks that wait for each other."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from nbflow import topology
from nbflow.engine import calls, daemons, hooks, limits, memoize
from nbflow.engine.arguments import Prepared, body_part
from nbflow.engine.dag_phase import target_phases
from nbflow.engine.dag_tasks import KIND, Tasks, reference_of
from nbflow.engine.failures import CallError
from nbflow.engine.loops import EMPTY, Round, expand
from nbflow.engine.names import on_exit_name
from nbflow.engine.outbound import outbound_of, outbound_of_all
from nbflow.engine.outputs import export, template_outputs
from nbflow.engine.references import expands, referred, resolve_call
from nbflow.engine.run import Call, Run
from nbflow.engine.steps import continues_on
from nbflow.spec.status import NodeStatus, NodeType, Phase
from nbflow.spec.template import DAGTask
from nbflow.templating.failures import TemplateError
from nbflow.templating.when import should_execute


def begin(run: Run, call: Call, prepared: Prepared, node: NodeStatus) -> None:
    """Set a DAG going, or take it up again."""
    run.boundaries[node.id] = prepared.source
    run.later(Dag(run, call, prepared, node.id).begin)


@dataclass(slots=True)
class Loop:
    """A task with items. open: ids of the rounds that are not done; rounds: all of them, in order."""

    group: str
    rounds: list[str] = field(default_factory=list)
    open: dict[str, None] = field(default_factory=dict)


class Dag:
    """What goes on below one DAG node.

    open: tasks that may run and are not done. missing: for each task those it still waits for.
    names: node id -> task, for tasks and the rounds of loops.
    """

    def __init__(self, run: Run, call: Call, prepared: Prepared, node_id: str) -> None:
        self.run, self.call, self.prepared, self.node_id = run, call, prepared, node_id
        self.tasks = Tasks(run, call, prepared, run.tree.nodes[node_id].name)
        self.dependents = topology.dependents(self.tasks.graph)
        self.names: dict[str, str] = {}
        self.loops: dict[str, Loop] = {}
        self.hook_parents: dict[str, str] = {}
        self.open: dict[str, None] = {}
        self.missing: dict[str, set[str]] = {}
        target = prepared.template.dag.target if prepared.template.dag else ""
        self.targets = tuple(target.split(" ")) if target else topology.leaves(self.tasks.graph)

    @property
    def node(self) -> NodeStatus:
        """The node of the DAG."""
        return self.run.tree.nodes[self.node_id]

    def begin(self) -> None:
        """Start the tasks that wait for nobody."""
        unknown = [name for name in self._needed() if name not in self.tasks.tasks]
        if unknown or topology.cycle(self.tasks.graph):
            calls.fail(
                self.run, self.call, f"target {unknown[0]} does not exist" if unknown else "dependency cycle"
            )
            return
        self.missing = {name: set(self.tasks.graph[name]) for name in self._needed()}
        for name in [name for name, missing in self.missing.items() if not missing]:
            self._open(name)
        self._settle()

    def _needed(self) -> tuple[str, ...]:
        return topology.sort(self.tasks.graph, self.targets)

    def _open(self, name: str) -> None:
        self.open[name] = None
        self.run.later(lambda: self._begin_task(name))

    # --- one task -------------------------------------------------------------------------------------------------

    def _begin_task(self, name: str) -> None:
        """All that the task waits for is done: see whether it is its turn, and start it."""
        if self.node.fulfilled:
            return
        node_id = self.run.node_id(self.tasks.node_name(name))
        self.names[node_id] = name
        self.run.owners[node_id] = self
        node = self.tasks.node(name)
        if node is not None and node.fulfilled:
            self.run.notify(node.id)
            return
        try:
            if node is None and not self.tasks.depends_hold(name):
                self._add_skipped(name, name, Phase.OMITTED, "omitted: depends condition not met")
            else:
                self._start_task(name)
        except (TemplateError, CallError) as error:
            if self.tasks.node(name) is None:
                self._add_skipped(name, name, Phase.ERROR, error.problem)
            else:
                self.run.mark(self.run.tree.nodes[node_id], Phase.ERROR, error.problem)

    def _start_task(self, name: str) -> None:
        around = self.tasks.around(name)
        data = body_part(self.prepared, self.tasks.data[name], around)
        volumes = list(self.run.volumes)
        self.run.fill_in_volumes(self.tasks.view(name, volumes).variables, around.clock)
        view = self.tasks.view(name, {key: value for key, value in data.items() if key != "withItems"})
        data = resolve_call(data, view, around.clock, lenient=False)
        if not expands(data):
            self._start_call(name, Round(name, data), parent=None)
            return
        rounds = expand(data, view.variables, around.clock)
        if rounds:
            self._start_loop(name, DAGTask.from_dict(data), rounds)
        else:
            self._add_skipped(name, name, Phase.SKIPPED, EMPTY)

    def _start_loop(self, name: str, task: DAGTask, rounds: list[Round]) -> None:
        full_name = self.tasks.node_name(name)
        group = self.run.tree.named(full_name)
        if group is None:
            call = self._call(full_name, name, task)
            scope = self.prepared.source.scope
            group = calls.add_group(self.run, full_name, NodeType.TASK_GROUP, scope, self.node, call=call)
            for before in self._parents(name, None):
                self.run.tree.connect(before, group.id)
        ids = [self.run.node_id(self.tasks.node_name(one.name)) for one in rounds]
        loop = self.loops[name] = Loop(group.id, ids, dict.fromkeys(ids))
        for node_id, one in zip(loop.rounds, rounds, strict=True):
            self.names[node_id] = name
            self.run.owners[node_id] = self
            self._start_call(name, one, parent=group.id)
        self.run.notify(group.id)

    def _start_call(self, name: str, one: Round, *, parent: str | None) -> None:
        """Start a task, or a round of a loop below `parent`."""
        task = DAGTask.from_dict(one.data)
        full_name = self.tasks.node_name(one.name)
        node = self.run.tree.named(full_name)
        try:
            if node is None and not should_execute(task.when):
                self._add_skipped(
                    name, one.name, Phase.SKIPPED, f"when '{task.when}' evaluated false", parent
                )
                return
        except TemplateError as error:
            self._add_skipped(name, one.name, Phase.ERROR, error.problem, parent)
            return
        calls.start(self.run, self._call(full_name, one.name, task, self._parents(name, parent)))

    def _call(self, full_name: str, name: str, task: DAGTask, parents: tuple[str, ...] = ()) -> Call:
        return Call(
            name=full_name,
            reference=reference_of(task),
            scope=self.prepared.source.scope,
            arguments=task.arguments,
            owner=self,
            boundary=self.node_id,
            kind=KIND,
            caller=name,
            depth=self.call.depth + 1,
            parents=parents,
            on_exit=self.call.on_exit,
        )

    def _add_skipped(
        self, name: str, label: str, phase: Phase, message: str, parent: str | None = None
    ) -> None:
        call = self._call(
            self.tasks.node_name(label), label, self.tasks.tasks[name], self._parents(name, parent)
        )
        if self.run.tree.named(call.name) is None:
            calls.add_node(self.run, call, NodeType.SKIPPED, phase, message)

    def _parents(self, name: str, parent: str | None) -> tuple[str, ...]:
        """What a task's node comes after: its loop, else the ends of what the task waits for, else the DAG."""
        if parent is not None:
            return (parent,)
        needed = [self.run.node_id(self.tasks.node_name(before)) for before in self.tasks.graph[name]]
        return outbound_of_all(self.run.tree, needed) if needed else (self.node_id,)

    # --- what becomes of the tasks --------------------------------------------------------------------------------

    def child_changed(self, node: NodeStatus) -> None:
        """See Context."""
        if self.node.fulfilled or limits.halts(self.run, self.node_id):
            return
        child = self.run.tree.nodes[self.hook_parents.get(node.id, node.id)]
        name = self.names.get(child.id)
        if name is None:
            return
        loop = self.loops.get(name)
        if loop is not None and child.id != loop.group:
            self._look_at_round(name, loop, child)
        elif name in self.open:
            self._look_at_task(name, child)
        if self.prepared.template.fail_fast:
            self.run.once_idle.append(self._halt)

    def _halt(self) -> None:
        limits.halts_in_the_end(self.run, self.node_id)

    def child_errored(self, call: Call, message: str) -> None:
        """See Context."""
        if self.node.fulfilled:
            return
        if not hooks.is_hook(call):
            node = self.run.tree.named(call.name)
            if node is not None:
                self.run.tree.put(replace(node, message=f"task '{call.name}' errored: {message}"))

    def child_timed_out(self, call: Call, message: str) -> None:
        """See Context. What follows is decided by its phase."""

    def _place(self, name: str) -> hooks.HookPlace:
        task = self.tasks.tasks[name]
        return hooks.HookPlace(
            owner=self,
            boundary=self.node_id,
            scope=self.prepared.source.scope,
            depth=self.call.depth + 1,
            prefix=f"{KIND}.{name}",
            view=lambda: self.tasks.view(name, {key: hook.to_dict() for key, hook in task.hooks.items()}),
        )

    def _hooked_task(self, name: str) -> DAGTask:
        """The task with its hooks as they are now."""
        task = self.tasks.tasks[name]
        if not task.hooks and not task.on_exit:
            return task
        wanted = ("name", "hooks", "onExit")
        part = {key: value for key, value in self.tasks.data[name].items() if key in wanted}
        return DAGTask.from_dict(body_part(self.prepared, part, self.tasks.around(name)))

    def _look_at_round(self, name: str, loop: Loop, node: NodeStatus) -> None:
        """A round of a loop changed; the last one that is done ends the loop."""
        if node.id not in loop.open or not node.fulfilled:
            return
        task = self._hooked_task(name)
        self.hook_parents[self.run.node_id(on_exit_name(node.name))] = node.id
        try:
            if not hooks.advance_exit(
                self.run, self._place(name), node, hooks.exit_hook(task, self.run.spec.arguments)
            ):
                return
        except (CallError, TemplateError):
            pass
        del loop.open[node.id]
        group = self.run.tree.nodes[loop.group]
        if not loop.open and not group.fulfilled:
            phases = [self.run.tree.nodes[one].phase for one in loop.rounds]
            bad = [phase for phase in phases if phase is not None and phase.bad]
            self.run.mark(group, bad[-1] if bad else Phase.SUCCEEDED)

    def _look_at_task(self, name: str, node: NodeStatus) -> None:
        """A task changed: start what hooks are due, and let its dependents go once all is done."""
        if node.phase is Phase.PENDING:
            return
        try:
            task = self._hooked_task(name)
            done = hooks.advance(self.run, self._place(name), node, task, self.hook_parents)
        except (CallError, TemplateError) as error:
            done = self._hook_failed(name, node, error.problem)
        if done:
            self._done(name)

    def _hook_failed(self, name: str, node: NodeStatus, message: str) -> bool:
        if not node.fulfilled:
            self.run.mark(node, Phase.ERROR, message)
        if name in self.targets:
            calls.fail(self.run, self.call, message)
            return False
        return True

    def _done(self, name: str) -> None:
        """A task is done: those that waited for it alone may start."""
        self.open.pop(name, None)
        self.loops.pop(name, None)
        for waiting in self.dependents.get(name, ()):
            missing = self.missing.get(waiting)
            if missing is not None and name in missing:
                missing.discard(name)
                if not missing:
                    self._open(waiting)
        self._settle()

    # --- the end --------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """End the DAG once nothing of it runs any more."""
        if self.node.fulfilled or (self.open and not self._only_blocked()):
            return
        if self.open and not limits.workflow_is_full(self.run):
            self.run.once_idle.append(self._settle)
            return
        phase = self._phase()
        if phase is None:
            return
        if phase.bad:
            self.run.mark(self.node, phase, outbound=self._outbound())
            limits.forget_blocked(self.run, self.node_id)
        else:
            self._succeed()
        daemons.end(self.run, self.node_id)

    def _only_blocked(self) -> bool:
        """Whether all tasks that are not done wait for other templates' pods to end."""
        if not self.run.blocked.anywhere:
            return False
        blocked = {waiting.name for waiting in self.run.blocked.anywhere}
        return all(self.tasks.node_name(name) in blocked for name in self.open)

    def _phase(self) -> Phase | None:
        """What the targets decide; None while that is open."""
        if self.run.shutdown and not self.call.on_exit:
            return Phase.FAILED
        dag = self.prepared.template.dag
        fail_fast = dag is None or dag.fail_fast is None or dag.fail_fast
        ids = {name: self.run.node_id(self.tasks.node_name(name)) for name in self.targets}
        phases = target_phases(self.run.tree, self.node_id, tuple(ids.values()))
        result: Phase | None = Phase.SUCCEEDED
        for name, node_id in ids.items():
            phase = phases[node_id]
            if phase is None:
                result = None
                if not fail_fast:
                    break
            elif phase.bad and not continues_on(self.tasks.tasks[name], phase):
                result = phase
                if fail_fast:
                    break
        return result

    def _outbound(self) -> tuple[str, ...]:
        ids = [self.run.node_id(self.tasks.node_name(name)) for name in self.targets]
        return tuple(end for node_id in ids for end in outbound_of(self.run.tree, node_id))

    def _succeed(self) -> None:
        around = calls.surroundings(self.run, self.call, self.prepared.source, at=self.node.started_at)
        declared = self.prepared.source.data.get("outputs")
        try:
            view = self.tasks.view_of(referred(declared, self.tasks.tasks))
            outputs = template_outputs(self.prepared, view, around)
        except (CallError, TemplateError) as error:
            calls.fail(self.run, self.call, error.problem)
            return
        for name in self.tasks.tasks:
            node = self.tasks.node(name)
            export(self.run, node.outputs if node else None)
        self.run.mark(self.node, Phase.SUCCEEDED, outputs=outputs, outbound=self._outbound())
        memoize.save(self.run, self.node)
