"""Runs for Python code, where there is no magic: scripts, other notebooks, tests."""

from __future__ import annotations

from collections.abc import Mapping

from nbflow.clients.client import Client
from nbflow.commands.manifests import Manifest
from nbflow.notebook.results import Run


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
    from nbflow.commands.submission import submit

    submission = submit(manifest, parameters=parameters, artifacts=artifacts, on=on, client=client)
    return Run(submission.client, submission.workflow.name)


def attach(name: str = "@latest", *, on: str | None = None, client: Client | None = None) -> Run:
    """The run of a workflow that was started elsewhere or earlier. Raises NotFoundError."""
    if client is None:
        from nbflow.commands.connecting import connect

        client = connect(on)
    return Run(client, client.get(name).name)
