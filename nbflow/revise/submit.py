"""What the flags of `argo submit` change in a Workflow."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nbflow.errors import NbflowError

JSONObject = Mapping[str, object]
SCHEDULED_TIME = "workflows.argoproj.io/scheduled-time"
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class SubmitOptions(NamedTuple):
    """The flags, "" and empty where not given. A named tuple: every submit pays for it, and it is quickly made.

    parameters: NAME=VALUE, in order, later ones win. labels, annotations: NAME=VALUE joined by commas.
    scheduled_time: when a cron workflow would have started it (RFC 3339).
    """

    name: str = ""
    generate_name: str = ""
    entrypoint: str = ""
    parameters: tuple[str, ...] = ()
    service_account: str = ""
    labels: str = ""
    annotations: str = ""
    priority: int | None = None
    namespace: str = ""
    scheduled_time: str = ""


def apply(workflow: JSONObject, options: SubmitOptions) -> dict[str, object]:
    """The Workflow with the options in it; `workflow` stays as it is. Raises NbflowError for a malformed option."""
    return {
        **workflow,
        "metadata": _metadata(_mapping(workflow.get("metadata")), options),
        "spec": _spec(_mapping(workflow.get("spec")), options),
    }


def split_parameter(text: str) -> tuple[str, str]:
    """NAME=VALUE as a pair. Raises NbflowError if there is no "=", or nothing before it."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise NbflowError(
            f"expected parameter of the form: NAME=VALUE. Received: {text}", fix=f"-p {name or 'NAME'}=VALUE"
        )
    return name, value


def parse_labels(text: str, what: str = "labels") -> dict[str, str]:
    """NAME=VALUE,NAME=VALUE as a mapping. Raises NbflowError if it is something else."""
    labels = {}
    for part in text.split(",") if text else ():
        name, equals, value = part.partition("=")
        if not equals or not name or "=" in value:
            raise NbflowError(
                f"expected {what} of the form: NAME1=VALUE1,NAME2=VALUE2. Received: {text}",
                fix=f"{part or 'an empty part'} is no NAME=VALUE",
            )
        labels[name] = value
    return labels


def override_parameters(workflow: JSONObject, parameters: Sequence[str]) -> dict[str, object]:
    """The Workflow with these parameters (NAME=VALUE) in place of its own, also in the spec that its run keeps."""
    spec, status = _mapping(workflow.get("spec")), _mapping(workflow.get("status"))
    arguments = _mapping(spec.get("arguments"))
    given = _parameters(arguments, parameters)
    changed = {**workflow, "spec": {**spec, "arguments": {**arguments, "parameters": given}}}
    stored = status.get("storedWorkflowTemplateSpec")
    if isinstance(stored, Mapping):
        kept = {**stored, "arguments": {**_mapping(stored.get("arguments")), "parameters": given}}
        changed["status"] = {**status, "storedWorkflowTemplateSpec": kept}
    return changed


def _metadata(metadata: JSONObject, options: SubmitOptions) -> dict[str, object]:
    changed = dict(metadata)
    for key, text in (("labels", options.labels), ("annotations", options.annotations)):
        if text:
            changed[key] = {**_mapping(metadata.get(key)), **parse_labels(text, key)}
    if options.scheduled_time:
        _check_time(options.scheduled_time)
        own = _mapping(changed.get("annotations"))
        changed["annotations"] = {**own, SCHEDULED_TIME: options.scheduled_time}
    if options.generate_name:
        changed["generateName"] = options.generate_name
    if options.name:
        changed["name"] = options.name
    if options.namespace and not metadata.get("namespace"):
        changed["namespace"] = options.namespace
    return changed


def _check_time(text: str) -> None:
    if not _RFC3339.fullmatch(text):
        raise NbflowError(
            f"scheduled-time contains invalid time.RFC3339 format. Received: {text}",
            fix="write it as 2006-01-02T15:04:05-07:00",
        )


def _spec(spec: JSONObject, options: SubmitOptions) -> dict[str, object]:
    changed = dict(spec)
    if options.entrypoint:
        changed["entrypoint"] = options.entrypoint
    if options.service_account:
        changed["serviceAccountName"] = options.service_account
    if options.priority is not None:
        changed["priority"] = options.priority
    if options.parameters:
        arguments = _mapping(spec.get("arguments"))
        changed["arguments"] = {**arguments, "parameters": _parameters(arguments, options.parameters)}
    return changed


def _parameters(arguments: JSONObject, texts: Sequence[str]) -> list[object]:
    """The parameters given come first, then those of the manifest that were not given, as Argo orders them."""
    given: dict[str, object] = {}
    for index, (name, value) in enumerate(split_parameter(text) for text in texts):
        if name in given:
            raise NbflowError(
                f"spec.arguments.parameters[{index}].name '{name}' is not unique",
                fix=f"give {name} once, with -p or in the parameter file",
            )
        given[name] = {"name": name, "value": value}
    written = arguments.get("parameters")
    rest = [p for p in written if _name(p) not in given] if isinstance(written, list | tuple) else []
    return [*given.values(), *rest]


def _name(parameter: object) -> object:
    return parameter.get("name") if isinstance(parameter, Mapping) else None


def _mapping(value: object) -> JSONObject:
    return value if isinstance(value, Mapping) else {}
