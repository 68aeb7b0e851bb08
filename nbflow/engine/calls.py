"""Start a call: from a template's name to a node that waits, runs or failed.

A call whose node exists already (from before a controller ended) is taken up again instead.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from nbflow.engine import limits, memoize, recursion, synchronization
from nbflow.engine.agent import is_agents
from nbflow.engine.arguments import Prepared, Surroundings, fill_in, prepare
from nbflow.engine.decision import CreatePod
from nbflow.engine.failures import CallError
from nbflow.engine.names import display_name, pod_name
from nbflow.engine.pods import build_pod
from nbflow.engine.run import Call, Reference, Run, Waiting
from nbflow.engine.scope import Variables
from nbflow.engine.templates import Source
from nbflow.engine.timeouts import watch_pending
from nbflow.engine.tree import waits_for_lock
from nbflow.spec.arguments import Outputs
from nbflow.spec.status import NodeStatus, NodeType, Phase
from nbflow.spec.sums import parse_progress
from nbflow.spec.template import TEMPLATE_TYPES, ContainerNode, RetryStrategy, Template

_DISPLAYED = r"[a-zA-Z0-9][a-zA-Z0-9-.]{0,61}[a-zA-Z0-9]"
DISPLAY_NAME = "workflows.argoproj.io/display-name"
PROGRESS = "workflows.argoproj.io/progress"


def start(run: Run, call: Call) -> None:
    """Put a call on the agenda."""
    run.owners[run.node_id(call.name)] = call.owner
    run.later(lambda: execute(run, call))


def execute(run: Run, call: Call) -> None:
    """Start a call now, or take it up again. What goes wrong is told to its owner."""
    node = run.tree.named(call.name)
    if node is not None and node.phase is not None and node.phase.finished:
        run.notify(node.id)
        return
    boundary = run.tree.nodes.get(call.boundary)
    if boundary is not None and (boundary.phase is None or boundary.phase.finished):
        return
    if node is None and call.depth >= recursion.MAX_DEPTH:
        add_error(run, call, recursion.too_deep(run, call))
        return
    try:
        if node is None:
            _start(run, call)
        else:
            _resume(run, call, node)
    except CallError as error:
        fail(run, call, error.problem)


def fail(run: Run, call: Call, message: str, *, outbound: tuple[str, ...] | None = None) -> None:
    """The node of a call ends in Error; its owner learns why at once: calls that were to follow may not be made."""
    run.first(lambda: call.owner.child_errored(call, message))
    node = run.tree.named(call.name)
    if node is None:
        add_error(run, call, message)
    elif not (node.phase and node.phase.finished):
        run.mark(node, Phase.ERROR, message, outbound=outbound)


def _start(run: Run, call: Call) -> None:
    source = run.templates.find(call.scope, call.reference, run.world)
    if not limits.admit(run, Waiting(call.name, call.boundary, lambda: execute(run, call))):
        return
    _enter(run, call, prepare(source, call.arguments, surroundings(run, call, source)))


def _enter(run: Run, call: Call, prepared: Prepared) -> None:
    """Start a node once it has its locks, unless the cache knows what it would give. Raises CallError."""
    node_id, template = run.node_id(call.name), prepared.template
    strategy = retry_strategy(run, template)
    kind = NodeType.RETRY if strategy is not None else node_type(prepared.source)
    lock = synchronization.acquire(run, template.synchronization, node_id)
    if lock:
        _wait_for_lock(run, call, prepared, kind, lock)
        return
    memo = memoize.look_up(run, template.memoize) if template.memoize is not None else None
    if memo is None:
        start_prepared(run, call, prepared, kind)
        return
    node = run.tree.named(call.name) or add_node(run, call, kind, Phase.PENDING, prepared=prepared)
    node = memo.on(synchronization.no_longer_waiting(node))
    run.mark(node, Phase.SUCCEEDED, outputs=memo.outputs)


def _wait_for_lock(run: Run, call: Call, prepared: Prepared, kind: NodeType, lock: str) -> None:
    node = run.tree.named(call.name) or add_node(run, call, kind, Phase.PENDING, prepared=prepared)
    watch_pending(run, call, prepared.template, node)
    run.tree.put(synchronization.waiting(node, lock, run.locks.status(lock)))

    def again() -> None:
        waiting = run.tree.nodes[node.id]
        if run.is_cut_off(waiting):
            synchronization.release(run, waiting.id)
        elif waiting.phase is Phase.PENDING:
            try:
                _enter(run, call, prepared)
            except CallError as error:
                fail(run, call, error.problem)

    run.awaiting[node.id] = again


def start_prepared(
    run: Run,
    call: Call,
    prepared: Prepared,
    kind: NodeType,
    *,
    deadline: datetime | None = None,
) -> None:
    """Start a node whose template is ready. Raises CallError."""
    phase = Phase.RUNNING if kind in (NodeType.RETRY, NodeType.STEPS, NodeType.DAG) else Phase.PENDING
    node = run.tree.named(call.name)
    if node is None:
        node = add_node(run, call, kind, phase, prepared=prepared)
    else:
        node = run.mark(synchronization.no_longer_waiting(node), phase)
    begin(run, call, prepared, node, deadline=deadline)


def _resume(run: Run, call: Call, node: NodeStatus) -> None:
    source = run.templates.find(call.scope, call.reference, run.world)
    around = surroundings(run, call, source, at=node.started_at)
    if node.inputs is None:  # nothing to fill in, or a retry with other arguments
        prepared = prepare(source, call.arguments, around)
        node = run.tree.put(replace(node, inputs=prepared.inputs))
    else:
        prepared = fill_in(source, node.inputs, around)
    if waits_for_lock(node):
        _enter(run, call, prepared)
    else:
        begin(run, call, prepared, node, again=True)


def begin(
    run: Run,
    call: Call,
    prepared: Prepared,
    node: NodeStatus,
    *,
    again: bool = False,
    deadline: datetime | None = None,
) -> None:
    """Set going what a node stands for. Raises CallError.

    again: it was set going by an earlier controller. deadline: when a pod has to end at the latest.
    """
    kind = "retry" if node.type is NodeType.RETRY else prepared.source.kind
    if prepared.template.daemon:
        run.daemons.add(node.id)
    if not call.flag.get("retried"):
        watch_pending(run, call, prepared.template, node)
    construct = run.constructs.get(kind)
    if construct is not None:
        construct(run, call, prepared, node)
    elif not again:
        create_pod(run, call, prepared, node, deadline=deadline)
        for container in (
            prepared.template.container_set.containers if prepared.template.container_set else ()
        ):
            _add_container(run, call, node, container)


def _add_container(run: Run, call: Call, pod: NodeStatus, container: ContainerNode) -> None:
    """The node of one container of a containerSet, below its pod or the containers it waits for."""
    name = f"{pod.name}.{container.name}"
    phase = Phase.PENDING if not pod.fulfilled else Phase.FAILED
    node = add_node(run, replace(call, name=name, boundary=pod.id, parents=()), NodeType.CONTAINER, phase)
    for before in container.dependencies or ("",):
        run.tree.connect(run.node_id(f"{pod.name}.{before}") if before else pod.id, node.id)


def create_pod(
    run: Run, call: Call, prepared: Prepared, node: NodeStatus, *, deadline: datetime | None = None
) -> None:
    """Ask for the pod of a node, unless the workflow is past that. Raises CallError."""
    if not run.executes(on_exit=call.on_exit):
        message = f"workflow shutdown with strategy: {run.shutdown}"
        run.mark(node, Phase.FAILED, limits.stopped(run.shutdown) if is_agents(node) else message)
        return
    if run.deadline is not None and run.now >= run.deadline and not call.on_exit:
        run.mark(node, Phase.FAILED, limits.DEADLINE_MESSAGE)
        return
    pod = build_pod(run, call, prepared, node, deadline=deadline)
    run.actions.append(CreatePod(pod))
    start = pod.annotations.get(PROGRESS, "")
    if parse_progress(start)[1]:
        run.tree.put(replace(node, progress=start))


def surroundings(
    run: Run, call: Call, source: Source, *, at: datetime | None = None, more: Variables | None = None
) -> Surroundings:
    """What a call's template sees besides its arguments."""
    own: Variables = {"node.name": call.name}
    if call.kind:
        own[f"{call.kind}.name"] = call.caller
    if source.is_pod and retry_strategy(run, source.template) is None:
        own["pod.name"] = pod_name(run.name, call.name, source.template.name)
    return Surroundings(
        variables=run.variables,
        own={**own, **(more or {})},
        namespace=run.workflow.metadata.namespace,
        world=run.world,
        clock=run.clock(call.name, at),
    )


