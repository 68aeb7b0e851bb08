"""A workflow that runs, as a Python object whose results wait.

What tells how it stands (`phase`, `nodes`, `message`) answers at once. What only a finished workflow has
(`outputs`, `logs`) waits for it; an interrupt ends the waiting and leaves the workflow alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from nbflow.clients.client import Client, Request
from nbflow.notebook.failure import DetachedError, StillRunningError, culprits
from nbflow.notebook.follow import Follower, finished
from nbflow.notebook.names import expected, find, missing
from nbflow.notebook.nodes import Nodes, NodeView, read_logs, told
from nbflow.notebook.values import Logs, Outputs
from nbflow.spec.status import NodeType, Phase, WorkflowObject

if TYPE_CHECKING:
    from nbflow.notebook.display import Shown

_PODS = (NodeType.POD, NodeType.CONTAINER)


class Run:
    """A workflow that was submitted.

    client: where it runs. name: metadata.name.
    """

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name
        self.follower = Follower(client, self.name)
        self.shown: Shown | None = None
        self.shown_in: object = None

    @property
    def workflow(self) -> WorkflowObject:
        """The Workflow as it is now, spec and status."""
        return self.client.get(self.name)

    @property
    def phase(self) -> str:
        """Where it stands now: "Pending", "Running", "Succeeded", "Failed" or "Error"."""
        return (self.workflow.status.phase or Phase.PENDING).value

    @property
    def message(self) -> str:
        """Why it stands there; "" if there is nothing to say."""
        return self.workflow.status.message

    @property
    def nodes(self) -> Nodes:
        """All nodes as they are now."""
        return Nodes(self)

    def __getitem__(self, name: str) -> NodeView:
        """A node by display name, name or id. Raises NoSuchNodeError, a KeyError, if there is and will be none."""
        workflow = self.workflow
        if find(workflow, name) is None and not expected(workflow, name):
            raise missing(workflow, name)
        return NodeView(self, name)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.nodes)

    @property
    def outputs(self) -> Outputs:
        """What the entrypoint gives back, and the global outputs. Waits; raises WorkflowFailedError if it failed."""
        workflow = self.wait().workflow
        root = find(workflow, workflow.name)
        merged = _merge(root.outputs if root else None, workflow.status.outputs)
        return Outputs(merged, f"workflow {workflow.name}")

    @property
    def logs(self) -> Logs:
        """The lines of all pods. Waits; a failed workflow has logs too."""
        workflow = self.until(finished)
        pods = [node for node in workflow.status.nodes.values() if node.type in _PODS]
        return read_logs(self.client, workflow, pods)

    def wait(self, timeout: float | None = None, *, check: bool = True) -> Run:
        """Wait until it is finished. timeout: seconds, None for ever.

        Raises WorkflowFailedError if it did not succeed and `check` is set, StillRunningError when the time is over.
        """
        workflow = self.until(finished, timeout)
        if check and workflow.status.phase is not Phase.SUCCEEDED:
            raise told(self.client, workflow, culprits(workflow))
        return self

    def stop(self, message: str = "") -> Run:
        """Ask it to stop: running pods end, exit handlers run."""
        self.client.ask(self.name, Request(verb="stop", message=message))
        return self

    def resume(self) -> Run:
        """Let it go on where it is suspended."""
        self.client.ask(self.name, Request(verb="resume"))
        return self

    def terminate(self, message: str = "") -> Run:
        """Ask it to end at once, without exit handlers."""
        self.client.ask(self.name, Request(verb="terminate", message=message))
        return self

    def until(self, known: Callable[[WorkflowObject], bool], timeout: float | None = None) -> WorkflowObject:
        """The workflow once `known` is true of it, or once it is finished.

        Raises DetachedError when the person interrupts, StillRunningError when `timeout` seconds are over.
        """
        now = self.workflow
        if finished(now) or known(now):
            return now
        try:
            return self.follower.until(known, None if timeout is None else timedelta(seconds=timeout))
        except KeyboardInterrupt:
            raise DetachedError(self.name) from None
        except TimeoutError:
            raise StillRunningError(self.name, timeout or 0) from None

    def finish(self) -> None:
        """Wait until it is finished, whatever became of it, and its display shows that."""
        if self.shown is None:
            self.until(finished)
        else:
            self.shown.finish()

    def __repr__(self) -> str:
        return f"<Run {self.name}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from nbflow.notebook.snapshot import snapshot

        return snapshot(self.client, self.workflow)

    def _ipython_display_(self) -> None:
        """Shown once by the cell that submitted it; any other cell shows it again."""
        from IPython import get_ipython

        from nbflow.notebook.display import show

        shown_in, self.shown_in = self.shown_in, None
        if shown_in is None or shown_in != getattr(get_ipython(), "execution_count", None):
            show(self)
            self.shown_in = None


def _merge(*parts: object) -> dict[str, object]:
    merged: dict[str, object] = {}
    for part in parts:
        for key, value in (part or {}).items():  # type: ignore[attr-defined]
            known = merged.get(key)
            merged[key] = [*known, *value] if isinstance(known, list) and isinstance(value, list) else value
    return merged
