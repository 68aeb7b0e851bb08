"""Workflows from what is stored already: templates and cron workflows; and a trial without storing anything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from nbflow.errors import NbflowError
from nbflow.revise.stored import from_cron_workflow, from_template

if TYPE_CHECKING:
    from nbflow.clients.client import Client
    from nbflow.commands.submission import Prepared

KINDS = {
    **dict.fromkeys(("workflowtemplate", "workflowtemplates", "wftmpl"), "WorkflowTemplate"),
    **dict.fromkeys(
        ("clusterworkflowtemplate", "clusterworkflowtemplates", "clusterwftmpl", "cwft"),
        "ClusterWorkflowTemplate",
    ),
    **dict.fromkeys(("cronworkflow", "cronworkflows", "cronwf", "cwf"), "CronWorkflow"),
}


@runtime_checkable
class TryingOut(Protocol):
    """A client whose server can check a workflow without storing it."""

    def try_submit(self, workflow: Mapping[str, object]) -> Mapping[str, object]:
        """The Workflow as it would be stored."""


def from_stored(client: Client, source: str) -> Mapping[str, object]:
    """The Workflow that KIND/NAME stands for. Raises NotFoundError if there is no such object."""
    word, slash, name = source.partition("/")
    if not slash:
        raise NbflowError(
            f"resource identifier '{source}' is malformed. Should be `kind/name`, e.g. cronwf/hello-world-cwf",
            fix=f"--from workflowtemplate/{source}",
        )
    kind = KINDS.get(word.lower())
    if kind is None:
        raise NbflowError(
            f"Resource kind '{word}' is not supported for submitting",
            fix="workflowtemplate, clusterworkflowtemplate or cronworkflow",
        )
    found = client.get_object(kind, name)
    if kind == "CronWorkflow":
        return from_cron_workflow(found, datetime.now().astimezone())
    return from_template(name, cluster_scope=kind == "ClusterWorkflowTemplate")


def word_on_crons(client: Client) -> str:
    """What people should know who let cron workflows run here, "" in a cluster."""
    if client.target == "argo":
        return ""
    return (
        "cron workflows start as long as nbflow's controller runs: it does now, and it stays. After "
        "`nbflow controller stop` or a restart of the machine the next nbflow command starts it again."
    )


def tried(prepared: Prepared, client: Client) -> Prepared:
    """What the server makes of it; as it is where nothing but nbflow would look at it."""
    if not isinstance(client, TryingOut):
        return prepared
    return prepared._replace(workflows=tuple(client.try_submit(workflow) for workflow in prepared.workflows))
