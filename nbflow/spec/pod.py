"""A pod: what the engine asks a runtime to run, and what became of it.

A Pod is complete: no `{{tag}}` is left in it. Secrets are named, not held: a runtime looks them up
when it stages the pod, so that no stored pod, log or status ever carries one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nbflow.spec.status import InputsOutputs, Phase

JsonObject = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """One container. env and mounts are Kubernetes' JSON (`value`, `valueFrom.secretKeyRef`, ...).

    source: for scripts; written to a file whose path is appended to `command`, as Argo does it.
    extra: other fields of the Kubernetes container, for runtimes that honour them.
    """

    name: str
    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    source: str | None = None
    env: tuple[JsonObject, ...] = ()
    env_from: tuple[JsonObject, ...] = ()
    working_dir: str = ""
    volume_mounts: tuple[JsonObject, ...] = ()
    dependencies: tuple[str, ...] = ()
    extra: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pod:
    """Everything to run one pod node of a workflow.

    name: Argo's pod name, unique in a home; also what `logs` prints.
    workflow, uid: name and uid of the Workflow. node_id: its node. template: name of the template.
    containers: the main one is called "main"; others are sidecars or parts of a containerSet.
    inputs: artifacts to stage before the start; each resolved to a location and a path, in Argo's JSON.
    outputs: what to capture at the end: parameters (`valueFrom.path`, `default`), artifacts (`path`, ...),
      in Argo's JSON; artifacts without a location go to the local repository under `artifact_key`.
    wants_result: capture stdout of main as `outputs.result`; wants_exit_code likewise.
    deadline: how long main may run, counted from its start; None for ever.
    volumes: Kubernetes' JSON. daemon: counts as up once ready.
    sidecars: names of the containers that are; they end when the others have.
    own_claims: claims made for this workflow alone, by its volumeClaimTemplates.
    repository: where artifacts without a place of their own go, in Argo's JSON with the key of the pod's folder; {} for
      the home. archive_logs: keep the logs there as artifacts, too.
    """

    name: str
    workflow: str
    uid: str
    node_id: str
    template: str
    containers: tuple[ContainerSpec, ...]
    init_containers: tuple[ContainerSpec, ...] = ()
    inputs: tuple[JsonObject, ...] = ()
    outputs: JsonObject = field(default_factory=dict)
    artifact_key: str = ""
    wants_result: bool = False
    deadline: timedelta | None = None
    volumes: tuple[JsonObject, ...] = ()
    daemon: bool = False
    sidecars: tuple[str, ...] = ()
    own_claims: tuple[str, ...] = ()
    repository: JsonObject = field(default_factory=dict)
    archive_logs: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    extra: JsonObject = field(default_factory=dict)

    @property
    def main(self) -> ContainerSpec:
        """The main container, or the first one of a containerSet that has none."""
        return next((c for c in self.containers if c.name == "main"), self.containers[0])


@dataclass(frozen=True, slots=True)
class PodOutcome:
    """How a pod ended.

    phase: Succeeded, Failed (exit code not 0, deadline) or Error (could not be staged, outputs missing,
    vanished). exit_code: of main, None if it never ran. message: Argo's words.
    outputs: what was captured, also from a container that failed, in Argo's JSON
    (parameters, artifacts, result, exitCode). resources: what it used, as Argo counts it: see units of
    status.resourcesDuration. progress: how far it said it got, "N/M", "" if it said nothing.
    """

    phase: Phase
    message: str = ""
    exit_code: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    outputs: InputsOutputs | None = None
    containers: Mapping[str, tuple[Phase, str]] = field(default_factory=dict)
    resources: Mapping[str, int] = field(default_factory=dict)
    progress: str = ""