def retry_strategy(run: Run, template: Template) -> RetryStrategy | None:
    """How a template is tried again: its own way, else the workflow's."""
    return template.retry_strategy if template.retry_strategy is not None else run.spec.retry_strategy


def add_node(
    run: Run,
    call: Call,
    node_type: NodeType,
    phase: Phase,
    message: str = "",
    *,
    prepared: Prepared | None = None,
) -> NodeStatus:
    """The first record of a call's node."""
    boundary = run.tree.nodes.get(call.boundary)
    shown = _display_name(prepared) if not call.flag.get("retried") else ""
    extra = run.estimate(call.name) | _template_ref(call.reference)
    flags = call.flag
    if flags and node_type is NodeType.RETRY:  # Argo notes on it what it notes on its attempts
        flags = {**flags, "retried": True}
    if prepared is not None and prepared.template.memoize is not None:
        extra[memoize.STATUS] = memoize.status_of(prepared.template.memoize)
    if flags:
        extra["nodeFlag"] = dict(flags)
    for parent in call.parents:
        run.tree.connect(parent, run.node_id(call.name))
    return run.add(
        NodeStatus(
            id=run.node_id(call.name),
            name=call.name,
            display_name=shown or (display_name(call.name, boundary.name) if boundary else call.name),
            type=node_type,
            template_name=call.reference.template,
            template_scope=call.scope,
            phase=phase,
            boundary_id=call.boundary,
            message=message,
            started_at=run.now,
            inputs=prepared.inputs if prepared else None,
            extra=extra,
        )
    )


