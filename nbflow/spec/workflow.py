"""Workflow and its relatives: the objects that a manifest holds."""

from __future__ import annotations

from pydantic import Field

from nbflow.spec.arguments import Arguments
from nbflow.spec.model import KubeObject, Many, Model
from nbflow.spec.template import (
    LifecycleHook,
    Metadata,
    RetryStrategy,
    Synchronization,
    Template,
)

API_VERSION = "argoproj.io/v1alpha1"
KINDS = ("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow")


class ObjectMeta(Model):
    """Kubernetes' metadata; what nbflow does not read is kept."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    creation_timestamp: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class WorkflowTemplateRef(Model):
    """The WorkflowTemplate (or ClusterWorkflowTemplate) a Workflow takes its spec from."""

    name: str = ""
    cluster_scope: bool = False


class LabelValueFrom(Model):
    """A label computed by an expression."""

    expression: str = ""


class WorkflowMetadata(Model):
    """Labels and annotations a template gives to the Workflows made of it."""

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    labels_from: dict[str, LabelValueFrom] = {}


class WorkflowSpec(Model):
    """What to run."""

    templates: Many[Template] = ()
    entrypoint: str = ""
    arguments: Arguments = Field(default_factory=Arguments)
    service_account_name: str = ""
    automount_service_account_token: bool | None = None
    executor: KubeObject | None = None
    volumes: Many[KubeObject] = ()
    volume_claim_templates: Many[KubeObject] = ()
    parallelism: int | None = None
    artifact_repository_ref: KubeObject | None = None
    suspend: bool | None = None
    node_selector: dict[str, str] = {}
    affinity: KubeObject | None = None
    tolerations: Many[KubeObject] = ()
    image_pull_secrets: Many[KubeObject] = ()
    host_network: bool | None = None
    dns_policy: str = ""
    dns_config: KubeObject | None = None
    on_exit: str = ""
    ttl_strategy: KubeObject | None = None
    active_deadline_seconds: int | None = None
    priority: int | None = None
    scheduler_name: str = ""
    pod_gc: KubeObject | None = Field(default=None, alias="podGC")
    pod_priority_class_name: str = ""
    host_aliases: Many[KubeObject] = ()
    security_context: KubeObject | None = None
    pod_spec_patch: str = ""
    pod_disruption_budget: KubeObject | None = None
    metrics: KubeObject | None = None
    shutdown: str = ""
    workflow_template_ref: WorkflowTemplateRef | None = None
    synchronization: Synchronization | None = None
    volume_claim_gc: KubeObject | None = Field(default=None, alias="volumeClaimGC")
    retry_strategy: RetryStrategy | None = None
    pod_metadata: Metadata | None = None
    template_defaults: Template | None = None
    archive_logs: bool | None = None
    hooks: dict[str, LifecycleHook] = {}
    workflow_metadata: WorkflowMetadata | None = None
    artifact_gc: KubeObject | None = Field(default=None, alias="artifactGC")
    executor_plugins: Many[KubeObject] = ()
    pod_resources: KubeObject | None = None
    resource_claims: Many[KubeObject] = ()

    def template(self, name: str) -> Template | None:
        """The template of that name, None if there is none."""
        return next((t for t in self.templates if t.name == name), None)


class Manifest(Model):
    """What every object has."""

    api_version: str = API_VERSION
    kind: str = ""
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)


class Workflow(Manifest):
    """What to do (`spec`, typed) and what happened (`status`, plain; `spec.status` types it)."""

    kind: str = "Workflow"
    spec: WorkflowSpec = Field(default_factory=WorkflowSpec)
    status: KubeObject | None = None


class WorkflowTemplate(Manifest):
    """A WorkflowTemplate or ClusterWorkflowTemplate: a stored spec others refer to."""

    kind: str = "WorkflowTemplate"
    spec: WorkflowSpec = Field(default_factory=WorkflowSpec)


class CronWorkflowSpec(Model):
    """A Workflow and when to start it."""

    workflow_spec: WorkflowSpec = Field(default_factory=WorkflowSpec)
    schedules: Many[str] = ()
    concurrency_policy: str = ""
    suspend: bool = False
    starting_deadline_seconds: int | None = None
    successful_jobs_history_limit: int | None = None
    failed_jobs_history_limit: int | None = None
    timezone: str = ""
    workflow_metadata: ObjectMeta | None = None
    stop_strategy: KubeObject | None = None
    when: str = ""


class CronWorkflow(Manifest):
    """A Workflow on a schedule."""

    kind: str = "CronWorkflow"
    spec: CronWorkflowSpec = Field(default_factory=CronWorkflowSpec)
    status: KubeObject | None = None
