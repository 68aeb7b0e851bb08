"""The claims that `volumeClaimTemplates` make for a workflow, and when they go again (`volumeClaimGC`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nbflow.spec.model import KubeObject
from nbflow.spec.status import Phase

ON_COMPLETION = "OnWorkflowCompletion"


def claim_name(template: KubeObject) -> str:
    """The name of a claim's template, which is also that of the volume."""
    metadata = template.get("metadata")
    return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""


def claims_go(volume_claim_gc: object, phase: Phase | None) -> bool:
    """Whether the claims of a workflow that ended go with it: usually if it succeeded, as a retry may need them."""
    strategy = volume_claim_gc.get("strategy") if isinstance(volume_claim_gc, Mapping) else None
    return phase is Phase.SUCCEEDED or (strategy == ON_COMPLETION and phase is not None and phase.finished)


def claims_status(
    workflow: str, templates: Sequence[KubeObject], volume_claim_gc: object, phase: Phase
) -> list[KubeObject]:
    """status.persistentVolumeClaims: the volumes that the claims are, as long as there are any."""
    if claims_go(volume_claim_gc, phase):
        return []
    names = map(claim_name, templates)
    return [{"name": name, "persistentVolumeClaim": {"claimName": f"{workflow}-{name}"}} for name in names]
