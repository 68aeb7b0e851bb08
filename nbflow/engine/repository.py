"""Where a template's artifacts without a place of their own go: `archiveLocation`, or the repository of the workflow.

A repository is a key of a ConfigMap (`artifactRepositoryRef`), as in Argo. Without one the home keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from nbflow.engine.failures import CallError
from nbflow.engine.run import Run
from nbflow.engine.scope import Variables
from nbflow.spec.artifacts import LOCATIONS
from nbflow.spec.pod import JsonObject
from nbflow.spec.template import Template
from nbflow.templating.failures import TemplateError
from nbflow.templating.scope import Value
from nbflow.templating.tags import substitute_tree

_CONFIG_MAP = "artifact-repositories"
_DEFAULT = "workflows.argoproj.io/default-artifact-repository"
_FORMS, _KEYS = ("keyFormat", "blobNameFormat", "pathFormat"), ("key", "blob", "path")
_KEY = "{{workflow.name}}/{{pod.name}}"


@dataclass(frozen=True, slots=True)
class Repository:
    """place: the location with the key of the pod's folder, {} for the home. archive_logs: logs are kept there too."""

    place: JsonObject = field(default_factory=dict)
    archive_logs: bool = False


def repository_of(run: Run, template: Template, scope: Variables, pod: str) -> Repository:
    """Raises CallError if the ConfigMap holds no repository."""
    own = template.archive_location.to_dict() if template.archive_location is not None else {}
    settings = _place(own)
    found = {} if settings else _referred(run)
    logs = next(
        (
            given
            for given in (own.get("archiveLogs"), run.spec.archive_logs, found.get("archiveLogs"))
            if isinstance(given, bool)
        ),
        False,
    )
    return Repository(_filled(settings or _place(found), run, scope, pod), logs)


def _place(location: Mapping[str, object]) -> dict[str, object]:
    return {place: location[place] for place in LOCATIONS if isinstance(location.get(place), Mapping)}


def _filled(place: dict[str, object], run: Run, scope: Variables, pod: str) -> JsonObject:
    """The place with its key as `key`, whatever the place calls it; repositories call it a format."""
    for name, given in place.items():
        settings = dict(cast("Mapping[str, object]", given))
        forms = [settings.pop(field, None) for field in _FORMS] + [settings.get(field) for field in _KEYS]
        form = next(filter(None, forms), _KEY)
        try:
            filled = substitute_tree(
                cast("Value", {**settings, "key": form}), scope, allow_unresolved=True, clock=run.clock(pod)
            )
        except TemplateError as error:
            raise CallError(error.problem) from None
        return {name: cast("JsonObject", filled)}
    return {}


def _referred(run: Run) -> Mapping[str, object]:
    """What the ConfigMap says; {} if there is none: the home stands for the repository then."""
    reference = run.spec.artifact_repository_ref or {}
    name = str(reference.get("configMap") or _CONFIG_MAP)
    item = run.world.config_map(run.workflow.metadata.namespace or "default", name)
    if item is None:
        return {}
    metadata, data = item.get("metadata"), item.get("data")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    usual = annotations.get(_DEFAULT) if isinstance(annotations, Mapping) else None
    key = str(reference.get("key") or usual or "")
    if not key:
        return {}
    text = data.get(key) if isinstance(data, Mapping) else None
    if text is None:
        raise CallError(f"config map missing key {key} for artifact repository ref {name}#{key}")
    return _parsed(str(text), f"{name}#{key}")


def _parsed(text: str, where: str) -> Mapping[str, object]:
    import yaml

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CallError(f"artifact repository {where} is no YAML: {error}") from None
    if not isinstance(found, Mapping) or not _place(found):
        raise CallError(f"artifact repository {where} names no place: one of {', '.join(LOCATIONS)}")
    return found
