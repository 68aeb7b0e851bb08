"""The store: every read and write of the home's SQLite file.

A Store is cheap to open (50 us) and belongs to one thread at a time; whoever works in another thread opens
another one.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Self, cast

from nbflow.errors import ConflictError, NotFoundError
from nbflow.spec.status import NodeStatus
from nbflow.store.connection import connect, translated
from nbflow.store.home import Home
from nbflow.store.objects import ObjectStore
from nbflow.store.rows import (
    Edges,
    JsonObject,
    PodRow,
    Snapshot,
    Standing,
    Submitted,
    decode,
    encode,
    standing_of,
    with_children,
)
from nbflow.store.statements import SQL

if TYPE_CHECKING:
    from nbflow.spec.pod import Pod

LATEST = "@latest"
Row = tuple[object, ...]


class Store:
    """One connection to the file of a home. objects: what users own beside workflows."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._connection = connect(home)
        self.objects = ObjectStore(home, self._connection)
        self._edges = Edges()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    # --- clients: submit, ask ---

    def submit(self, workflow: Submitted, created: str) -> int:
        """Store a new workflow, which the controller finds by itself; returns its key.

        Raises ConflictError if its name is taken.
        """
        row = (
            workflow.uid,
            workflow.name,
            created,
            workflow.target,
            workflow.seed,
            workflow.metadata,
            workflow.spec,
            workflow.status,
        )
        with translated(self.home):
            try:
                return self._connection.execute(SQL["insert_workflow"], row).lastrowid or 0
            except sqlite3.IntegrityError as error:
                raise ConflictError(
                    f'workflows.argoproj.io "{workflow.name}" already exists',
                    fix="use generateName, give --name, or delete the old one",
                ) from error

    def mark(self, name: str, marks: JsonObject) -> None:
        """Give a workflow other labels and annotations. marks: all of them. Raises NotFoundError."""
        found = self.find(name)
        with translated(self.home):
            self._connection.execute(SQL["put_metadata"], (encode({**found.metadata, **marks}), found.key))

    def withdraw(self, key: int) -> None:
        """Forget a workflow that no controller took in."""
        with translated(self.home):
            self._connection.execute(SQL["withdraw_workflow"], (key,))

    def request(self, workflow: int | None, verb: str, body: JsonObject) -> int:
        """Append what a person asks; returns the key to look up the answer with."""
        with translated(self.home):
            cursor = self._connection.execute(
                SQL["insert_request"], (workflow, verb, encode(dict(body)), time.time())
            )
            return cursor.lastrowid or 0

    def take_answer(self, request: int) -> JsonObject | None:
        """The answer, None while there is none; a request is forgotten with its answer."""
        row = self._one("answer", request)
        if row is None or row[0] is None:
            return None
        with translated(self.home):
            self._connection.execute(SQL["forget_request"], (request,))
        return decode(str(row[0]))

    # --- everyone: look ---

    def data_version(self) -> int:
        """A number that differs once another connection has changed the file: 4 us, no read of the data."""
        with translated(self.home):
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        return cast("int", version)

    def resolve(self, name: str) -> str:
        """The name that "@latest" stands for; any other name stays. Raises NotFoundError if there is none."""
        if name != LATEST:
            return name
        row = self._one("latest_name")
        if row is None:
            raise NotFoundError("no workflows found", fix="submit one first")
        return str(row[0])

    def find(self, name: str) -> Snapshot:
        """A workflow without its nodes. Raises NotFoundError."""
        name = self.resolve(name)
        row = self._one("workflow_by_name", name)
        if row is None:
            raise NotFoundError(
                f'workflows.argoproj.io "{name}" not found', fix="`nbflow list` shows those there are"
            )
        return _snapshot(row)

    def find_with_nodes(self, name: str) -> tuple[Snapshot, dict[str, NodeStatus]]:
        """A workflow and its nodes, of the same moment. Raises NotFoundError."""
        with self._reading():
            found = self.find(name)
            return found, self.nodes(found.key)

    def nodes(self, key: int) -> dict[str, NodeStatus]:
        """All nodes of a workflow by id, children included."""
        nodes = (NodeStatus.from_dict(decode(str(text))) for (text,) in self._all("nodes", key))
        return with_children(nodes, cast("Sequence[tuple[str, str]]", self._all("children", key)))

    def node(self, key: int, node_id: str) -> NodeStatus | None:
        """One node, without its children."""
        row = self._one("node", key, node_id)
        return None if row is None else NodeStatus.from_dict(decode(str(row[0])))

    def changes_since(self, key: int, sequence: int) -> tuple[Standing, tuple[NodeStatus, ...]] | None:
        """How a workflow stands and which nodes changed after `sequence`, None if nothing did."""
        if self._one("status_since", key, sequence) is None:
            return None
        with self._reading():
            standing = standing_of(self._one("status_since", key, sequence))
            changed = self._all("nodes_since", key, sequence)
            children = self._children_of(key)
        nodes = (NodeStatus.from_dict(decode(str(text))) for _, text in changed)
        return standing, tuple(
            replace(node, children=tuple(children[node.id])) if node.id in children else node
            for node in nodes
        )

    def _children_of(self, key: int) -> dict[str, list[str]]:
        """The children of all nodes that have any. Who follows a workflow reads each edge once."""
        known = self._edges
        if known.workflow != key:
            known = self._edges = Edges(key)
            rows = self._all("children_with_keys", key)
        else:
            rows = self._all("children_after", known.last, key)
        for number, parent, child in rows:
            known.last = cast("int", number)
            known.children.setdefault(str(parent), []).append(str(child))
        return known.children

    def is_finished(self, key: int) -> bool:
        """Whether its phase will not change any more; a workflow that is gone is."""
        row = self._one("is_finished", key)
        return row is None or bool(row[0])

    def is_settled(self, key: int) -> bool:
        """Whether it is finished and its last pods were cleared away; a workflow that is gone is."""
        row = self._one("is_settled", key)
        return row is None or bool(row[0])

    def sequence(self, key: int) -> int:
        """Of the last commit that touched the workflow; 0 until a controller has taken it in."""
        row = self._one("sequence", key)
        return 0 if row is None else cast("int", row[0])

    def is_stored(self, key: int) -> bool:
        """Whether the workflow is still there."""
        return self._one("is_stored", key) is not None

    def listing(self) -> Iterator[tuple[int, str, str, dict[str, str]]]:
        """Key, name, phase ("" if not taken in) and labels of all workflows, newest first."""
        for key, name, metadata, phase, _, labels in self._all("list_workflows"):
            given = decode(str(metadata)).get("labels")
            own = decode(str(labels)) if labels else {}
            merged = {**(given if isinstance(given, dict) else {}), **own}
            yield cast("int", key), str(name), str(phase or ""), {k: str(v) for k, v in merged.items()}

    def by_key(self, key: int) -> Snapshot | None:
        """A workflow without its nodes, None if it is gone."""
        row = self._one("workflow_by_key", key)
        return None if row is None else _snapshot(row)

    def pods(self, key: int) -> list[PodRow]:
        """The pods of a workflow in the order they were decided."""
        return [PodRow(str(name), str(node), str(state)) for name, node, state in self._all("pods", key)]

    def live_pod(self, name: str) -> Pod | None:
        """A pod of any workflow that is not over, None if there is none of that name."""
        from nbflow.store.pods import pod_from_text

        row = self._one("live_pod", name)
        return None if row is None else pod_from_text(str(row[0]))

    def take_notices(self) -> list[str]:
        """What users should know and were not told yet. Who takes it tells it."""
        texts = [str(text) for (text,) in self._all("untold_notices")]
        with translated(self.home):
            return [text for text in texts if self._connection.execute(SQL["tell_notice"], (text,)).rowcount]

    def has_work(self) -> bool:
        """Whether a controller is needed."""
        row = self._one("has_work")
        return row is not None and bool(row[0])

    def counts(self) -> tuple[int, ...]:
        """Workflows, those not over, pods that run, pods whose roots were kept."""
        return tuple(cast("int", number) for number in self._one("counts") or ())

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """All reads inside see the same moment."""
        with translated(self.home):
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("COMMIT")

    def _one(self, name: str, *values: object) -> Row | None:
        with translated(self.home):
            return cast("Row | None", self._connection.execute(SQL[name], values).fetchone())

    def _all(self, name: str, *values: object) -> list[Row]:
        with translated(self.home):
            return self._connection.execute(SQL[name], values).fetchall()


def _snapshot(row: Row) -> Snapshot:
    key, uid, name, metadata, spec, *standing = row
    return Snapshot(
        cast("int", key), str(uid), str(name), decode(str(metadata)), decode(str(spec)), standing_of(standing)
    )
