"""Runs for Python code, where there is no magic: scripts, other notebooks, tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, overload

from nbflow.clients.client import Client, Selection
from nbflow.commands.manifests import Manifest
from nbflow.notebook.results import Run
from nbflow.notebook.rich import table as html_table
from nbflow.notebook.telling import telling
from nbflow.spec.status import WorkflowObject
from nbflow.views.durations import between, short
from nbflow.views.phases import status_text
from nbflow.views.tables import table

if TYPE_CHECKING:
    import pandas as pd


def run(
    manifest: Manifest,
    *,
    parameters: Mapping[str, object] | None = None,
    artifacts: Mapping[str, object] | None = None,
    on: str | None = None,
    client: Client | None = None,
) -> Run:
    """Start the workflow in `manifest` (a path, a text, a mapping, a workflow of Hera, ...), and return at once.

    parameters: name -> value; what is no text becomes JSON. artifacts: name -> DataFrame, bytes, path or data.
    on: the target, if no client is given. Raises
    ManifestError or NbflowError, and then nothing was created.
    """
    from nbflow.commands.connecting import connect
    from nbflow.commands.submission import submit

    client = client or connect(on)
    with telling(client):
        submission = submit(manifest, parameters=parameters, artifacts=artifacts, client=client)
    return Run(submission.client, submission.workflow.name)


def attach(name: str = "@latest", *, on: str | None = None, client: Client | None = None) -> Run:
    """The run of a workflow that was started elsewhere or earlier. Raises NotFoundError."""
    if client is None:
        from nbflow.commands.connecting import connect

        client = connect(on)
    return Run(client, client.get(name).name)


class Runs(Sequence[Run]):
    """Runs, newest first: a table in a cell, a DataFrame if you like."""

    def __init__(self, client: Client, workflows: Sequence[WorkflowObject]) -> None:
        self._client, self._workflows = client, workflows

    @overload
    def __getitem__(self, index: int) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> Runs: ...
    def __getitem__(self, index: int | slice) -> Run | Runs:
        if isinstance(index, slice):
            return Runs(self._client, self._workflows[index])
        return Run(self._client, self._workflows[index].name)

    def __len__(self) -> int:
        return len(self._workflows)

    def to_frame(self) -> pd.DataFrame:
        """One row a workflow: how it ended, when, its parameters. Raises NbflowError if pandas is not installed."""
        from nbflow.notebook.frames import runs_frame

        return runs_frame(self._workflows)

    def __repr__(self) -> str:
        return table(self._workflows, now=datetime.now(UTC)).rstrip("\n")

    def _repr_html_(self) -> str:
        now = datetime.now(UTC)
        rows = [
            [
                workflow.name,
                status_text(workflow),
                short(between(workflow.status.started_at, workflow.status.finished_at, now)),
                workflow.status.message,
            ]
            for workflow in self._workflows
        ]
        return html_table(["Workflow", "Status", "Duration", "Message"], rows)


def runs(
    *,
    limit: int | None = None,
    prefix: str = "",
    labels: str = "",
    phases: Sequence[str] = (),
    on: str | None = None,
    client: Client | None = None,
) -> Runs:
    """The runs that there are, newest first. prefix: of their names. labels: a selector, "team=blue".

    phases: only these. Raises NbflowError for a phase that there is none of.
    """
    from nbflow.commands.reading import check_phases

    if client is None:
        from nbflow.commands.connecting import connect

        client = connect(on)
    chosen = Selection(labels=labels, phases=check_phases(phases), prefix=prefix, limit=limit)
    return Runs(client, client.list(chosen))
