"""The bytes of artifacts that a cluster's pods stored: from where the workflow says, with what the user may read."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from nbflow.artifacts import driver_for, place_of
from nbflow.errors import NbflowError
from nbflow.kube.api import Api
from nbflow.kube.resources import JSONObject


def fetch(api: Api, workflow: JSONObject, artifact: JSONObject) -> bytes:
    """What is stored. Raises NbflowError if it is in a place that is not reached from here."""
    located = located_artifact(workflow, artifact)
    place = place_of(located)
    if place == "raw":
        with tempfile.TemporaryDirectory(prefix="nbflow-") as scratch:
            return driver_for(located, Path(scratch)).load(located, Path(scratch, "artifact")).read_bytes()
    location = _mapping(located.get(place))
    raise NbflowError(
        f"artifact {artifact.get('name')} is stored in {_words(place, location)}, which nbflow does not reach yet",
        where=f"namespace {api.namespace}",
        fix="fetch it with the Argo Server (`argo cp`), or with the tool of that storage",
    )


def located_artifact(workflow: JSONObject, artifact: JSONObject) -> JSONObject:
    """The artifact with the whole of its location: the workflow's repository holds what is the same for all."""
    place = place_of(artifact)
    status = _mapping(workflow.get("status"))
    repository = _mapping(_mapping(status.get("artifactRepositoryRef")).get("artifactRepository"))
    spec = _mapping(workflow.get("spec"))
    default = _mapping(repository.get(place)) or _mapping(_mapping(spec.get("archiveLocation")).get(place))
    return {**artifact, place: {**default, **_mapping(artifact.get(place))}} if place else artifact


def _words(place: str, location: JSONObject) -> str:
    parts = [
        str(location[key]) for key in ("endpoint", "bucket", "container", "url", "key") if location.get(key)
    ]
    return f"{place} ({', '.join(parts)})" if parts else place or "no place that the workflow names"


def _mapping(value: object) -> JSONObject:
    return value if isinstance(value, Mapping) else {}