def _template_ref(reference: Reference) -> dict[str, object]:
    """As the status holds it: Go leaves out what is false or empty."""
    if reference.template_ref is None:
        return {}
    return {"templateRef": {key: value for key, value in reference.template_ref.to_dict().items() if value}}


def _display_name(prepared: Prepared | None) -> str:
    """The name that the template wants its nodes to be shown with, "" for none."""
    shown = prepared.template.annotations.get(DISPLAY_NAME, "") if prepared is not None else ""
    if shown and not re.fullmatch(_DISPLAYED, shown):
        raise CallError(f"displayName must match the regex ^{_DISPLAYED}$")
    return shown


def add_error(run: Run, call: Call, message: str) -> NodeStatus:
    """A node in Error for a call that could not become what it should."""
    return add_node(run, call, NodeType.SKIPPED, Phase.ERROR, message)


def node_type(source: Source) -> NodeType:
    """The type of the node that a template becomes."""
    return NodeType(TEMPLATE_TYPES[source.kind])


def add_group(
    run: Run, name: str, node_type: NodeType, scope: str, boundary: NodeStatus, *, call: Call | None = None
) -> NodeStatus:
    """The first record of a StepGroup or TaskGroup node. call: the task that the group stands for."""
    extra = run.estimate(name) | (_template_ref(call.reference) if call is not None else {})
    return run.add(
        NodeStatus(
            id=run.node_id(name),
            name=name,
            display_name=display_name(name, boundary.name),
            type=node_type,
            template_name=call.reference.template if call else "",
            template_scope=scope,
            phase=Phase.RUNNING,
            boundary_id=boundary.id,
            started_at=run.now,
            extra=extra,
        )
    )


def declared_outputs(run: Run, scope: str, reference: Reference) -> Outputs | None:
    """The outputs that the template of a call declares, None if there is no such template."""
    try:
        return run.templates.find(scope, reference, run.world).template.outputs
    except CallError:
        return None
