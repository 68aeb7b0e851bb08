"""What has to be known before the first node: the spec, the variables of the workflow, its labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from nbflow.engine import globals as workflow_wide
from nbflow.engine.decision import StatusChange, World
from nbflow.engine.failures import CallError
from nbflow.engine.scope import Variables
from nbflow.errors import NbflowError
from nbflow.spec.status import Phase
from nbflow.spec.workflow import Workflow, WorkflowSpec
from nbflow.templating.expressions import Clock

STORED_SPEC = "storedWorkflowTemplateSpec"
_TEMPLATE_LABEL = "workflows.argoproj.io/workflow-template"
_CLUSTER_TEMPLATE_LABEL = "workflows.argoproj.io/cluster-workflow-template"
BASELINES = (_TEMPLATE_LABEL, _CLUSTER_TEMPLATE_LABEL, "workflows.argoproj.io/cron-workflow")
"""Labels whose workflows tell each other how long they take."""


class StartError(NbflowError):
    """The workflow is over before it began, in `phase`."""

    def __init__(self, phase: Phase, problem: str) -> None:
        super().__init__(problem)
        self.phase = phase


@dataclass(frozen=True, slots=True)
class Beginning:
    """spec: merged and substituted. merged: as it is kept in the status, if it was merged with a template's.

    labels: those that the engine adds to the workflow's own. scope: where names of templates resolve.
    """

    spec: WorkflowSpec
    variables: Variables
    labels: Mapping[str, str]
    merged: Mapping[str, object] | None
    scope: str


def begin(workflow: Workflow, stored: StatusChange | None, world: World, clock: Clock) -> Beginning:
    """Work it out, the same after a restart as at first. Raises StartError."""
    merged = cast("Mapping[str, object] | None", stored.extra.get(STORED_SPEC)) if stored else None
    try:
        spec = workflow_wide.merged_spec(workflow.spec, merged, world)
    except CallError as error:
        raise StartError(Phase.ERROR, error.problem) from None
    if workflow.spec.workflow_template_ref is not None and merged is None:
        merged = spec.to_dict()
    variables = workflow_wide.workflow_variables(workflow, spec, {})
    try:
        namespace = workflow.metadata.namespace
        variables |= workflow_wide.parameter_variables(spec, variables, namespace, world, clock)
    except CallError as error:
        raise StartError(Phase.FAILED, f"failed to set global parameters: {error.problem}") from None
    try:
        spec = workflow_wide.substituted_spec(spec, variables, clock)
        labels = workflow_wide.computed_labels(spec, variables, clock)
        variables |= {f"workflow.labels.{name}": value for name, value in labels.items()}
        spec = workflow_wide.substituted_spec(spec, variables, clock)
    except CallError as error:
        raise StartError(Phase.ERROR, error.problem) from None
    scope = "local/" if merged is not None else f"local/{workflow.metadata.name}"
    return Beginning(spec, variables, {**labels, **_template_label(workflow)}, merged, scope)


def _template_label(workflow: Workflow) -> dict[str, str]:
    reference = workflow.spec.workflow_template_ref
    if reference is None:
        return {}
    return {_CLUSTER_TEMPLATE_LABEL if reference.cluster_scope else _TEMPLATE_LABEL: reference.name}


def deadline_of(spec: WorkflowSpec, started_at: datetime | None) -> datetime | None:
    """When the workflow has to end, counted in whole seconds from its start."""
    if spec.active_deadline_seconds is None or started_at is None:
        return None
    return started_at.replace(microsecond=0) + timedelta(seconds=spec.active_deadline_seconds)
