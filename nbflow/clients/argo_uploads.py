"""Put an artifact into the repository that a cluster's workflow will use, with what the user may write."""

from __future__ import annotations

from pathlib import Path

from nbflow.artifacts import driver_for, place_of
from nbflow.artifacts.driver import Artifact, ArtifactUnavailable
from nbflow.artifacts.relocate import key_of, relocate
from nbflow.clients.argo_buckets import ClusterSecrets, addresses, with_credentials
from nbflow.clients.argo_repository import repository_of
from nbflow.errors import NbflowError
from nbflow.kube.api import Api
from nbflow.kube.resources import JSONObject


def store(api: Api, workflow: JSONObject, artifact: Artifact, source: Path) -> None:
    """Store a file or folder under the artifact's key.

    Raises NbflowError if the repository is not known, is no bucket that speaks S3, or does not let us.
    """
    try:
        located = relocate(artifact, repository_of(api, workflow, {}))
        if place_of(located) != "s3":
            raise NbflowError(f"its repository is {place_of(located)}, which nbflow does not write to")
        _into_bucket(api, located, source)
    except NbflowError as error:
        raise NbflowError(
            f"artifact {artifact.get('name')} ({key_of(artifact)}) cannot be stored for the cluster: {error.problem}",
            where=error.where or f"namespace {api.namespace}",
            fix=error.fix or "put it into a bucket yourself, and name it in `spec.arguments.artifacts`",
        ) from error


def _into_bucket(api: Api, artifact: Artifact, source: Path) -> None:
    secrets = ClusterSecrets(api)
    problem: NbflowError | None = None
    for one in addresses(with_credentials(artifact, secrets), api.namespace):
        try:
            driver_for(one, source.parent, secrets).save(source, one, take=False)
        except ArtifactUnavailable as error:
            problem = error
        else:
            return
    if problem is not None:
        raise problem
