"""Doctor for a cluster: the way in, what is installed there, and each right that the verbs need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nbflow.commands.connecting import ClusterFlags
from nbflow.commands.doctor import Check, Verdict
from nbflow.errors import NbflowError

if TYPE_CHECKING:
    from nbflow.kube.api import Api

RIGHTS = (
    # kind, part, verbs, without which nothing works; what for
    ("Workflow", "", ("create", "get", "list", "watch"), True, "submit, get, list, watch"),
    ("Workflow", "", ("update", "patch"), False, "stop, terminate, suspend, resume, retry, node set"),
    ("Workflow", "", ("delete",), False, "delete"),
    ("Pod", "", ("list", "watch"), False, "logs"),
    ("Pod", "log", ("get",), False, "logs"),
    ("Pod", "", ("delete",), False, "retry"),
    ("WorkflowTemplate", "", ("get", "list"), False, "templates that workflows name"),
    (
        "WorkflowTemplate",
        "",
        ("create", "update", "delete"),
        False,
        "template create, update, delete",
    ),
    (
        "ClusterWorkflowTemplate",
        "",
        ("get", "list"),
        False,
        "templates of the whole cluster that workflows name",
    ),
    ("CronWorkflow", "", ("get", "list", "create", "update", "patch", "delete"), False, "cron"),
    (
        "Secret",
        "",
        ("create", "get", "list", "delete"),
        False,
        "secrets in manifests and of artifacts, and the verb `secret`",
    ),
    (
        "ConfigMap",
        "",
        ("create", "get", "list", "delete"),
        False,
        "config maps in manifests, and the verb `configmap`",
    ),
    ("PersistentVolumeClaim", "", ("create", "get", "list", "delete"), False, "claims in manifests"),
)


def doctor_cluster(flags: ClusterFlags = ClusterFlags()) -> list[Check]:
    """Look at everything from the kubeconfig to the last right. Changes nothing."""
    from nbflow.kube.access import Cluster
    from nbflow.kube.api import Api

    try:
        api = Api(Cluster(flags.context, flags.namespace, flags.kubeconfig))
    except NbflowError as error:
        return [_failed("kubeconfig", error)]
    who = api.access.identity.subject
    said = f"{api.access.where} at {api.access.server}, namespace {api.namespace}" + (
        f", as {who}" if who else ""
    )
    checks = [Check("kubeconfig", Verdict.OK, said)]
    try:
        checks.append(Check("API server", Verdict.OK, f"Kubernetes {api.server_version()}"))
        checks += [*_kinds(api), *_controller(api, flags.instance_id), *_rights(api)]
    except NbflowError as error:
        checks.append(_failed("API server" if len(checks) == 1 else "rights", error))
    return checks


def _kinds(api: Api) -> Iterator[Check]:
    from nbflow.kube.resources import CRON_WORKFLOW, WORKFLOW, WORKFLOW_TEMPLATE

    try:
        missing = [
            one.full_name for one in (WORKFLOW, WORKFLOW_TEMPLATE, CRON_WORKFLOW) if not api.knows(one)
        ]
    except NbflowError as error:
        yield _failed("Argo", error)
        return
    if missing:
        fix = "ask the administrator to install all CRDs of Argo Workflows"
        yield Check("Argo", Verdict.FAIL, f"the cluster does not know {', '.join(missing)}", fix)
    else:
        yield Check("Argo", Verdict.OK, "the cluster knows workflows, templates and cron workflows")


def _controller(api: Api, instance_id: str) -> Iterator[Check]:
    """Whether workflows are taken up. A submitter does not see the controller itself."""
    from nbflow.clients.argo import INSTANCE
    from nbflow.clients.argo_nodes import UNTAKEN, name_of, typed
    from nbflow.kube.resources import WORKFLOW

    instance = f"{INSTANCE}={instance_id}" if instance_id else f"!{INSTANCE}"
    try:
        items = api.list(WORKFLOW, labels=f"!workflows.argoproj.io/phase,{instance}").items
    except NbflowError:
        return  # what is missing is said by the other checks
    waiting = [name_of(one) for one in items if typed(one, nodes=False).status.message == UNTAKEN]
    if waiting:
        shown = ", ".join(waiting[:3]) + (f" and {len(waiting) - 3} more" if len(waiting) > 3 else "")
        problem, _, fix = UNTAKEN.partition(": ")
        yield Check("controller", Verdict.WARN, f"{problem}: {shown}", fix)
    else:
        yield Check("controller", Verdict.OK, "no workflow waits to be taken up")


def _rights(api: Api) -> Iterator[Check]:
    """One check a row of the table."""
    from nbflow.kube.resources import resource_of

    for kind, part, verbs, needed, what in RIGHTS:
        resource = resource_of(kind)
        plural = f"{resource.plural}/{part}" if part else resource.plural
        denied = [verb for verb in verbs if not api.allowed(verb, resource, part)]
        if not denied:
            yield Check("right", Verdict.OK, f"{', '.join(verbs)} {plural}: {what}")
            continue
        where = f"in namespace {api.namespace}" if resource.namespaced else "in the whole cluster"
        verdict = Verdict.FAIL if needed else Verdict.WARN
        fix = f'ask the administrator for the right to "{", ".join(denied)}" {plural} {where}'
        yield Check("right", verdict, f"no right to {', '.join(denied)} {plural}: {what}", fix)


def _failed(name: str, error: NbflowError) -> Check:
    place = f"{error.where}: " if error.where else ""
    return Check(name, Verdict.FAIL, f"{place}{error.problem}", error.fix)
