"""Pods of resource templates: this Python, which does to objects of the home what kubectl does in a cluster."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from nbflow.runtimes.commands import SCRIPT
from nbflow.spec.pod import Pod, PodOutcome
from nbflow.spec.resource import REPORT, RESOURCE_IMAGE
from nbflow.store.home import Home

PROGRAM = "nbflow.controller.resources"


def is_resource(pod: Pod) -> bool:
    """Whether it is the pod of a resource template. It sees the home, so it runs as a plain process."""
    return pod.main.image == RESOURCE_IMAGE


def target_for(pod: Pod, target: str) -> str:
    """Where a pod of a workflow runs that is submitted to `target`."""
    return "host" if is_resource(pod) else target


def only_waits(pod: Pod) -> bool:
    """Whether it waits for another workflow, whose pods need the room that it would take."""
    return is_resource(pod) and "argoproj.io/" in (pod.main.source or "")


def resource_pod(pod: Pod, home: Home) -> Pod:
    """The pod with its command line, and with what its process needs to know."""
    annotations = {k: v for k, v in pod.annotations.items() if k.startswith("nbflow.dev/")}
    env = {
        "NBFLOW_HOME": os.fspath(home.root),
        "NBFLOW_ANNOTATIONS": json.dumps(annotations),
        "PYTHONPATH": os.fspath(Path(__file__).parent.parent.parent),
    }
    items = tuple({"name": name, "value": value} for name, value in env.items())
    main = replace(pod.main, command=(sys.executable, "-m", PROGRAM, SCRIPT), env=items)
    return replace(pod, containers=(main,))


def resource_outcome(pod: Pod, outcome: PodOutcome, home: Home) -> PodOutcome:
    """The outcome with what the program reported: the values of parameters, or why it failed."""
    try:
        report = json.loads((home.pod(pod.uid, pod.name) / REPORT).read_text())
    except (OSError, ValueError):
        return outcome
    values, outputs = report.get("parameters", {}), dict(outcome.outputs or {})
    parameters = outputs.get("parameters")
    if isinstance(parameters, list):
        outputs["parameters"] = [
            {**p, "value": values[p["name"]]} if p.get("name") in values else p for p in parameters
        ]
    said = f": {report['message']}" if report.get("message") else ""
    return replace(outcome, outputs=outputs or None, message=outcome.message + said)
