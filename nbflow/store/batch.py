"""What a controller is about to commit: collected event by event, written in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

from nbflow.engine.decision import SaveMemo, StatusChange
from nbflow.spec.pod import Pod
from nbflow.spec.status import NodeStatus, WorkflowStatus
from nbflow.store.pods import pod_to_text
from nbflow.store.rows import JsonObject, decode, encode
from nbflow.store.statements import SQL

_NEW_CACHE = {"apiVersion": "v1", "kind": "ConfigMap"}
_CACHE_LABELS = {"labels": {"workflows.argoproj.io/configmap-type": "Cache"}}


@dataclass(frozen=True, slots=True)
class Renewed:
    """A finished workflow that runs again.

    spec: JSON, as it is from now on. nodes, pods: what goes. parents: whose edges are written anew.
    """

    key: int
    spec: str
    nodes: tuple[str, ...]
    parents: tuple[str, ...]
    pods: tuple[str, ...]

    def write(self, connection: sqlite3.Connection) -> None:
        """Take away what goes."""
        many, key = connection.executemany, self.key
        connection.execute(SQL["renew_workflow"], (self.spec, key))
        connection.execute(SQL["unsettle"], (key,))
        many(SQL["forget_node"], [(key, node) for node in self.nodes])
        many(SQL["forget_children"], [(key, parent) for parent in (*self.nodes, *self.parents)])
        many(SQL["forget_pod"], [(key, pod) for pod in self.pods])


@dataclass(slots=True)
class Batch:
    """Rows to write, by workflow key. A node that changes twice is written once."""

    nodes: dict[tuple[int, str], NodeStatus] = field(default_factory=dict)
    children: list[tuple[int, str, str]] = field(default_factory=list)
    statuses: dict[int, StatusChange] = field(default_factory=dict)
    sequences: dict[int, int] = field(default_factory=dict)
    created: list[tuple[int, Pod]] = field(default_factory=list)
    started: list[tuple[int, str]] = field(default_factory=list)
    captured: list[tuple[float, int, str]] = field(default_factory=list)
    cleared: list[tuple[str, int, str]] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    answers: dict[int, JsonObject] = field(default_factory=dict)
    deleted: list[int] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    memos: list[SaveMemo] = field(default_factory=list)
    renewed: list[Renewed] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__slots__)

    def write(self, connection: sqlite3.Connection) -> None:
        """Write all of it; the caller holds the transaction."""
        for renewed in self.renewed:
            renewed.write(connection)
        self._write_statuses(connection)
        self._write_nodes(connection)
        many = connection.executemany
        many(SQL["put_pod"], [(key, pod.name, pod.node_id, pod_to_text(pod)) for key, pod in self.created])
        many(SQL["pod_running"], self.started)
        many(SQL["pod_captured"], self.captured)
        many(SQL["pod_cleared"], self.cleared)
        many(SQL["settle"], [(key,) for key in self.settled])
        for key in self.deleted:
            for part in ("_objects", "_nodes", "_children", "_pods", "_status", ""):
                connection.execute(SQL[f"delete_workflow{part}"], (key,))
        for memo in self.memos:
            _write_memo(connection, memo)
        many(SQL["put_notice"], [(text,) for text in self.notices])
        many(SQL["answer_request"], [(encode(answer), key) for key, answer in self.answers.items()])

    def _write_statuses(self, connection: sqlite3.Connection) -> None:
        for key, sequence in self.sequences.items():
            change = self.statuses.get(key)
            if change is None:
                connection.execute(SQL["touch_status"], (sequence, key))
            else:
                over = int(change.phase.finished)
                texts = status_to_text(change), encode(dict(change.labels))
                connection.execute(
                    SQL["put_status"],
                    (key, sequence, change.phase.value, over, int(change.suspended), *texts),
                )

    def _write_nodes(self, connection: sqlite3.Connection) -> None:
        many, sequences = connection.executemany, self.sequences
        many(
            SQL["put_node"],
            [(key, id_, sequences[key], encode(node.to_dict())) for (key, id_), node in self.nodes.items()],
        )
        many(SQL["put_child"], self.children)
        parents = dict.fromkeys((key, parent) for key, parent, _ in self.children)
        touched = [
            (sequences[key], key, parent) for key, parent in parents if (key, parent) not in self.nodes
        ]
        many(SQL["touch_node"], touched)


def _write_memo(connection: sqlite3.Connection, memo: SaveMemo) -> None:
    """Add an entry to a cache; the config map is made if there is none."""
    row = connection.execute(SQL["object"], ("ConfigMap", memo.config_map)).fetchone()
    cache = (
        dict(decode(row[0]))
        if row
        else {**_NEW_CACHE, "metadata": {**_CACHE_LABELS, "name": memo.config_map}}
    )
    entries = cache.get("data")
    cache["data"] = {**(entries if isinstance(entries, Mapping) else {}), memo.key: memo.entry}
    connection.execute(SQL["put_object"], ("ConfigMap", memo.config_map, encode(cache)))


def status_to_text(change: StatusChange) -> str:
    """Argo's status without its nodes."""
    status = WorkflowStatus(
        change.phase,
        change.message,
        change.started_at,
        change.finished_at,
        change.progress,
        outputs=change.outputs,
        extra=change.extra,
    )
    return encode(status.to_dict())
