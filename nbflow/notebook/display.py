"""Show a run in its cell: a snapshot that stays in the notebook and, directly below, the live view.

A rule of the snapshot's own style lets exactly one of them be seen. Without a person in front there is
only the snapshot; at a terminal there is the tree.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from nbflow.clients.client import Client
from nbflow.notebook.failure import StillRunningError
from nbflow.notebook.follow import finished
from nbflow.notebook.presence import Presence, presence
from nbflow.spec.status import WorkflowObject

if TYPE_CHECKING:
    from nbflow.notebook.feed import Message
    from nbflow.notebook.listing import Look
    from nbflow.notebook.results import Run

SNAPSHOT = 5.0
"""Seconds between two snapshots where only they show how it goes on."""
LAST_WORD = 5.0
"""Seconds that a cell waits for the live view once the workflow is finished."""


class Shown(Protocol):
    """A run that is on display."""

    def finish(self) -> None:
        """Wait until the run is finished and the display has its last picture."""


def show(run: Run) -> None:
    """Display `run` as the place allows."""
    from IPython import get_ipython

    shell = get_ipython()
    place = presence(shell)
    if place is Presence.TERMINAL:
        run.shown = ShownAsText(run)
    elif place is Presence.HEADLESS:
        run.shown = ShownAlone(run)
    else:
        run.shown = ShownLive(run)
    run.shown_in = getattr(shell, "execution_count", None)


def show_list(client: Client, look: Look, text: str, *, chosen: bool) -> None:
    """Display a live table of the workflows that `look` gives. text: the same for front ends without it.

    chosen: not all of them are wanted.
    """
    from IPython.display import display

    from nbflow.notebook.listing import Listing, saved
    from nbflow.notebook.widget import LiveWidget

    snapshot_id, workflows = _new_id(), look()
    display(saved(workflows, text=text, pair=snapshot_id), raw=True, display_id=snapshot_id)  # type: ignore[no-untyped-call]
    shown: list[LiveWidget] = []

    def reply(content: Mapping[str, object], buffers: list[bytes] | None = None) -> None:
        for widget in shown:
            widget.reply(content, buffers)

    listing = Listing(client, look, reply, chosen=chosen)
    shown.append(LiveWidget(listing.take, "list", listing.opening(workflows), snapshot_id))
    display(shown[0])  # type: ignore[no-untyped-call]


class ShownAsText:
    """The tree, at a terminal."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._print(run.workflow)

    def finish(self) -> None:
        self._print(self._run.until(finished))

    @staticmethod
    def _print(workflow: WorkflowObject) -> None:
        print(as_text(workflow))  # noqa: T201  # a terminal shows text


class ShownAlone:
    """The snapshot without a live view: nobody looks, and a stored widget would only be in the way."""

    def __init__(self, run: Run) -> None:
        self._run, self._id = run, _new_id()
        _display(run.client, run.workflow, self._id, live=False)

    def finish(self) -> None:
        while not finished(workflow := self._run.workflow):
            _display(self._run.client, workflow, self._id, live=False, update=True)
            with suppress(StillRunningError):
                self._run.until(finished, timeout=SNAPSHOT)
        _display(self._run.client, workflow, self._id, live=False, update=True)


class ShownLive:
    """The snapshot and the live view."""

    def __init__(self, run: Run) -> None:
        from IPython.display import display

        from nbflow.notebook.live import Live
        from nbflow.notebook.widget import LiveWidget

        self._run, self._id = run, _new_id()
        workflow = run.workflow
        _display(run.client, workflow, self._id, live=True)
        self._widget: LiveWidget | None = None
        self._live = Live(run.client, self._tell, self._reply, self._keep)
        opening = self._live.opening(workflow, run.follower)
        self._widget = LiveWidget(self._live.take, "run", {**opening}, self._id)
        self._live.start()
        display(self._widget)  # type: ignore[no-untyped-call]

    def finish(self) -> None:
        self._run.until(finished)
        self._live.finish(LAST_WORD)

    def _tell(self, message: Message) -> None:
        if self._widget is not None:
            self._widget.tell(message)

    def _reply(self, content: Mapping[str, object], buffers: list[bytes] | None = None) -> None:
        if self._widget is not None:
            self._widget.reply(content, buffers)

    def _keep(self, workflow: WorkflowObject) -> None:
        _display(self._run.client, workflow, self._id, live=True, update=True)


def as_text(workflow: WorkflowObject) -> str:
    """The tree of a workflow."""
    from nbflow.views.tree import tree

    return tree(workflow) or f"workflow {workflow.name} has no nodes yet"


def _display(
    client: Client, workflow: WorkflowObject, snapshot_id: str, *, live: bool, update: bool = False
) -> None:
    """Put the snapshot into the cell, or in place of the one that is there: that is safe from any thread."""
    from IPython.display import display, update_display

    from nbflow.notebook.snapshot import snapshot

    bundle = snapshot(client, workflow, pair=snapshot_id if live else "")
    put = update_display if update else display
    put(bundle, raw=True, display_id=snapshot_id)  # type: ignore[no-untyped-call]


def _new_id() -> str:
    return f"nbflow-{uuid.uuid4().hex}"
