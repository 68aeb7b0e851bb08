"""Several nodes of a run at once: the rounds of a loop, or all whose names fit a pattern."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

from nbflow.notebook.follow import finished
from nbflow.notebook.names import matching, missing
from nbflow.notebook.nodes import NodeView, Source, pods_below, read_logs
from nbflow.notebook.rich import table
from nbflow.notebook.values import Logs, Outputs
from nbflow.spec.status import NodeStatus, WorkflowObject
from nbflow.views import durations
from nbflow.views.text import clean, columns

if TYPE_CHECKING:
    import pandas as pd


class NodeGroup(Sequence[NodeView]):
    """The nodes whose names fit a pattern, in the order they appeared.

    What it is made of may grow as long as the workflow runs: results wait for the end of the workflow.
    """

    def __init__(self, run: Source, pattern: str) -> None:
        self._run, self.pattern = run, pattern

    @overload
    def __getitem__(self, index: int) -> NodeView: ...
    @overload
    def __getitem__(self, index: slice) -> list[NodeView]: ...
    def __getitem__(self, index: int | slice) -> NodeView | list[NodeView]:
        nodes = list(self)
        return nodes[index]

    def __len__(self) -> int:
        return len(self._now())

    def __iter__(self) -> Iterator[NodeView]:
        return iter([NodeView(self._run, node.name) for node in self._now()])

    @property
    def names(self) -> list[str]:
        """Their display names."""
        return [node.display_name for node in self._now()]

    @property
    def phases(self) -> dict[str, int]:
        """How many stand where, now."""
        return dict(Counter(str(node.phase or "Pending") for node in self._now()))

    @property
    def outputs(self) -> list[Outputs]:
        """Their outputs, in order. Waits for the end; raises WorkflowFailedError if one failed before it gave any."""
        return [NodeView(self._run, node.name).outputs for node in self._at_the_end()[1]]

    @property
    def logs(self) -> Logs:
        """All their lines, each with its node in front. Waits for the end."""
        workflow, nodes = self._at_the_end()
        pods = {pod.id: pod for node in nodes for pod in pods_below(workflow, node)}
        return read_logs(self._run.client, workflow, list(pods.values()))

    def wait(self) -> NodeGroup:
        """Wait for the end of the workflow, whatever became of it."""
        self._at_the_end()
        return self

    def to_frame(self) -> pd.DataFrame:
        """One row a node, as they are now. Raises NbflowError if pandas is not installed."""
        from nbflow.notebook.frames import run_frame

        return run_frame(self._now())

    def __repr__(self) -> str:
        rows = [[clean(cell) for cell in row] for row in self._rows()]
        return "\n".join(columns(rows, 2)) or f"no node fits {self.pattern!r} yet"

    def _repr_html_(self) -> str:
        return table(["Node", "Phase", "Duration", "Message"], list(self._rows()))

    def _rows(self) -> Iterator[list[str]]:
        for node in self._now():
            over = node.started_at is not None and node.finished_at is not None
            took = (
                durations.short(durations.between(node.started_at, node.finished_at, node.finished_at))
                if over and node.finished_at
                else ""
            )
            yield [node.display_name, str(node.phase or "Pending"), took, node.message]

    def _now(self) -> list[NodeStatus]:
        return matching(self._run.workflow, self.pattern)

    def _at_the_end(self) -> tuple[WorkflowObject, list[NodeStatus]]:
        workflow = self._run.until(finished)
        found = matching(workflow, self.pattern)
        if not found:
            raise missing(workflow, self.pattern)
        return workflow, found
