"""From a template that is ready to a Pod that a runtime can start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from nbflow.engine.agent import agent_container, is_agents, with_plugins
from nbflow.engine.arguments import Prepared, has_location
from nbflow.engine.claims import claim_name
from nbflow.engine.durations import parse_duration
from nbflow.engine.failures import CallError
from nbflow.engine.names import call_name
from nbflow.engine.pod_patch import patched
from nbflow.engine.repository import repository_of
from nbflow.engine.run import POD_FIELDS, Call, Run
from nbflow.engine.scope import Variables
from nbflow.spec.model import IntOrString, KubeObject
from nbflow.spec.pod import ContainerSpec, Pod
from nbflow.spec.status import NodeStatus, parameter_values
from nbflow.spec.template import Container, ContainerNode, ScriptTemplate, Template
from nbflow.templating.failures import TemplateError
from nbflow.templating.scope import Value
from nbflow.templating.tags import substitute_tree

MAIN = "main"
_OWN_ANNOTATIONS = "nbflow.dev/"
_READ = frozenset(
    (
        "name",
        "image",
        "command",
        "args",
        "workingDir",
        "env",
        "envFrom",
        "volumeMounts",
        "source",
        "dependencies",
    )
)


def build_pod(
    run: Run, call: Call, prepared: Prepared, node: NodeStatus, *, deadline: datetime | None
) -> Pod:
    """The pod of a node. deadline: when its attempts have to end, for retries. Raises CallError."""
    name = run.tree.pod_of(node)
    asks = prepared.template.plugin is not None and bool(run.spec.executor_plugins)
    template = _with_late_variables(run, prepared, name)
    if asks:
        template = with_plugins(template, run)
        prepared = replace(prepared, template=template)
    order = agent_container(template, run, name)
    containers = [order] if order is not None else _containers(template)
    mounted = [*containers, *map(_container, template.init_containers), *map(_container, template.sidecars)]
    repository = repository_of(run, template, _scope(run, prepared, name), name)
    pod = Pod(
        name=name,
        workflow=run.name,
        uid=run.workflow.metadata.uid,
        node_id=node.id,
        template=template.name,
        containers=(*containers, *map(_container, template.sidecars)),
        init_containers=tuple(map(_container, template.init_containers)),
        inputs=_inputs(prepared),
        outputs={} if is_agents(node) else _outputs(template),
        artifact_key=f"{run.name}/{name}",
        wants_result=asks or template.data is not None or _wants_result(run, call),
        deadline=_deadline(run, template, node, deadline),
        volumes=_volumes(run, prepared, mounted, name),
        daemon=bool(template.daemon),
        sidecars=tuple(sidecar.name for sidecar in template.sidecars),
        own_claims=tuple(f"{run.name}-{claim_name(claim)}" for claim in run.spec.volume_claim_templates),
        repository=repository.place,
        archive_logs=repository.archive_logs and order is None,
        labels=_labels(run, call, template),
        annotations=_annotations(run, node, template),
        extra=_extra(run, template),
    )
    patches = [] if order is not None else _patches(run, prepared, template, name)
    return _with_volumes(patched(pod, patches), run, prepared) if patches else pod


def _patches(run: Run, prepared: Prepared, template: Template, pod: str) -> list[str]:
    """PodSpecPatch of the workflow and of the template, in the order in which they are applied."""
    found = [run.spec.pod_spec_patch, template.pod_spec_patch]
    scope = _scope(run, prepared, pod)
    try:
        texts = [substitute_tree(t, scope, allow_unresolved=True, clock=run.clock(pod)) for t in found if t]
    except TemplateError as error:
        raise CallError(error.problem) from None
    return [str(text) for text in texts]


def _with_volumes(pod: Pod, run: Run, prepared: Prepared) -> Pod:
    """The pod with the volumes of the workflow that only its patch mounts."""
    given = {str(volume.get("name")) for volume in pod.volumes}
    containers = (*pod.init_containers, *pod.containers)
    wanted = dict.fromkeys(str(m.get("name")) for c in containers for m in c.volume_mounts)
    missing = [name for name in wanted if name not in given]
    if not missing:
        return pod
    mounts = tuple({"name": name} for name in missing)
    more = _volumes(run, prepared, [ContainerSpec("", "", volume_mounts=mounts)], pod.name)
    return replace(pod, volumes=(*pod.volumes, *more))


def _with_late_variables(run: Run, prepared: Prepared, pod: str) -> Template:
    """The template once more, with its inputs as they have become: one may have held a tag of another."""
    template = prepared.template
    if "{{" not in template.model_dump_json():
        return template
    scope = _scope(run, prepared, pod)
    data = cast("Value", template.to_dict())
    try:
        replaced = substitute_tree(data, scope, allow_unresolved=True, clock=run.clock(pod))
    except TemplateError as error:
        raise CallError(error.problem) from None
    return Template.from_dict(cast("Mapping[str, object]", replaced))


def _scope(run: Run, prepared: Prepared, pod: str) -> Variables:
    inputs = parameter_values(prepared.inputs)
    return {**run.variables, **{f"inputs.parameters.{k}": v for k, v in inputs.items()}, "pod.name": pod}


def _wants_result(run: Run, call: Call) -> bool:
    """Whether the template around refers to the `outputs.result` of this step or task."""
    boundary = run.boundaries.get(call.boundary)
    return boundary is not None and call_name(call.name) in boundary.results


def _containers(template: Template) -> list[ContainerSpec]:
    if template.container_set is not None:
        mounts = tuple(template.container_set.volume_mounts)
        return [_container(c, name=c.name or MAIN, mounts=mounts) for c in template.container_set.containers]
    main = template.container or template.script
    if main is None:
        raise CallError(f"Template '{template.name}' missing specification")
    return [_container(main, name=MAIN)]


def _container(container: Container, *, name: str = "", mounts: tuple[KubeObject, ...] = ()) -> ContainerSpec:
    extra = {key: value for key, value in container.to_dict().items() if key not in _READ}
    return ContainerSpec(
        name=name or container.name,
        image=container.image,
        command=container.command,
        args=container.args,
        source=container.source if isinstance(container, ScriptTemplate) and container.source else None,
        env=container.env,
        env_from=container.env_from,
        working_dir=container.working_dir,
        volume_mounts=(*container.volume_mounts, *mounts),
        dependencies=container.dependencies if isinstance(container, ContainerNode) else (),
        extra=extra,
    )


def _inputs(prepared: Prepared) -> tuple[Mapping[str, object], ...]:
    artifacts = (prepared.inputs or {}).get("artifacts")
    return tuple(a for a in cast("list[Mapping[str, object]]", artifacts or []) if has_location(a))


def _outputs(template: Template) -> Mapping[str, object]:
    outputs = template.outputs.to_dict()
    return {key: outputs[key] for key in ("parameters", "artifacts") if outputs.get(key)}


def _volumes(
    run: Run, prepared: Prepared, mounted: Iterable[ContainerSpec], pod: str
) -> tuple[Mapping[str, object], ...]:
    """The volumes that some container mounts."""
    wanted = dict.fromkeys(str(mount.get("name")) for c in mounted for mount in c.volume_mounts)
    if not wanted:
        return ()
    claims: list[KubeObject] = [
        {"name": claim, "persistentVolumeClaim": {"claimName": f"{run.name}-{claim}"}}
        for claim in (claim_name(template) for template in run.spec.volume_claim_templates)
    ]
    known: dict[str, KubeObject] = {}
    for volume in (*prepared.template.volumes, *run.volumes, *claims):
        known.setdefault(str(volume.get("name")), volume)
    for name in wanted:
        if name not in known:
            raise CallError(f"volume '{name}' not found in workflow spec")
    scope = _scope(run, prepared, pod)
    try:
        found = [
            substitute_tree(cast("Value", known[name]), scope, allow_unresolved=True, clock=run.clock(pod))
            for name in wanted
        ]
    except TemplateError as error:
        raise CallError(error.problem) from None
    return tuple(cast("list[Mapping[str, object]]", found))


def _deadline(run: Run, template: Template, node: NodeStatus, until: datetime | None) -> timedelta | None:
    limits: list[timedelta] = []
    agents = is_agents(node)  # only `timeout` is about those: the others are fields of a pod
    if template.active_deadline_seconds is not None and not agents and not template.timeout:
        limits.append(timedelta(seconds=_whole_number(template.active_deadline_seconds)))
    if template.timeout:  # takes the place of activeDeadlineSeconds, whichever is longer
        limits.append(_left(run, node, (node.started_at or run.now) + parse_duration(template.timeout)))
    if until is not None and not agents:
        limits.append(max(until - run.now, timedelta(milliseconds=1)))
    return min(limits, default=None)


def _left(run: Run, node: NodeStatus, end: datetime) -> timedelta:
    left = end - run.now
    if left <= timedelta():
        raise CallError(f"{node.name} exceeded its deadline")
    return left


def _whole_number(value: IntOrString) -> int:
    try:
        return int(value)
    except ValueError:
        raise CallError(f'strconv.ParseInt: parsing "{value}": invalid syntax') from None


def _labels(run: Run, call: Call, template: Template) -> Mapping[str, str]:
    labels = {**template.metadata.labels, "workflows.argoproj.io/workflow": run.name}
    if call.on_exit:
        labels["workflows.argoproj.io/on-exit"] = "true"
    return labels


def _annotations(run: Run, node: NodeStatus, template: Template) -> Mapping[str, str]:
    ours = {k: v for k, v in run.workflow.metadata.annotations.items() if k.startswith(_OWN_ANNOTATIONS)}
    argos = {"workflows.argoproj.io/node-name": node.name, "workflows.argoproj.io/node-id": node.id}
    return {**template.metadata.annotations, **argos, **ours}


def _extra(run: Run, template: Template) -> Mapping[str, object]:
    """Fields of the pod that a runtime may honour; the template's own before the workflow's."""
    own = {key: value for key, value in template.to_dict().items() if key in POD_FIELDS}
    if template.container_set is not None and template.container_set.retry_strategy is not None:
        own["containerSet"] = {"retryStrategy": template.container_set.retry_strategy}
    return {**run.pod_fields, **own}
