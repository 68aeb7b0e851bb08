"""What takes long the first time, done before it is needed: while the client that starts us still lints.

Imports, models that are built on first use, the look at what the machine allows. Leaves nothing in the home.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module

from nbflow.controller.active import Observer
from nbflow.engine.decision import CreatePod, PodFinished, PodStarted, Started, StaticWorld, StoredRun
from nbflow.engine.locks import LockTable
from nbflow.errors import NbflowError
from nbflow.runtimes.runtime import Objects, Runtime
from nbflow.spec.arguments import Arguments, Inputs, Outputs, Parameter
from nbflow.spec.artifacts import Artifact
from nbflow.spec.pod import PodOutcome
from nbflow.spec.status import Phase
from nbflow.spec.template import Template, WorkflowStep
from nbflow.spec.workflow import Workflow, WorkflowSpec
from nbflow.store import Home
from nbflow.store.pods import pod_to_text
from nbflow.store.settings import read_settings

_WORKFLOW: dict[str, object] = {
    "metadata": {"name": "rehearsal"},
    "spec": {
        "entrypoint": "main",
        "arguments": {"parameters": [{"name": "x", "value": "1"}]},
        "templates": [
            {"name": "main", "steps": [[{"name": "a", "template": "a"}]]},
            {"name": "a", "container": {"image": "a", "args": ["{{workflow.parameters.x}}"]}},
        ],
    },
}
_MODELS = (Parameter, Artifact, Arguments, Inputs, Outputs, WorkflowStep, Template, WorkflowSpec, Workflow)
"""What is in others comes first: a model that was built is taken as it is, not built again within each."""

_opened: dict[str, Runtime] = {}


class NoObjects:
    """runtimes.Objects of a home that was not opened yet."""

    def secret(self, name: str) -> None:
        """See Objects."""

    def config_map(self, name: str) -> None:
        """See Objects."""

    def claim(self, name: str) -> None:
        """See Objects."""


def rehearse(home: Home) -> None:
    """Run a workflow in the mind, and open the runtime that the home uses most."""
    opening = threading.Thread(target=_open, args=(home,))  # mostly waits for the processes that it starts
    opening.start()
    for model in _MODELS:
        model.model_rebuild()
    observer = build_reconciler(Workflow.from_dict(_WORKFLOW), None, 0, LockTable())
    now, world = datetime.now(UTC), StaticWorld()
    for action in observer.observe(Started(), now, world).actions:
        if isinstance(action, CreatePod):
            pod_to_text(action.pod)
            observer.observe(PodStarted(action.pod.name, now), now, world)
            observer.observe(PodFinished(action.pod.name, PodOutcome(Phase.SUCCEEDED)), now, world)
    opening.join()


def _open(home: Home) -> None:
    import_module("nbflow.runtimes.executor")
    with suppress(NbflowError):  # it will be said when a workflow needs it
        target = read_settings(home).target
        _opened[target] = opened_runtime(target, home, NoObjects())


def opened_runtime(target: str, home: Home, objects: Objects) -> Runtime:
    """The runtime of a target, the rehearsed one the first time."""
    from nbflow.runtimes import open_runtime

    return _opened.pop(target, None) or open_runtime(target, home, objects)


def build_reconciler(workflow: Workflow, stored: StoredRun | None, seed: int, locks: LockTable) -> Observer:
    """The engine for one workflow."""
    from nbflow.engine.reconcile import Reconciler

    return Reconciler(workflow, stored, seed=seed, locks=locks)
