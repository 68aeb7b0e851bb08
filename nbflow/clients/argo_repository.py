"""The artifact repository of a workflow in a cluster: from the template, the status, or the config map it names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nbflow.artifacts.relocate import has_location
from nbflow.errors import NbflowError, NotFoundError
from nbflow.kube.api import Api
from nbflow.kube.resources import CONFIG_MAP, JSONObject

_CONFIG_MAP = "artifact-repositories"
_DEFAULT = "workflows.argoproj.io/default-artifact-repository"
_UNKNOWN = "the workflow does not say which artifact repository it used"


def repository_of(api: Api, workflow: JSONObject, node: JSONObject) -> JSONObject:
    """What holds for all artifacts of the node, in the shape of an `archiveLocation`.

    As the Argo Server finds it: the `archiveLocation` of the node's template, else the repository of the workflow.
    Raises NbflowError if there is none, or it cannot be read.
    """
    archive = _mapping(_template(workflow, node).get("archiveLocation"))
    if has_location(archive):
        return archive
    spec, status = _mapping(workflow.get("spec")), _mapping(workflow.get("status"))
    ref = _mapping(status.get("artifactRepositoryRef"))
    if known := _mapping(ref.get("artifactRepository")):
        return known
    if ref.get("default"):
        # Before v3.1 a workflow did not keep what its controller's settings said.
        raise NbflowError(
            _UNKNOWN, fix="ask the administrator for artifactRepository of the controller's settings"
        )
    return _configured(api, ref or _mapping(spec.get("artifactRepositoryRef")))


def _configured(api: Api, ref: JSONObject) -> JSONObject:
    """The repository of a config map. Raises NbflowError."""
    import yaml

    name = str(ref.get("configMap") or _CONFIG_MAP)
    place = api.within(str(ref.get("namespace") or api.namespace))
    where = f"config map {name} in namespace {place.namespace}"
    try:
        found = place.get(CONFIG_MAP, name)
    except NotFoundError as error:
        raise NbflowError(_UNKNOWN, where=where, fix=f"there is no {where}: ask who set up Argo") from error
    annotations = _mapping(_mapping(found.get("metadata")).get("annotations"))
    key = str(ref.get("key") or annotations.get(_DEFAULT) or "")
    text = _mapping(found.get("data")).get(key)
    try:
        repository = yaml.safe_load(str(text)) if text is not None else None
    except yaml.YAMLError as error:
        raise NbflowError(f"key {key!r} is no YAML", where=where) from error
    if not isinstance(repository, Mapping):
        raise NbflowError(f"the artifact repository {key!r} is not there", where=where)
    return repository


def _template(workflow: JSONObject, node: JSONObject) -> JSONObject:
    """The template of a node, wherever the workflow keeps it."""
    spec, status = _mapping(workflow.get("spec")), _mapping(workflow.get("status"))
    ref = _mapping(node.get("templateRef"))
    name = str(ref.get("template") or node.get("templateName") or "")
    stored = _mapping(status.get("storedTemplates")) if ref else {}
    for one in _mappings(stored.values()):
        if one.get("name") == name:
            return one
    for found in (spec, _mapping(status.get("storedWorkflowTemplateSpec"))):
        templates = found.get("templates")
        for one in _mappings(templates if isinstance(templates, list) else ()):
            if one.get("name") == name:
                return one
    return {}


def _mappings(values: Iterable[object]) -> Iterable[JSONObject]:
    return (value for value in values if isinstance(value, Mapping))


def _mapping(value: object) -> JSONObject:
    return value if isinstance(value, Mapping) else {}
