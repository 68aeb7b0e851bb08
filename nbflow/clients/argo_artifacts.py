"""The bytes of artifacts that a cluster's pods stored: from where the workflow says, with what the user may read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from nbflow.artifacts import PlaceNotReached, place_of
from nbflow.artifacts.attempts import attempt
from nbflow.artifacts.credentials import Secrets
from nbflow.artifacts.driver import Artifact, ArtifactUnavailable, mapping
from nbflow.artifacts.relocate import has_location, key_of, relocate
from nbflow.clients.argo_buckets import ClusterSecrets, addresses, way_in, with_credentials
from nbflow.clients.argo_repository import repository_of
from nbflow.errors import NbflowError
from nbflow.kube.api import Api
from nbflow.kube.resources import JSONObject

T = TypeVar("T")

_WAITS = (1.0,)
"""Somebody waits: one more try is enough."""


def reach(
    api: Api,
    workflow: JSONObject,
    node: JSONObject,
    artifact: Artifact,
    move: Callable[[Artifact, Secrets], T],
) -> T:
    """Do with an artifact what is to be done, once it says all of where it is, with credentials that work from here.

    Raises NbflowError if it is in a place that is not reached, with the way to it.
    """
    repository = {} if has_location(artifact) else _repository(api, workflow, node, artifact)
    located = relocate(artifact, repository)
    secrets = ClusterSecrets(api)
    if place_of(located) == "s3":
        return _in_bucket(api, located, secrets, move)
    try:
        return move(located, secrets)
    except PlaceNotReached as error:
        raise NbflowError(
            f"artifact {artifact.get('name')} is stored in {_words(located)}, which nbflow does not reach",
            where=f"namespace {api.namespace}",
            fix="fetch it with the Argo Server (`argo cp`), or with the tool of that storage",
        ) from error


def _repository(api: Api, workflow: JSONObject, node: JSONObject, artifact: Artifact) -> JSONObject:
    try:
        return repository_of(api, workflow, node)
    except NbflowError as error:
        problem = f"artifact {artifact.get('name')} ({key_of(artifact) or 'no key'}) cannot be found: {error.problem}"
        raise NbflowError(problem, where=error.where, fix=error.fix) from error


def _in_bucket(
    api: Api, artifact: Artifact, secrets: ClusterSecrets, move: Callable[[Artifact, Secrets], T]
) -> T:
    *others, last = addresses(with_credentials(artifact, secrets), api.namespace)
    for one in others:
        with suppress(ArtifactUnavailable):
            return move(one, secrets)
    try:
        return attempt(lambda: move(last, secrets), waits=_WAITS)
    except ArtifactUnavailable as error:
        fix = way_in(str(mapping(artifact.get("s3")).get("endpoint")), api.namespace)
        raise ArtifactUnavailable(error.problem, where=f"namespace {api.namespace}", fix=fix) from error


def _words(artifact: Artifact) -> str:
    place = place_of(artifact)
    location = mapping(artifact.get(place))
    fields = ("endpoint", "bucket", "container", "name", "url", "key", "blob", "path")
    parts = [str(location[field]) for field in fields if location.get(field)]
    return f"{place} ({', '.join(parts)})"
