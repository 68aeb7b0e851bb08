"""The kinds of objects that nbflow reads and writes in a cluster, and where the API keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from nbflow.errors import NbflowError

JSONObject = Mapping[str, object]
ARGO = "argoproj.io"


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object. plural: its name in URLs. group: "" for Kubernetes' own core kinds."""

    kind: str
    plural: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True

    @property
    def full_name(self) -> str:
        """As Kubernetes' messages call it: "workflows.argoproj.io"."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        """As manifests write it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        """The URL path of all objects of the kind, of one of them, or of a part of one. namespace: "" for all."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = [root]
        if self.namespaced and namespace:
            parts += ["namespaces", quote(namespace, safe="")]
        parts.append(self.plural)
        parts += [quote(part, safe="") for part in (name, subresource) if part]
        return "/".join(parts)


def _argo(kind: str, plural: str, *, namespaced: bool = True) -> Resource:
    return Resource(kind, plural, ARGO, "v1alpha1", namespaced)


WORKFLOW = _argo("Workflow", "workflows")
WORKFLOW_TEMPLATE = _argo("WorkflowTemplate", "workflowtemplates")
CLUSTER_WORKFLOW_TEMPLATE = _argo("ClusterWorkflowTemplate", "clusterworkflowtemplates", namespaced=False)
CRON_WORKFLOW = _argo("CronWorkflow", "cronworkflows")
POD = Resource("Pod", "pods")
SECRET = Resource("Secret", "secrets")
CONFIG_MAP = Resource("ConfigMap", "configmaps")
CLAIM = Resource("PersistentVolumeClaim", "persistentvolumeclaims")
EVENT = Resource("Event", "events")
ACCESS_REVIEW = Resource(
    "SelfSubjectAccessReview", "selfsubjectaccessreviews", "authorization.k8s.io", "v1", False
)

RESOURCES = {
    resource.kind: resource
    for resource in (
        WORKFLOW,
        WORKFLOW_TEMPLATE,
        CLUSTER_WORKFLOW_TEMPLATE,
        CRON_WORKFLOW,
        POD,
        SECRET,
        CONFIG_MAP,
        CLAIM,
    )
}


def resource_of(kind: str) -> Resource:
    """Where objects of a kind are kept. Raises NbflowError for a kind that nbflow does not handle."""
    found = RESOURCES.get(kind)
    if found is None:
        raise NbflowError(
            f"nbflow handles no {kind or 'object without a kind'} in a cluster", fix="create it with kubectl"
        )
    return found
