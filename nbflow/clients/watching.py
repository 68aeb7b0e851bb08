"""Follow a workflow: one snapshot, then what changed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from nbflow.clients.client import WorkflowUpdate
from nbflow.clients.starting import Starter
from nbflow.clients.waiting import Pacer
from nbflow.errors import NotFoundError
from nbflow.store import Store
from nbflow.store.rows import Snapshot

_SECONDS_BETWEEN_UPDATES = 0.05
_LOOK = 0.002
_SETTLING = 1.0
"""Seconds in which the last pods are cleared away, unless one of them takes its time to end."""


def watch(store: Store, starter: Starter, name: str) -> Iterator[WorkflowUpdate]:
    """The workflow now, then each change in batches, until it is finished. Closes the store at the end.

    It ends once the home is quiet, too: who waited for a workflow may remove its home.
    """
    with store:
        pacer = Pacer(store, starter)
        snapshot, nodes = store.find_with_nodes(name)
        pacer.revive()
        yield WorkflowUpdate(0, snapshot.object(nodes))
        sequence = 0
        while not snapshot.standing.finished:
            update = _next(store, pacer, snapshot, sequence + 1)
            snapshot, sequence = update[0], sequence + 1
            yield update[1]
        _let_settle(store, snapshot.key)


def _let_settle(store: Store, key: int) -> None:
    end = time.monotonic() + _SETTLING
    while not store.is_settled(key) and time.monotonic() < end:
        time.sleep(_LOOK)


def _next(store: Store, pacer: Pacer, snapshot: Snapshot, sequence: int) -> tuple[Snapshot, WorkflowUpdate]:
    """Wait for the next change. A batch is given away once it is 50 ms after the last one, or the end."""
    earliest = time.monotonic() + _SECONDS_BETWEEN_UPDATES
    dirty = True  # something may have changed between the last look and this one
    while True:
        dirty = dirty or pacer.pause()
        if dirty and (time.monotonic() >= earliest or store.is_finished(snapshot.key)):
            dirty = False
            found = store.changes_since(snapshot.key, snapshot.standing.sequence)
            if found is not None:
                pacer.hurry()
                standing, nodes = found
                after = replace(snapshot, standing=standing)
                return after, WorkflowUpdate(sequence, after.object(), nodes)
            if not store.is_stored(snapshot.key):
                raise NotFoundError(f'workflows.argoproj.io "{snapshot.name}" was deleted')
        elif dirty:
            pacer.pause()
