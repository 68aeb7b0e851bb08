"""Why a pod does not start: what Kubernetes says, in words with what to do. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_IMAGE = re.compile(r'image "([^"]+)"')


@dataclass(frozen=True, slots=True)
class Trouble:
    """problem: what is in the way. fix: what to do, or to ask the administrator for."""

    problem: str
    fix: str


_TROUBLES: tuple[tuple[str, str, str], ...] = (
    (
        r"ImagePullBackOff|ErrImagePull|InvalidImageName|ErrImageNeverPull|pull access denied|manifest unknown",
        "the image cannot be pulled",
        "check its name and tag; a private one needs `imagePullSecrets`, and that secret in the namespace",
    ),
    (
        r"exceeded quota",
        "the namespace's quota is used up",
        "delete what is not needed, lower `resources.requests`, or ask the administrator for a higher quota",
    ),
    (
        r"Insufficient (?:cpu|memory|ephemeral-storage)|Too many pods",
        "no node has room for it",
        "lower `resources.requests` of the template, wait until others are done, or ask for more nodes",
    ),
    (
        r"untolerated taint|didn't match Pod's node affinity|node\(s\) didn't match|MatchNodeSelector",
        "no node may take it",
        "check `nodeSelector`, `affinity` and `tolerations` of the template against `kubectl get nodes --show-labels`",
    ),
    (
        r"unbound immediate PersistentVolumeClaims|persistentvolumeclaim .* not found|FailedMount|FailedAttachVolume",
        "its volume is not there",
        "`kubectl get pvc` shows the claims; a claim stays unbound if its storage class provides nothing",
    ),
    (
        r"Unschedulable|nodes are available",
        "no node takes it",
        "`kubectl describe pod` says for each node why; ask the administrator for nodes that fit",
    ),
    (
        r'(?:secret|configmap) "?[^" ]+"? not found|CreateContainerConfigError|couldn\'t find key',
        "a secret or config map that it names is not there",
        "create it in the namespace: nbflow secret create NAME --from-literal=KEY=VALUE --on argo",
    ),
    (
        r'serviceaccount "?[^" ]+"? not found|cannot (?:create|patch) resource "(?:pods|workflowtaskresults)"',
        "its service account is not there, or lacks the rights that Argo's executor needs",
        "docs/rbac/pods.yaml holds them; or choose another account with --serviceaccount",
    ),
    (
        r'Pod "[^"]*" is invalid: metadata\.name',
        "its pod cannot be called so: the name of the template is part of it",
        "name the template with lower case letters, digits and `-` only",
    ),
    (
        r"artifact driver \S+ not found",
        "the artifact repository of the controller is a plugin that is not installed",
        "name another in the config map `artifact-repositories` of the namespace; or ask for the plugin",
    ),
    (
        r"violates PodSecurity",
        "the namespace's pod security refuses it",
        "set `securityContext` (runAsNonRoot: true and so on), as the message says",
    ),
    (
        r"OOMKilled",
        "it ran out of memory",
        "raise `resources.limits.memory` of the template",
    ),
    (
        r"Evicted|node was low on resource",
        "its node had to end it",
        "set `resources.requests` to what it needs, and a `retryStrategy`",
    ),
)


def trouble(message: str) -> Trouble | None:
    """What the message of a node or pod means; None if it is none of the known troubles."""
    for pattern, problem, fix in _TROUBLES:
        if re.search(pattern, message):
            image = _IMAGE.search(message)
            return Trouble(f"{problem} ({image[1]})" if image and "image" in problem else problem, fix)
    return None
