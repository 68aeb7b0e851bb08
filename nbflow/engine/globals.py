"""The workflow as a whole: its spec, merged with a template's, and the variables that all templates see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from nbflow.engine.arguments import Surroundings, config_map_value
from nbflow.engine.decision import World
from nbflow.engine.failures import CallError
from nbflow.engine.merge import merge
from nbflow.engine.scope import Variables, as_json, data_json, timestamp_variables
from nbflow.engine.templates import Data
from nbflow.spec.status import parse_time
from nbflow.spec.workflow import Workflow, WorkflowSpec, WorkflowTemplateRef
from nbflow.templating.expressions import Clock, compile_expression
from nbflow.templating.failures import TemplateError
from nbflow.templating.scope import Value
from nbflow.templating.tags import substitute_tree

_LABEL = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_LABEL_LENGTH = 63
_SCHEDULED_TIME = "workflows.argoproj.io/scheduled-time"


def merged_spec(spec: WorkflowSpec, stored: Mapping[str, object] | None, world: World) -> WorkflowSpec:
    """The spec on top of that of the WorkflowTemplate it names. Raises CallError if there is none.

    stored: the merged spec as it was at the start, if the workflow was started before.
    """
    reference = spec.workflow_template_ref
    if reference is None:
        return spec
    if stored is not None:
        return WorkflowSpec.from_dict(stored)
    below = _template_spec(reference, world)
    merged = merge(below, spec.to_dict())
    if (arguments := _merged_arguments(below, spec)) is not None:
        merged["arguments"] = arguments
    if "suspend" not in spec.to_dict():
        merged.pop("suspend", None)
    return WorkflowSpec.from_dict(merged)


def _template_spec(reference: WorkflowTemplateRef, world: World) -> Mapping[str, object]:
    found = world.workflow_template(reference.name, cluster_scope=reference.cluster_scope)
    if found is None:
        kind = "clusterworkflowtemplate" if reference.cluster_scope else "workflowtemplate"
        raise CallError(f'{kind}.argoproj.io "{reference.name}" not found')
    return cast("Mapping[str, object]", found.get("spec") or {})


def _merged_arguments(below: Mapping[str, object], spec: WorkflowSpec) -> Mapping[str, object] | None:
    """Arguments by name; one that both give counts as the workflow gives it, as a whole."""
    own = spec.arguments.to_dict()
    base = cast("Mapping[str, object]", below.get("arguments") or {})
    if not own or not base:
        return None
    arguments = merge(base, own)
    for kind in ("parameters", "artifacts"):
        mine = {str(item["name"]): item for item in cast("list[Data]", own.get(kind) or [])}
        both = cast("list[Data]", arguments.get(kind) or [])
        if kind == "parameters":
            both = [_own_value(item, mine.get(str(item["name"]))) for item in both]
        arguments[kind] = both
    return arguments


def _own_value(merged: Data, own: Data | None) -> Data:
    """A parameter of both: the workflow's, if it has a value; what it may hold is said by the template."""
    if own is None or not ("value" in own or "valueFrom" in own or "default" in own):
        return merged
    rest = {key: value for key, value in merged.items() if key not in ("value", "valueFrom", "default")}
    return {**rest, **own}


def workflow_variables(workflow: Workflow, spec: WorkflowSpec, labels: Mapping[str, str]) -> Variables:
    """workflow.*, but for parameters and what changes while it runs."""
    metadata = workflow.metadata
    found: Variables = {
        "workflow.name": metadata.name,
        "workflow.namespace": metadata.namespace,
        "workflow.mainEntrypoint": spec.entrypoint,
        "workflow.serviceAccountName": spec.service_account_name,
        "workflow.uid": metadata.uid,
    }
    if created := parse_time(metadata.creation_timestamp):
        found |= timestamp_variables("workflow.creationTimestamp", created)
    if spec.priority is not None:
        found["workflow.priority"] = str(spec.priority)
    if _SCHEDULED_TIME in metadata.annotations:
        found["workflow.scheduledTime"] = metadata.annotations[_SCHEDULED_TIME]
    later = spec.workflow_metadata.labels_from if spec.workflow_metadata else {}
    more = spec.workflow_metadata
    all_labels = {**metadata.labels, **(more.labels if more else {}), **labels}
    all_annotations = {**metadata.annotations, **(more.annotations if more else {})}
    for kind, values in (("labels", all_labels), ("annotations", all_annotations)):
        for name, value in values.items():
            if kind != "labels" or name not in later or name in labels:
                found[f"workflow.{kind}.{name}"] = value
        text = data_json(dict(sorted(values.items())))
        found[f"workflow.{kind}"] = found[f"workflow.{kind}.json"] = text
    return found


