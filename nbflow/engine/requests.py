"""What a person asks for: stop, terminate, suspend, resume, node set."""

from __future__ import annotations

from nbflow.engine import limits, suspend
from nbflow.engine.decision import UserAsked
from nbflow.engine.failures import CallError
from nbflow.engine.outputs import export, with_defaults
from nbflow.engine.run import Run
from nbflow.spec.status import NodeStatus, Phase, parameter_values

_STRATEGIES = {"stop": "Stop", "terminate": "Terminate"}


def take_in(run: Run, asked: UserAsked) -> None:
    """Do what was asked. Raises CallError, with nothing changed, if it cannot be done."""
    if asked.verb in _STRATEGIES and not asked.nodes:
        limits.shut_down(run, _STRATEGIES[asked.verb])
    elif asked.verb == "suspend":
        run.suspended = True
    elif asked.verb == "resume":
        _resume(run, asked)
    elif asked.verb == "set" or asked.nodes:
        _set(run, asked)
    else:
        raise CallError(f"unknown request '{asked.verb}'")


def _resume(run: Run, asked: UserAsked) -> None:
    nodes = _suspended(run, asked) if asked.nodes else _all_suspended(run)
    for node in nodes:
        with_defaults(node)
    if not asked.nodes:
        run.suspended = False
    for node in nodes:
        suspend.resume(run, node, asked.message)


def _set(run: Run, asked: UserAsked) -> None:
    phase = Phase.FAILED if asked.verb == "stop" else asked.phase
    for node in _suspended(run, asked):
        changed = node
        if asked.outputs:
            changed = suspend.supply(run, node, parameter_values(asked.outputs))
            export(run, changed.outputs)
        if phase is not None or asked.message:
            kept = changed.phase or Phase.RUNNING
            run.mark(changed, phase or kept, asked.message or None)


def _suspended(run: Run, asked: UserAsked) -> list[NodeStatus]:
    found = [
        node for name in asked.nodes if (node := run.tree.nodes.get(name)) and suspend.is_suspended(node)
    ]
    if not found:
        raise CallError(
            "currently, set only targets suspend nodes: no suspend nodes matching nodeFieldSelector",
            fix="look for suspended nodes with `nbflow get`",
        )
    return found


def _all_suspended(run: Run) -> list[NodeStatus]:
    nodes = (run.tree.nodes[name] for name in run.tree.unfinished)
    return [node for node in nodes if suspend.is_suspended(node)]
