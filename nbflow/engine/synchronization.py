"""`synchronization`: nodes and workflows that wait for mutexes and semaphores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from nbflow.engine.decision import World
from nbflow.engine.failures import CallError
from nbflow.engine.run import Run
from nbflow.spec.status import NodeStatus
from nbflow.spec.template import Synchronization, SyncRef

_STATUS = "synchronizationStatus"


def acquire(run: Run, synchronization: Synchronization | None, node_id: str) -> str:
    """Take the locks of a node, or of the workflow ("" for `node_id`); the lock it has to wait for, "" if none.

    Raises CallError for a lock that is none.
    """
    if synchronization is None:
        return ""
    limits = _limits(synchronization, run.workflow.metadata.namespace, run.world)
    if not limits:
        return ""
    metadata = run.workflow.metadata
    refused = run.locks.acquire(
        limits, holder(run, node_id), priority=run.spec.priority or 0, created=metadata.creation_timestamp
    )
    run.synchronized.add(node_id)
    return refused


def release(run: Run, node_id: str) -> None:
    """Give back what a node holds or waits for."""
    if node_id in run.synchronized:
        run.synchronized.discard(node_id)
        run.locks.release(holder(run, node_id))


def holder(run: Run, node_id: str) -> str:
    """How the table of locks knows a node."""
    return f"{run.lock_owner}/{node_id}" if node_id else run.lock_owner


def waiting(node: NodeStatus, lock: str, message: str) -> NodeStatus:
    """The node as one that waits for a lock."""
    return replace(node, message=message, extra={**node.extra, _STATUS: {"waiting": lock}})


def no_longer_waiting(node: NodeStatus) -> NodeStatus:
    """The node without its wait."""
    return replace(
        node, message="", extra={key: value for key, value in node.extra.items() if key != _STATUS}
    )


def to_json(run: Run) -> Mapping[str, object] | None:
    """status.synchronization: what the workflow holds, and who holds what it waits for; None for nothing."""
    if not run.synchronized:
        return None
    found: dict[str, dict[str, list[object]]] = {}
    for state, locks in (
        ("holding", run.locks.held_by(run.lock_owner)),
        ("waiting", run.locks.awaited_by(run.lock_owner)),
    ):
        for name, holders in locks.items():
            if "/Mutex/" in name:
                mutexes = found.setdefault("mutex", {}).setdefault(state, [])
                mutexes += [{"mutex": name, "holder": one} for one in holders]
            else:
                found.setdefault("semaphore", {}).setdefault(state, []).append(
                    {"semaphore": name, "holders": holders}
                )
    return found or None


def restore(run: Run, stored: Mapping[str, object]) -> None:
    """Hold again what the workflow held when it was stored."""
    for entry in _entries(stored, "mutex"):
        _hold(run, str(entry["mutex"]), [str(entry["holder"])])
    for entry in _entries(stored, "semaphore"):
        _hold(run, str(entry["semaphore"]), cast("list[str]", entry["holders"]))


def _hold(run: Run, name: str, holders: list[str]) -> None:
    for one in holders:
        run.synchronized.add(one.removeprefix(run.lock_owner).removeprefix("/"))
        run.locks.hold(name, one)


def _entries(stored: Mapping[str, object], kind: str) -> list[Mapping[str, object]]:
    status = cast("Mapping[str, object]", stored.get(kind) or {})
    return cast("list[Mapping[str, object]]", status.get("holding") or [])


def _limits(synchronization: Synchronization, namespace: str, world: World) -> dict[str, int]:
    """Lock -> how many may hold it."""
    limits = {f"{mutex.namespace or namespace}/Mutex/{mutex.name}": 1 for mutex in synchronization.mutexes}
    for semaphore in synchronization.semaphores:
        name, limit = _semaphore(semaphore, namespace, world)
        limits[name] = limit
    return limits


def _semaphore(semaphore: SyncRef, namespace: str, world: World) -> tuple[str, int]:
    reference = semaphore.config_map_key_ref
    if reference is None:
        raise CallError(
            "requested configuration is invalid: cannot get LockName for a Semaphore without a ConfigMapRef or Database"
        )
    namespace = semaphore.namespace or namespace
    config_map, key = str(reference.get("name", "")), str(reference.get("key", ""))
    name = f"{namespace}/ConfigMap/{config_map}/{key}"
    found = world.config_map(namespace, config_map)
    values = cast("Mapping[str, object]", (found or {}).get("data") or {})
    text = str(values.get(key, ""))
    if not text.strip().isdecimal() or int(text) == 0:
        raise CallError(
            f"failed to initialize semaphore {name} with limit",
            fix=f"create a ConfigMap '{config_map}' whose key '{key}' is a whole number",
        )
    return name, int(text)