def parameter_variables(
    spec: WorkflowSpec, variables: Variables, namespace: str, world: World, clock: Clock
) -> Variables:
    """workflow.parameters.*. Raises CallError for one without a value."""
    found: Variables = {}
    around = Surroundings(variables, {}, namespace, world, clock)
    for parameter in spec.arguments.parameters:
        key = f"workflow.parameters.{parameter.name}"
        source = parameter.value_from
        if parameter.value is not None:
            found[key] = parameter.value
        elif source is not None and source.config_map_key_ref is not None:
            try:
                found[key] = config_map_value(parameter, around)
            except CallError as error:
                reference = source.config_map_key_ref
                raise CallError(
                    f"failed to set global parameter {parameter.name} from configmap with name {reference.name}"
                    f" and key {reference.key}: {error.problem}"
                ) from None
        else:
            raise CallError(
                f"either value or valueFrom must be specified in order to set global parameter {parameter.name}"
            )
    text = as_json(spec.arguments.parameters)
    return {**found, "workflow.parameters": text, "workflow.parameters.json": text}


def substituted_spec(spec: WorkflowSpec, variables: Variables, clock: Clock) -> WorkflowSpec:
    """The spec with the workflow's variables put in, but for its templates. Raises CallError."""
    data = cast("Data", spec.model_copy(update={"templates": ()}).to_dict())
    data.pop("templates", None)
    try:
        replaced = substitute_tree(data, variables, allow_unresolved=True, clock=clock)
    except TemplateError as error:
        raise CallError(error.problem) from None
    filled = WorkflowSpec.from_dict(cast("Mapping[str, object]", replaced))
    return filled.model_copy(update={"templates": spec.templates})


def computed_labels(spec: WorkflowSpec, variables: Variables, clock: Clock) -> dict[str, str]:
    """Labels from workflowMetadata, those of labelsFrom evaluated. Raises CallError."""
    metadata = spec.workflow_metadata
    if metadata is None:
        return {}
    labels = dict(metadata.labels)
    for name, value in labels.items():
        _check_label(f'"{value}" for label "{name}"', value)
    for name, source in metadata.labels_from.items():
        labels[name] = _label(name, source.expression, variables, clock)
    return labels


def _check_label(what: str, value: str) -> None:
    """Raises CallError for what Kubernetes takes for no value of a label."""
    faults = [] if len(value) <= _LABEL_LENGTH else [f"must be no more than {_LABEL_LENGTH} characters"]
    if not re.fullmatch(_LABEL, value):
        faults.append(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
            "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
            f"regex used for validation is '{_LABEL}')"
        )
    if faults:
        raise CallError(f"invalid label value {what}: {';'.join(faults)}")


def _label(name: str, expression: str, variables: Variables, clock: Clock) -> str:
    try:
        value: Value = compile_expression(expression).evaluate(variables, clock)
    except TemplateError as error:
        raise CallError(
            f'failed to evaluate label "{name}" expression "{expression}": {error.problem}'
        ) from None
    if not isinstance(value, str):
        raise CallError(f'failed to evaluate label "{name}" expression "{expression}": it must be a string')
    _check_label(f'"{value}" for label "{name}" and expression "{expression}"', value)
    return value
