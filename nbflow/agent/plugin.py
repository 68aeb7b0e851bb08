"""The program of a plugin template: calls the executor plugin that is registered for it, as often as it asks."""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from nbflow.agent.plugins import Json, Plugin, load
from nbflow.agent.report import Order, read_order, write_report
from nbflow.errors import NbflowError
from nbflow.units import duration

_ENDS = ("Succeeded", "Failed", "Error", "Skipped")
_GOES_ON = ("Pending", "Running")
_RESULTS = ("parameters", "artifacts", "result", "exitCode")


def carry_out(order: Order, plugin: Plugin, wait: Callable[[float], None] = time.sleep) -> Json:
    """Phase, message and outputs of the node, as the plugin says them. Raises NbflowError."""
    metadata = {"name": order["workflow"], "namespace": order["namespace"], "uid": order["uid"]}
    request = json.dumps({"workflow": {"metadata": metadata}, "template": order["template"]})
    while True:
        reply = plugin(json.loads(request))
        node = _node(reply)
        phase = str(node.get("phase") or "")
        if phase in _ENDS:
            return _result(phase, node)
        if phase not in _GOES_ON:
            raise NbflowError(f"the plugin answered with the phase {phase!r}, which no node has")
        print(f"{phase}: {node.get('message') or ''}".rstrip(": "), flush=True)  # noqa: T201
        wait(_seconds(reply.get("requeue"), phase))


def _node(reply: object) -> Mapping[str, object]:
    """What the plugin says of the node; an answer without one means that it does not do such templates."""
    node = reply.get("node") if isinstance(reply, Mapping) else None
    if not isinstance(node, Mapping):
        raise NbflowError("no plugin executed the template")
    return node


def _result(phase: str, node: Mapping[str, object]) -> Json:
    outputs = node.get("outputs") or {}
    if not isinstance(outputs, Mapping) or not outputs.keys() <= set(_RESULTS):
        raise NbflowError(f"the plugin answered with outputs that are not made of {', '.join(_RESULTS)}")
    found: Json = {"phase": phase, "message": str(node.get("message") or "")}
    return {**found, "outputs": dict(outputs)} if outputs else found


def _seconds(requeue: object, phase: str) -> float:
    try:
        seconds = duration(str(requeue or "")).total_seconds()
    except NbflowError:
        seconds = 0.0
    if seconds <= 0:
        raise NbflowError(
            f"the plugin answered with the phase {phase} and requeue {requeue!r}, so the node would never end"
        )
    return seconds


def main(argv: Sequence[str]) -> int:
    """Carry out an order; what became of it goes into the report."""
    order = read_order(argv)
    name = next(iter(cast("Mapping[str, object]", order["plugin"])), "")
    try:
        report = carry_out(order, load(name))
    except NbflowError as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201 - the log of the node
        report = {"phase": "Failed", "message": error.problem}
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises, its node fails
        traceback.print_exc()
        report = {"phase": "Failed", "message": f"plugin {name}: {type(error).__name__}: {error}"}
    write_report(order, report)
    return 0 if report["phase"] == "Succeeded" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
