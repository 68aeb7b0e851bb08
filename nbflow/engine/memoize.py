"""`memoize`: outputs that an earlier node of the same key left in a config map."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from nbflow.engine.decision import SaveMemo
from nbflow.engine.durations import parse_go_duration
from nbflow.engine.failures import CallError
from nbflow.engine.run import Run
from nbflow.spec.status import InputsOutputs, NodeStatus, format_time, parse_time
from nbflow.spec.template import Memoize

_KEY = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]*")
_LABEL = "workflows.argoproj.io/configmap-type"
STATUS = "memoizationStatus"


@dataclass(frozen=True, slots=True)
class Memo:
    """What the cache knew of a node. outputs: may be none."""

    outputs: InputsOutputs | None

    def on(self, node: NodeStatus) -> NodeStatus:
        """The node with a note of the hit."""
        status = cast("Mapping[str, object]", node.extra[STATUS])
        return replace(node, extra={**node.extra, STATUS: {**status, "hit": True}})


def status_of(memoize: Memoize) -> Mapping[str, object]:
    """The note that each node of such a template has, each attempt too: where its outputs are kept."""
    return {"hit": False, "key": memoize.key, "cacheName": _cache_name(memoize)}


def _cache_name(memoize: Memoize) -> str:
    cache = memoize.cache.config_map if memoize.cache and memoize.cache.config_map else {}
    return str(cache.get("name", ""))


def look_up(run: Run, memoize: Memoize) -> Memo | None:
    """Ask the cache of a template; None if it knows nothing. Raises CallError for a bad key, age or config map."""
    name = _cache_name(memoize)
    if not _KEY.fullmatch(memoize.key):
        raise CallError(f"invalid cache key: {memoize.key}", fix="use letters, digits and - only")
    entry = _entry(run, name, memoize.key)
    hit = entry is not None and bool(entry.get("nodeID"))
    if hit and memoize.max_age and entry is not None:
        created = parse_time(entry.get("creationTimestamp"))
        try:
            age = parse_go_duration(memoize.max_age)
        except CallError as error:
            raise CallError(f"invalid maxAge: {error.problem}") from None
        hit = created is not None and run.now - created <= age
    return Memo(cast("InputsOutputs | None", entry.get("outputs"))) if hit and entry is not None else None


def _entry(run: Run, name: str, key: str) -> Mapping[str, object] | None:
    if (name, key) in run.memos:
        return run.memos[name, key]
    found = run.world.config_map(run.workflow.metadata.namespace, name)
    if found is None:
        return None
    metadata = cast("Mapping[str, Mapping[str, object]]", found.get("metadata") or {})
    label = (metadata.get("labels") or {}).get(_LABEL)
    if label is None:
        raise CallError(f"memoization configmap doesn't have {_LABEL} label, refusing to use it")
    if label != "Cache":
        raise CallError(f"memoization configmap doesn't have label {_LABEL} = Cache, refusing to use it")
    text = cast("Mapping[str, str]", found.get("data") or {}).get(key)
    if not text:
        return None
    try:
        return cast("Mapping[str, object]", json.loads(text))
    except ValueError as error:
        raise CallError(
            f"malformed cache entry: could not unmarshal JSON; unable to parse: {error}"
        ) from None


def save(run: Run, node: NodeStatus) -> None:
    """Keep the outputs of a node that succeeded, if its template is memoized."""
    status = node.extra.get(STATUS)
    if not isinstance(status, dict) or status.get("hit"):
        return
    name, key = str(status.get("cacheName", "")), str(status.get("key", ""))
    now = format_time(run.now)
    entry: dict[str, object] = {
        "nodeID": node.id,
        "outputs": node.outputs,
        "creationTimestamp": now,
        "lastHitTimestamp": now,
    }
    run.memos[name, key] = entry
    text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"), default=dict)
    run.actions.append(SaveMemo(config_map=name, key=key, entry=text))
