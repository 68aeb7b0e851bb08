"""Templates: what can be run, and how steps and tasks call it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nbflow.spec.arguments import Arguments, Inputs, Outputs
from nbflow.spec.artifacts import Artifact, ArtifactLocation
from nbflow.spec.model import IntOrString, KubeObject, Many, Model

Steps = Annotated[tuple["WorkflowStep", ...], Field(strict=False)]

TEMPLATE_TYPES = {
    "container": "Pod",
    "containerSet": "Pod",
    "script": "Pod",
    "resource": "Pod",
    "data": "Pod",
    "steps": "Steps",
    "dag": "DAG",
    "suspend": "Suspend",
    "http": "HTTP",
    "plugin": "Plugin",
}
"""Field that makes a template what it is -> type of its node, as Argo names it."""


class Metadata(Model):
    """Labels and annotations for the pods of a template."""

    annotations: dict[str, str] = {}
    labels: dict[str, str] = {}


class TemplateRef(Model):
    """A template in a WorkflowTemplate, or with `cluster_scope` in a ClusterWorkflowTemplate."""

    name: str = ""
    template: str = ""
    cluster_scope: bool = False


class ContinueOn(Model):
    """Which bad ends of a step or task do not stop what comes after."""

    error: bool = False
    failed: bool = False


class Sequence(Model):
    """`withSequence`: count from start, or start to end, both included; a printf format for each."""

    count: IntOrString | None = None
    start: IntOrString | None = None
    end: IntOrString | None = None
    format: str = ""


class LifecycleHook(Model):
    """A template to run once when `expression` is first true; the hook named `exit` runs at the end."""

    template: str = ""
    arguments: Arguments = Field(default_factory=Arguments)
    template_ref: TemplateRef | None = None
    expression: str = ""


class TemplateCall(Model):
    """What steps and tasks have in common: which template, with what, how often, and when."""

    name: str = ""
    template: str = ""
    inline: Template | None = None
    arguments: Arguments = Field(default_factory=Arguments)
    template_ref: TemplateRef | None = None
    with_items: tuple[object, ...] | None = Field(default=None, strict=False)
    with_param: str = ""
    with_sequence: Sequence | None = None
    when: str = ""
    continue_on: ContinueOn | None = None
    on_exit: str = ""
    hooks: dict[str, LifecycleHook] = {}

    def expands(self) -> bool:
        """Whether the call is a loop."""
        return self.with_items is not None or self.with_param != "" or self.with_sequence is not None


class WorkflowStep(TemplateCall):
    """One step of a step group."""


class DAGTask(TemplateCall):
    """One task of a DAG; `depends` and `dependencies` say what it waits for."""

    dependencies: Many[str] = ()
    depends: str = ""


class DAGTemplate(Model):
    """Tasks and what they wait for. target: run only these and what they need."""

    target: str = ""
    tasks: Many[DAGTask] = ()
    fail_fast: bool | None = None


class Backoff(Model):
    """Wait before a retry: duration * factor^(retry-1), at most cap; none after max_duration."""

    duration: str = ""
    factor: IntOrString | None = None
    max_duration: str = ""
    cap: str = ""


class RetryStrategy(Model):
    """When a failed node is tried again. limit counts retries, not attempts."""

    limit: IntOrString | None = None
    retry_policy: str = ""
    backoff: Backoff | None = None
    affinity: KubeObject | None = None
    expression: str = ""


class Container(Model):
    """A Kubernetes container; the fields that nbflow reads are typed, the others kept."""

    name: str = ""
    image: str = ""
    command: Many[str] = ()
    args: Many[str] = ()
    working_dir: str = ""
    env: Many[KubeObject] = ()
    env_from: Many[KubeObject] = ()
    volume_mounts: Many[KubeObject] = ()
    resources: KubeObject = {}
    ports: Many[KubeObject] = ()
    readiness_probe: KubeObject | None = None
    liveness_probe: KubeObject | None = None
    startup_probe: KubeObject | None = None
    lifecycle: KubeObject | None = None
    security_context: KubeObject | None = None
    image_pull_policy: str = ""
    restart_policy: str = ""
    termination_message_path: str = ""
    termination_message_policy: str = ""
    volume_devices: Many[KubeObject] = ()
    resize_policy: Many[KubeObject] = ()
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False


class UserContainer(Container):
    """A sidecar or init container. mirror_volume_mounts: mount what the main container mounts."""

    mirror_volume_mounts: bool | None = None


class ScriptTemplate(Container):
    """A container that runs `source` from a file, appended to its command."""

    source: str = ""


class ContainerNode(Container):
    """One container of a containerSet."""

    dependencies: Many[str] = ()


class ContainerSetTemplate(Model):
    """Several containers of one pod that wait for each other."""

    containers: Many[ContainerNode] = ()
    volume_mounts: Many[KubeObject] = ()
    retry_strategy: KubeObject | None = None


class SuspendTemplate(Model):
    """A pause; `duration` ends it by itself."""

    duration: str = ""


class ManifestFrom(Model):
    """Where the manifest of a resource template comes from."""

    artifact: Artifact | None = None


class ResourceTemplate(Model):
    """One action on a Kubernetes object."""

    action: str = ""
    merge_strategy: str = ""
    manifest: str = ""
    manifest_from: ManifestFrom | None = None
    set_owner_reference: bool = False
    success_condition: str = ""
    failure_condition: str = ""
    flags: Many[str] = ()


class HTTPTemplate(Model):
    """A request that is the step."""

    method: str = ""
    url: str = ""
    headers: Many[KubeObject] = ()
    timeout_seconds: int | None = None
    success_condition: str = ""
    body: str = ""
    body_from: KubeObject | None = None
    insecure_skip_verify: bool = False


class Cache(Model):
    """The ConfigMap that holds memoized outputs."""

    config_map: KubeObject | None = None


class Memoize(Model):
    """Reuse outputs stored under `key`, if not older than `max_age`."""

    key: str = ""
    cache: Cache | None = None
    max_age: str = ""


class SyncRef(Model):
    """A mutex by name, or a semaphore whose limit is a key of a ConfigMap."""

    name: str = ""
    namespace: str = ""
    database: object = None
    config_map_key_ref: KubeObject | None = None


class Synchronization(Model):
    """Locks to hold while running."""

    semaphores: Many[SyncRef] = ()
    mutexes: Many[SyncRef] = ()


class Template(Model):
    """One thing that can be run; exactly one of TEMPLATE_TYPES is set."""

    name: str = ""
    inputs: Inputs = Field(default_factory=Inputs)
    outputs: Outputs = Field(default_factory=Outputs)
    node_selector: dict[str, str] = {}
    affinity: KubeObject | None = None
    metadata: Metadata = Field(default_factory=Metadata)
    daemon: bool | None = None
    steps: tuple[Steps, ...] | None = Field(default=None, strict=False)
    container: Container | None = None
    container_set: ContainerSetTemplate | None = None
    script: ScriptTemplate | None = None
    resource: ResourceTemplate | None = None
    dag: DAGTemplate | None = None
    suspend: SuspendTemplate | None = None
    data: KubeObject | None = None
    http: HTTPTemplate | None = None
    plugin: KubeObject | None = None
    volumes: Many[KubeObject] = ()
    init_containers: Many[UserContainer] = ()
    sidecars: Many[UserContainer] = ()
    archive_location: ArtifactLocation | None = None
    active_deadline_seconds: IntOrString | None = None
    retry_strategy: RetryStrategy | None = None
    parallelism: int | None = None
    fail_fast: bool | None = None
    tolerations: Many[KubeObject] = ()
    scheduler_name: str = ""
    priority_class_name: str = ""
    service_account_name: str = ""
    automount_service_account_token: bool | None = None
    executor: KubeObject | None = None
    host_aliases: Many[KubeObject] = ()
    security_context: KubeObject | None = None
    pod_spec_patch: str = ""
    metrics: KubeObject | None = None
    synchronization: Synchronization | None = None
    memoize: Memoize | None = None
    timeout: str = ""
    annotations: dict[str, str] = {}
    pending_timeout: str = ""
    pod_resources: KubeObject | None = None
    resource_claims: Many[KubeObject] = ()

    def kinds(self) -> tuple[str, ...]:
        """The fields of TEMPLATE_TYPES that are set; a good template has one."""
        return tuple(kind for kind, attribute in _KINDS if getattr(self, attribute) is not None)


_KINDS = tuple((kind, {"containerSet": "container_set"}.get(kind, kind)) for kind in TEMPLATE_TYPES)
