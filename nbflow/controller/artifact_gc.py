"""artifactGC: which artifacts of a workflow are removed, and when. Without it they are kept wherever they are."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from nbflow.artifacts import driver_for, place_of
from nbflow.errors import NbflowError
from nbflow.spec.status import NodeStatus, artifacts_by_name
from nbflow.store import Home, open_store

_log = logging.getLogger(__name__)

ON_COMPLETION, ON_DELETION = "OnWorkflowCompletion", "OnWorkflowDeletion"


def doomed(
    nodes: Iterable[NodeStatus], spec: Mapping[str, object], *strategies: str
) -> list[Mapping[str, object]]:
    """Output artifacts whose own strategy, or else the workflow's, is one of these."""
    usual = _strategy(spec)
    found = (artifact for node in nodes for artifact in artifacts_by_name(node.outputs).values())
    return [
        artifact for artifact in found if place_of(artifact) and (_strategy(artifact) or usual) in strategies
    ]


def _strategy(owner: Mapping[str, object]) -> str:
    settings = owner.get("artifactGC")
    return str(settings.get("strategy") or "") if isinstance(settings, Mapping) else ""


def collect(home: Home, artifacts: Iterable[Mapping[str, object]]) -> None:
    """Remove them; one that cannot be removed is told in the log, and stops no other."""
    with open_store(home) as store:
        for artifact in artifacts:
            try:
                driver_for(artifact, home.artifacts, store.objects.secret).delete(artifact)
            except (NbflowError, OSError) as error:
                _log.warning("artifact %s could not be removed: %s", artifact.get("name", ""), error)


def collect_completed(home: Home, key: int, spec: Mapping[str, object]) -> None:
    """Remove what goes as soon as the workflow is complete. Run beside the loop."""
    with open_store(home) as store:
        nodes = store.nodes(key)
    collect(home, doomed(nodes.values(), spec, ON_COMPLETION))
