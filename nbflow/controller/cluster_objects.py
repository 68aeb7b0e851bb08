"""The objects that a resource template finds in a cluster: of all kinds that this machine has none of its own of."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from nbflow.controller.kinds import Kind, Target, no_such_kind
from nbflow.controller.pod_specs import Json, mapping
from nbflow.errors import NbflowError, NotFoundError
from nbflow.kube.access import Cluster
from nbflow.kube.api import Api
from nbflow.kube.resources import Resource

_PATCHES = {
    "strategic": "application/strategic-merge-patch+json",
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/merge-patch+json",
}


def find_in_cluster(target: Target) -> tuple[Kind, ClusterObjects]:
    """A kind as the cluster of the kubeconfig knows it, and its objects. Raises NbflowError if it does not."""
    if not is_configured():
        raise no_such_kind(target.word)
    api = Api(Cluster())
    found = api.discover(target.word, target.api_version)
    if found is None:
        version = f' in version "{target.api_version}"' if target.api_version else ""
        raise NbflowError(f'no matches for kind "{target.word}"{version}', where=api.access.where)
    kind = Kind(found.kind, found.full_name, found.group)
    return kind, ClusterObjects(found, target.namespace, api)


def is_configured() -> bool:
    """Whether KUBECONFIG names a cluster."""
    paths = os.environ.get("KUBECONFIG", "").split(os.pathsep)
    return any(Path(path).expanduser().is_file() for path in paths if path)


class ClusterObjects:
    """One kind of objects of the cluster that the kubeconfig names. namespace: "" for the one it says."""

    def __init__(self, resource: Resource, namespace: str, api: Api) -> None:
        self._resource, self._api = resource, api.within(namespace) if namespace else api

    def read(self, kind: Kind, name: str) -> Json | None:  # noqa: ARG002
        try:
            return dict(self._api.get(self._resource, name))
        except NotFoundError:
            return None

    def create(self, kind: Kind, manifest: Json, *, awaited: bool) -> Json:  # noqa: ARG002
        return dict(self._api.create(self._resource, manifest))

    def change(self, kind: Kind, old: Json, strategy: str, change: object) -> Json:  # noqa: ARG002
        name = str(mapping(old, "metadata").get("name", ""))
        if strategy == "replace":
            metadata = {"resourceVersion": mapping(old, "metadata").get("resourceVersion")}
            new = cast("Json", change)
            return dict(
                self._api.replace(
                    self._resource, {**new, "metadata": {**mapping(new, "metadata"), **metadata}}
                )
            )
        return dict(self._api.patch(self._resource, name, change, _PATCHES.get(strategy, "")))

    def delete(self, kind: Kind, name: str) -> None:  # noqa: ARG002
        self._api.delete(self._resource, name)

    def delete_all(self, kind: Kind, meets: Callable[[Mapping[str, str]], bool]) -> list[str]:
        found = self._api.list(self._resource).items
        labels = {
            str(mapping(item, "metadata").get("name", "")): mapping(mapping(item, "metadata"), "labels")
            for item in found
        }
        chosen = [name for name, own in labels.items() if meets(cast("Mapping[str, str]", own))]
        for name in chosen:
            self.delete(kind, name)
        return chosen

    def output_of(self, item: Json) -> bytes:  # noqa: ARG002
        return b""

    def check_alive(self, item: Json) -> None:
        """The cluster looks after it."""

    def let_go(self, kind: Kind, item: Json) -> None:
        """It never belonged to the step."""
