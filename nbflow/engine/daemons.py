"""Daemons: pods that stay up while the template around them runs."""

from __future__ import annotations

from dataclasses import replace

from nbflow.engine.decision import DeletePod
from nbflow.engine.run import Run
from nbflow.spec.status import Phase


def end(run: Run, boundary: str) -> None:
    """End the daemons of a steps or DAG node that finished; they succeeded."""
    for name in [n for n in run.tree.daemons if run.tree.nodes[n].boundary_id == boundary]:
        node = run.tree.nodes[name]
        run.mark(replace(node, daemoned=False), Phase.SUCCEEDED)
        run.actions.append(DeletePod(run.tree.pod_of(node), reason="the template around the daemon ended"))
