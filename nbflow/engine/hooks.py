"""Hooks of steps and tasks: templates that run beside them, or after them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from nbflow.engine import calls
from nbflow.engine.failures import CallError
from nbflow.engine.names import hook_name, on_exit_name
from nbflow.engine.references import View, resolve_arguments
from nbflow.engine.run import Call, Context, Reference, Run
from nbflow.engine.scope import node_artifacts
from nbflow.engine.templates import Data
from nbflow.spec.arguments import Arguments
from nbflow.spec.status import NodeStatus, NodeType, Phase, parameter_values
from nbflow.spec.template import LifecycleHook, TemplateCall
from nbflow.templating.expressions import evaluate_bool
from nbflow.templating.failures import TemplateError

EXIT = "exit"
HOOKED = {"hooked": True}


@dataclass(frozen=True, slots=True)
class HookPlace:
    """Where the hooks of a step or task run. prefix: `steps.NAME`; view: what they may refer to."""

    owner: Context
    boundary: str
    scope: str
    depth: int
    prefix: str
    view: Callable[[], View]


def exit_hook(call: TemplateCall, arguments: Arguments) -> LifecycleHook | None:
    """What runs after a step or task; without arguments of its own it gets the workflow's."""
    if call.on_exit:
        return LifecycleHook(template=call.on_exit, arguments=arguments)
    return with_arguments(call.hooks.get(EXIT), arguments)


def with_arguments(hook: LifecycleHook | None, arguments: Arguments) -> LifecycleHook | None:
    """The hook with these arguments if it has none."""
    if hook is None or hook.arguments.parameters or hook.arguments.artifacts:
        return hook
    return hook.model_copy(update={"arguments": arguments})


def advance_hooks(run: Run, place: HookPlace, node: NodeStatus, hooks: Mapping[str, LifecycleHook]) -> bool:
    """Start the hooks whose time has come; whether all that were started are finished. Raises CallError."""
    done = True
    for name, hook in hooks.items():
        if name == EXIT:
            continue
        full_name = hook_name(node.name, name)
        if not hook.expression:
            raise CallError(f"Expression required for hook {full_name}")
        hook_node = run.tree.named(full_name)
        started = run.node_id(full_name) in run.owners
        if not started and (hook_node is not None or _holds(run, hook.expression, place, node)):
            outputs = last_attempt(run, node).outputs
            arguments = _arguments(run, hook, place, node) if outputs is not None else hook.arguments
            _start(run, full_name, hook, arguments, place, node, on_exit=False)
            started = True
        done = done and (not started or (hook_node is not None and hook_node.fulfilled))
    return done


def advance_exit(run: Run, place: HookPlace, node: NodeStatus, hook: LifecycleHook | None) -> bool:
    """Start what runs after a finished step or task; whether it is finished. Raises CallError."""
    if hook is None or not run.executes(on_exit=True) or node.phase not in _COMPLETED:
        return True
    full_name = on_exit_name(node.name)
    hook_node = run.tree.named(full_name)
    if run.node_id(full_name) in run.owners:
        return hook_node is not None and hook_node.fulfilled
    if hook_node is None and hook.expression and not _holds(run, hook.expression, place, node):
        return True
    _start(run, full_name, hook, _arguments(run, hook, place, node), place, node, on_exit=True)
    return False


_COMPLETED = (Phase.SUCCEEDED, Phase.FAILED, Phase.ERROR)


def last_attempt(run: Run, node: NodeStatus) -> NodeStatus:
    """Of a node that is tried again its last attempt, else the node itself."""
    if node.type is NodeType.RETRY:
        for child in reversed(list(run.tree.children(node.id))):
            attempt = run.tree.nodes.get(child)
            if attempt is not None and not is_hooked(attempt):
                return attempt
    return node


def is_hooked(node: NodeStatus) -> bool:
    """Whether a node runs a hook."""
    flag = node.extra.get("nodeFlag")
    return isinstance(flag, dict) and bool(flag.get("hooked"))


def _holds(run: Run, expression: str, place: HookPlace, node: NodeStatus) -> bool:
    view = place.view()
    view.variables[f"{place.prefix}.status"] = node.phase.value if node.phase else ""
    try:
        return evaluate_bool(expression, view.variables, run.clock(node.name))
    except TemplateError as error:
        raise CallError(error.problem) from None


def _arguments(run: Run, hook: LifecycleHook, place: HookPlace, node: NodeStatus) -> Arguments:
    if not (hook.arguments.parameters or hook.arguments.artifacts):
        return hook.arguments
    view = place.view()
    attempt = last_attempt(run, node)
    view.variables[f"{place.prefix}.status"] = node.phase.value if node.phase else ""
    for name, value in parameter_values(attempt.outputs).items():
        view.variables[f"{place.prefix}.outputs.parameters.{name}"] = value
    view.artifacts.update(node_artifacts(place.prefix, attempt))
    data = cast("Data", {"arguments": hook.arguments.to_dict()})
    try:
        resolved = resolve_arguments(data, view, run.clock(node.name), lenient=True)
    except TemplateError as error:
        raise CallError(error.problem) from None
    return Arguments.from_dict(cast("Mapping[str, object]", resolved["arguments"]))


def _start(
    run: Run,
    name: str,
    hook: LifecycleHook,
    arguments: Arguments,
    place: HookPlace,
    node: NodeStatus,
    *,
    on_exit: bool,
) -> None:
    calls.start(
        run,
        Call(
            name=name,
            reference=Reference(hook.template, hook.template_ref),
            scope=place.scope,
            arguments=arguments,
            owner=place.owner,
            boundary=place.boundary,
            kind="steps",
            depth=place.depth,
            parents=(node.id,),
            on_exit=on_exit,
            flag=HOOKED,
        ),
    )


def is_hook(call: Call) -> bool:
    """Whether a call is one of a hook."""
    return bool(call.flag.get("hooked"))


def advance(
    run: Run, place: HookPlace, node: NodeStatus, call: TemplateCall, parents: dict[str, str]
) -> bool:
    """Start what hooks of a step's or task's node are due; whether the node and they are done.

    parents: gets the ids of the hooks' nodes, each with the id of the node it belongs to. Raises CallError.
    """
    if call.hooks or call.on_exit:
        names = [hook_name(node.name, name) for name in call.hooks] + [on_exit_name(node.name)]
        parents.update((run.node_id(name), node.id) for name in names)
    if not advance_hooks(run, place, node, call.hooks) or not node.fulfilled:
        return False
    return advance_exit(run, place, node, exit_hook(call, run.spec.arguments))
