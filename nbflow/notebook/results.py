"""A workflow that runs, as a Python object whose results wait.

What tells how it stands (`phase`, `nodes`, `message`) answers at once. What only a finished workflow has
(`outputs`, `logs`) waits for it; an interrupt ends the waiting and leaves the workflow alone.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from nbflow.clients.client import Client, Request
from nbflow.commands.values import texts
from nbflow.notebook.artifacts import Artifacts
from nbflow.notebook.failure import DetachedError, StillRunningError, culprits
from nbflow.notebook.follow import Follower, finished
from nbflow.notebook.groups import NodeGroup
from nbflow.notebook.names import (
    called_by_template,
    expected,
    find,
    is_glob,
    is_loop_of_steps,
    matching,
    missing,
)
from nbflow.notebook.nodes import Nodes, NodeView, fetched, read_logs, told
from nbflow.notebook.telling import telling
from nbflow.notebook.values import Logs, Outputs
from nbflow.spec.status import NodeType, Phase, WorkflowObject, artifacts_by_name, parameter_values
from nbflow.views.durations import between

if TYPE_CHECKING:
    import pandas as pd

    from nbflow.notebook.display import Shown
    from nbflow.notebook.rich import Rich
    from nbflow.notebook.shapes import Diff

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

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters it was given."""
        arguments = self.workflow.spec.get("arguments")
        return parameter_values(arguments if isinstance(arguments, Mapping) else None)

    @property
    def started_at(self) -> datetime | None:
        """When it started, UTC; None before."""
        return self.workflow.status.started_at

    @property
    def finished_at(self) -> datetime | None:
        """When it finished, UTC; None before."""
        return self.workflow.status.finished_at

    @property
    def duration(self) -> timedelta | None:
        """How long it took, or takes so far; None before it starts."""
        status = self.workflow.status
        if status.started_at is None:
            return None
        return between(status.started_at, status.finished_at, datetime.now(UTC))

    def __getitem__(self, name: str) -> NodeView | NodeGroup:
        """A node by display name, name, path ("build/compile") or id. Several by a pattern ("train*"), or by the name
        of a step that is a loop. Raises NoSuchNodeError, a KeyError, if there is and will be none."""
        workflow = self.workflow
        if is_glob(name) and not _is_exact(workflow, name):
            if finished(workflow) and not matching(workflow, name):
                raise missing(workflow, name)
            return NodeGroup(self, name)
        if find(workflow, name) is not None:
            return NodeView(self, name)
        if is_loop_of_steps(workflow, name):
            return NodeGroup(self, f"{name}(*)")
        if not expected(workflow, name):
            raise missing(workflow, name)
        return NodeView(self, name)

    def _ipython_key_completions_(self) -> list[str]:
        return [*self.nodes, *called_by_template(self.workflow)]

    @property
    def outputs(self) -> Outputs:
        """What the entrypoint gives back, and the global outputs. Waits; raises WorkflowFailedError if it failed."""
        workflow = self.wait().workflow
        root = find(workflow, workflow.name)
        merged = _merge(root.outputs if root else None, workflow.status.outputs)
        owner = f"workflow {workflow.name}"
        found = {name: fetched(self.client, workflow, a) for name, a in artifacts_by_name(merged).items()}
        return Outputs(merged, owner, Artifacts(found, owner))

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
        return self._ask(Request(verb="stop", message=message))

    def resume(self) -> Run:
        """Let it go on where it is suspended."""
        return self._ask(Request(verb="resume"))

    def terminate(self, message: str = "") -> Run:
        """Ask it to end at once, without exit handlers."""
        return self._ask(Request(verb="terminate", message=message))

    def suspend(self) -> Run:
        """Start no more nodes until somebody resumes it."""
        return self._ask(Request(verb="suspend"))

    def retry(self, *, restart_successful: str = "", parameters: Mapping[str, object] | None = None) -> Run:
        """Run what failed once more, in this workflow. Raises ConflictError if its phase does not allow it.

        restart_successful: a node field selector, "displayName=train", of what is run again although it succeeded.
        parameters: in place of those it had.
        """
        from nbflow.commands.again import retry
        from nbflow.revise.retry import RetryOptions

        options = RetryOptions(bool(restart_successful), restart_successful, texts(parameters))
        with telling(self.client):
            retry(self.client, self.name, options)
        return self

    def resubmit(self, *, memoized: bool = False, parameters: Mapping[str, object] | None = None) -> Run:
        """Run it all once more, as a new workflow. memoized: without what succeeded."""
        from nbflow.commands.again import resubmit
        from nbflow.revise.resubmit import ResubmitOptions

        with telling(self.client):
            again = resubmit(self.client, self.name, ResubmitOptions(memoized, texts(parameters)))
        return Run(self.client, again.name)

    def delete(self) -> None:
        """Forget it, with its pods, logs and artifacts; ends it first if it runs."""
        with telling(self.client):
            self.client.delete(self.name)

    def to_frame(self) -> pd.DataFrame:
        """One row a node, as it is now: phase, times, parameters, outputs. Raises NbflowError without pandas."""
        from nbflow.notebook.frames import run_frame

        nodes = self.workflow.status.nodes.values()
        return run_frame(node for node in nodes if node.type is not NodeType.STEP_GROUP)

    def tree(self) -> Rich:
        """Its nodes as `get` prints them."""
        from nbflow.notebook.shapes import tree

        return tree(self.workflow)

    def graph(self) -> Rich:
        """Its graph as it is now."""
        from nbflow.notebook.shapes import graph

        return graph(self.workflow)

    def timeline(self) -> Rich:
        """When each of its nodes ran."""
        from nbflow.notebook.shapes import timeline

        return timeline(self.workflow)

    def diff(self, other: Run | str) -> Diff:
        """What differs in another run, or the run of that name: parameters, templates, phases, durations, outputs."""
        from nbflow.notebook.shapes import diff

        return diff(self.workflow, other.workflow if isinstance(other, Run) else self.client.get(other))

    def to_dict(self) -> dict[str, object]:
        """The whole Workflow object, status included, as plain JSON data."""
        return self.workflow.to_dict()

    def to_yaml(self, *, status: bool = False) -> str:
        """The manifest as it was submitted, ready to be submitted again. status: all of the object as it is now."""
        from nbflow.notebook.shapes import manifest_of, to_yaml

        workflow = self.workflow
        return to_yaml(workflow.to_dict() if status else manifest_of(workflow))

    def __await__(self) -> Generator[object, None, Run]:
        """`await run` waits as `wait()` does, and leaves the event loop free meanwhile."""
        return self._awaited().__await__()

    def _ask(self, request: Request) -> Run:
        with telling(self.client):
            self.client.ask(self.name, request)
        return self

    async def _awaited(self) -> Run:
        await self.follower.over()
        return self.wait()

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
        from nbflow.notebook.shapes import graph
        from nbflow.notebook.snapshot import snapshot

        workflow = self.workflow
        drawn = {"image/svg+xml": svg} if (svg := graph(workflow).svg) else {}
        return {**snapshot(self.client, workflow), **drawn}

    def _ipython_display_(self) -> None:
        """Shown once by the cell that submitted it; any other cell shows it again."""
        from IPython import get_ipython

        from nbflow.notebook.display import show

        shown_in, self.shown_in = self.shown_in, None
        if shown_in is None or shown_in != getattr(get_ipython(), "execution_count", None):
            show(self)
            self.shown_in = None


def _is_exact(workflow: WorkflowObject, name: str) -> bool:
    """Whether a node has exactly that name, with its stars and question marks."""
    return any(name in (node.id, node.name, node.display_name) for node in workflow.status.nodes.values())


def _merge(*parts: object) -> dict[str, object]:
    merged: dict[str, object] = {}
    for part in parts:
        for key, value in (part or {}).items():  # type: ignore[attr-defined]
            known = merged.get(key)
            merged[key] = [*known, *value] if isinstance(known, list) and isinstance(value, list) else value
    return merged
