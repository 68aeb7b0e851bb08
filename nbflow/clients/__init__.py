"""The one API of notebook, command line and Python: submit, watch, logs, ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbflow.errors import NbflowError

if TYPE_CHECKING:
    from nbflow.clients.client import Client

LOCAL_TARGETS = ("sandbox", "host")
ARGO = "argo"


def connect(
    target: str | None = None,
    *,
    namespace: str = "",
    context: str = "",
    kubeconfig: str = "",
    instance_id: str = "",
) -> Client:
    """The client of a target: "sandbox" or "host" on this machine, "argo" in a cluster. None: the user's default.

    namespace, context, kubeconfig: which cluster, "" for what the kubeconfig says. instance_id: its controller's.
    Raises NbflowError for a target that is unknown.
    """
    from nbflow.clients.local import LocalClient
    from nbflow.store import Home
    from nbflow.store.settings import read_settings

    home = Home.default()
    chosen = target or read_settings(home).target
    if chosen == ARGO:
        from nbflow.clients.argo import ArgoClient
        from nbflow.kube.access import Cluster

        return ArgoClient(Cluster(context, namespace, kubeconfig), instance_id=instance_id)
    if chosen not in LOCAL_TARGETS:
        raise NbflowError(
            f"unknown target {chosen!r}", fix=f"use one of: {', '.join((*LOCAL_TARGETS, ARGO))}"
        )
    return LocalClient(chosen, home)
