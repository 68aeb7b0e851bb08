"""Steps templates: groups of steps, one group after the other."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import cast

from nbflow.engine import calls, daemons, hooks, limits, memoize, outbound
from nbflow.engine.arguments import Prepared, body_part
from nbflow.engine.failures import CallError
from nbflow.engine.loops import EMPTY, expand
from nbflow.engine.names import loop_index
from nbflow.engine.outputs import export, template_outputs
from nbflow.engine.references import LocalScope, View, expands, referred, resolve_call
from nbflow.engine.run import Call, Reference, Run
from nbflow.engine.scope import (
    ArtifactsByName,
    aggregate_variables,
    node_artifacts,
    node_variables,
    skipped_variables,
)
from nbflow.engine.templates import Data
from nbflow.errors import NbflowError
from nbflow.spec.status import NodeStatus, NodeType, Phase
from nbflow.spec.template import TemplateCall, WorkflowStep
from nbflow.templating.failures import TemplateError
from nbflow.templating.when import should_execute

KIND = "steps"


def begin(run: Run, call: Call, prepared: Prepared, node: NodeStatus) -> None:
    """Set a steps template going, or take it up again."""
    run.boundaries[node.id] = prepared.source
    context = Steps(run, call, prepared, node.id)
    run.later(context.next_group)


class Steps:
    """What goes on below one steps node.

    open: children of the current group that are not done. rounds: the steps of the group's nodes, by node id.
    """

    def __init__(self, run: Run, call: Call, prepared: Prepared, node_id: str) -> None:
        self.run, self.call, self.prepared, self.node_id = run, call, prepared, node_id
        self.groups = cast("list[list[Data]]", prepared.body)
        self.index = -1
        self.scope = LocalScope.of(prepared)
        self.rounds: dict[str, WorkflowStep] = {}
        self.hook_parents: dict[str, str] = {}
        self.open: dict[str, None] = {}

    # --- the groups -----------------------------------------------------------------------------------------------

    @property
    def node(self) -> NodeStatus:
        """The node of the steps template."""
        return self.run.tree.nodes[self.node_id]

    @property
    def group_name(self) -> str:
        """The name of the node of the current group."""
        return f"{self.node.name}[{self.index}]"

    @property
    def group(self) -> NodeStatus:
        """The node of the current group."""
        return self.run.tree.nodes[self.run.node_id(self.group_name)]

    @property
    def finished(self) -> bool:
        """Whether the node of the steps template is finished, for whatever reason."""
        return self.node.fulfilled

    def next_group(self) -> None:
        """Go on to the next group, or end after the last one."""
        if self.finished:
            return
        self.index += 1
        if self.index >= len(self.groups):
            self._succeed()
            return
        group = self.run.tree.named(self.group_name) or self._add_group()
        if group.fulfilled:
            self._group_finished()
            return
        try:
            self._start_group()
        except (TemplateError, CallError) as error:
            self._fail_group(Phase.ERROR, error.problem)
            return
        self.run.later(self._settle)

    def _add_group(self) -> NodeStatus:
        node = calls.add_group(
            self.run, self.group_name, NodeType.STEP_GROUP, self.prepared.source.scope, self.node
        )
        if self.index == 0:
            self.run.tree.connect(self.node_id, node.id)
            return node
        before = self.run.node_id(f"{self.node.name}[{self.index - 1}]")
        children = self.run.tree.children(before)
        for end in outbound.outbound_of_all(self.run.tree, children) if children else (before,):
            self.run.tree.connect(end, node.id)
        return node

    def _start_group(self) -> None:
        self.rounds, self.open = {}, {}
        clock = self.run.clock(self.group_name, self.group.started_at)
        self.run.fill_in_volumes(self._view(list(self.run.volumes)).variables, clock)
        try:
            resolved = [self._resolve(step) for step in self.groups[self.index]]
        except NbflowError as error:
            raise CallError(f"failed to resolve references: {error.problem}") from None
        for step in [made for data in resolved for made in self._expanded(data)]:
            self.run.later(partial(self._start_step, step))

    def _view(self, data: object) -> View:
        names = referred(data, self.scope.variables)
        view = self.scope.view(names, self.run.variables)
        view.artifacts.update(self.run.global_artifacts)
        return view

    def _resolve(self, step: Data) -> Data:
        source = self.prepared.source
        around = calls.surroundings(self.run, self.call, source, at=self.group.started_at)
        data = body_part(self.prepared, step, around)
        return resolve_call(data, self._view(data), around.clock, lenient=True)

    def _expanded(self, data: Data) -> list[WorkflowStep]:
        """One step, or those of a loop; a loop without items leaves a skipped node."""
        if not expands(data):
            return [WorkflowStep.from_dict(data)]
        view = self._view(
            {key: value for key, value in data.items() if key not in ("withItems", "withParam")}
        )
        rounds = expand(data, view.variables, self.run.clock(self.group_name, self.group.started_at))
        if not rounds:
            self._skip(WorkflowStep.from_dict(data), EMPTY)
        return [WorkflowStep.from_dict(one.data) for one in rounds]

    def _start_step(self, step: WorkflowStep) -> None:
        """Start one step, after those before it: an error in one of them keeps it from being started."""
        if self.finished:
            return
        try:
            proceed = should_execute(step.when)
        except TemplateError as error:
            self._add_skipped(step, Phase.ERROR, error.problem)
            self._fail_group(Phase.ERROR, error.problem)
            return
        if not proceed:
            self._skip(step, f"when '{step.when}' evaluated false")
            return
        name = f"{self.group_name}.{step.name}"
        child = self.run.node_id(name)
        self.rounds[child] = step
        self.open[child] = None
        self.run.owners[child] = self
        calls.execute(self.run, self._call(name, step))

    def _call(self, name: str, step: WorkflowStep) -> Call:
        return Call(
            name=name,
            reference=Reference(step.template, step.template_ref, step.inline),
            scope=self.prepared.source.scope,
            arguments=step.arguments,
            owner=self,
            boundary=self.node_id,
            kind=KIND,
            caller=step.name,
            depth=self.call.depth + 1,
            parents=(self.group.id,),
            on_exit=self.call.on_exit,
        )

    def _skip(self, step: WorkflowStep, why: str) -> None:
        if self.run.tree.named(f"{self.group_name}.{step.name}") is None:
            self._add_skipped(step, Phase.SKIPPED, why)

    def _add_skipped(self, step: WorkflowStep, phase: Phase, message: str) -> None:
        call = self._call(f"{self.group_name}.{step.name}", step)
        calls.add_node(self.run, call, NodeType.SKIPPED, phase, message)

    # --- what becomes of the children -----------------------------------------------------------------------------

    def child_changed(self, node: NodeStatus) -> None:
        """See Context."""
        if self.finished or limits.halts(self.run, self.node_id):
            return
        child = self.hook_parents.get(node.id, node.id)
        if child in self.open:
            self._look_at(child)
            self._settle()
        if self.prepared.template.fail_fast:
            self.run.once_idle.append(self._halt)

    def _halt(self) -> None:
        if limits.halts_in_the_end(self.run, self.node_id):
            self._say_who_failed()

    def _say_who_failed(self) -> None:
        """FailFast ended the template while some steps waited for their turn: the others tell why, if they are done."""
        children = [self.run.tree.nodes[child] for child in self.run.tree.children(self.group.id)]
        if self.finished and all(child.fulfilled for child in children):
            bad = next(
                (c for c in children if c.phase and c.phase.bad and not self._continues(c.id, c.phase)), None
            )
            if bad is not None:
                message = f"child '{bad.id}' failed"
                self.run.mark(self.group, Phase.FAILED, message)
                self.run.mark(self.node, Phase.FAILED, message, outbound=self._outbound())

    def child_errored(self, call: Call, message: str) -> None:
        """See Context."""
        if self.finished:
            return
        if not hooks.is_hook(call):
            message = f"step group deemed errored due to child {call.name} error: {message}"
        self._fail_group(Phase.ERROR, message)

    def child_timed_out(self, call: Call, message: str) -> None:
        """See Context: the group does not wait for the others."""
        if not self.finished and not hooks.is_hook(call):
            self._fail_group(Phase.FAILED, message)

    def _look_at(self, child: str) -> None:
        """Start what hooks of a child are due, and see whether the child is done."""
        node = self.run.tree.nodes.get(child)
        if node is None:
            return
        step = self.rounds[child]
        place = hooks.HookPlace(
            owner=self,
            boundary=self.node_id,
            scope=self.prepared.source.scope,
            depth=self.call.depth + 1,
            prefix=f"{KIND}.{step.name}",
            view=lambda: self._view(step.to_dict().get("hooks", {})),
        )
        try:
            done = hooks.advance(self.run, place, node, step, self.hook_parents)
        except CallError as error:
            self._fail_group(Phase.ERROR, error.problem)
            return
        if done:
            del self.open[child]

    def _settle(self) -> None:
        """End the group once all of its children are done."""
        if self.open or self.finished or self.group.fulfilled:
            return
        for child in self.run.tree.children(self.group.id):
            node = self.run.tree.nodes[child]
            if node.phase is not None and node.phase.bad and not self._continues(child, node.phase):
                self._fail_group(Phase.FAILED, f"child '{child}' failed")
                return
        self.run.mark(self.group, Phase.SUCCEEDED)
        self._group_finished()

    def _continues(self, child: str, phase: Phase) -> bool:
        step = self.rounds.get(child)
        return step is not None and continues_on(step, phase)

    def _group_finished(self) -> None:
        if self.group.phase is not Phase.SUCCEEDED:
            self._fail()
            return
        try:
            for step in self.groups[self.index]:
                self._take_in(step)
        except TemplateError as error:
            calls.fail(self.run, self.call, error.problem)
            return
        self.run.later(self.next_group)

    def _take_in(self, data: Data) -> None:
        """What a step gave becomes known to those that come after."""
        around = calls.surroundings(self.run, self.call, self.prepared.source, at=self.group.started_at)
        known_by: Data = {
            key: data[key] for key in ("name", "template", "templateRef", "inline") if key in data
        }
        step = WorkflowStep.from_dict(body_part(self.prepared, known_by, around))
        name = step.name
        prefix = f"{KIND}.{name}"
        node = self.run.tree.named(f"{self.group_name}.{name}")
        if node is None:
            nodes = self._nodes_of_group(f"{self.group_name}.{name}(")
            rounds = [one for one in nodes if one.type is not NodeType.SKIPPED]
            rounds.sort(key=lambda one: loop_index(one.name))
            known = aggregate_variables(prefix, rounds) if rounds else {}
            self.scope.add(name, {**known, **node_variables(prefix, self.group)}, {})
            return
        latest = hooks.last_attempt(self.run, node)
        self.scope.add(name, node_variables(prefix, latest), node_artifacts(prefix, latest))
        if node.outputs is None and node.phase in (Phase.SKIPPED, Phase.OMITTED):
            self._take_in_skipped(name, prefix, step)

    def _take_in_skipped(self, name: str, prefix: str, step: WorkflowStep) -> None:
        reference = Reference(step.template, step.template_ref, step.inline)
        outputs = calls.declared_outputs(self.run, self.prepared.source.scope, reference)
        if outputs is not None:
            missing: ArtifactsByName = {f"{prefix}.outputs.artifacts.{a.name}": {} for a in outputs.artifacts}
            self.scope.add(name, skipped_variables(prefix, outputs), missing)

    def _nodes_of_group(self, prefix: str) -> Iterable[NodeStatus]:
        for child in self.run.tree.children(self.group.id):
            node = self.run.tree.nodes[child]
            if node.name.startswith(prefix):
                yield node

    # --- the end --------------------------------------------------------------------------------------------------

    def _fail_group(self, phase: Phase, message: str) -> None:
        if not self.group.fulfilled:
            self.run.mark(self.group, phase, message)
        self._fail()

    def _fail(self) -> None:
        """The group failed: so did the steps, with its message."""
        if not self.finished:
            message = self.group.message
            self.run.mark(self.node, Phase.FAILED, message, outbound=self._outbound())
            daemons.end(self.run, self.node_id)

    def _outbound(self) -> tuple[str, ...]:
        last = self.run.node_id(f"{self.node.name}[{min(self.index, len(self.groups) - 1)}]")
        return outbound.outbound_of_all(self.run.tree, self.run.tree.children(last))

    def _succeed(self) -> None:
        around = calls.surroundings(self.run, self.call, self.prepared.source, at=self.node.started_at)
        declared = self.prepared.source.data.get("outputs")
        try:
            outputs = template_outputs(self.prepared, self._view(declared), around)
        except CallError as error:
            calls.fail(self.run, self.call, error.problem, outbound=self._outbound())
        else:
            export(self.run, outputs)
            self.run.mark(self.node, Phase.SUCCEEDED, outputs=outputs, outbound=self._outbound())
            memoize.save(self.run, self.node)
        daemons.end(self.run, self.node_id)


def continues_on(step: TemplateCall, phase: Phase) -> bool:
    """Whether what comes after a step goes on though it ended so."""
    if step.continue_on is None:
        return False
    return (phase is Phase.ERROR and step.continue_on.error) or (
        phase is Phase.FAILED and step.continue_on.failed
    )
