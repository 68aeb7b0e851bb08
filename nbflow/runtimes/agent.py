"""Pods that carry out an order of the engine: this Python, with a program of nbflow.

They see the home, so they run as plain processes, whatever the target.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from nbflow.runtimes.commands import SCRIPT
from nbflow.runtimes.machine import PYTHON_ANNOTATION
from nbflow.runtimes.verdicts import DEADLINE_EXCEEDED
from nbflow.spec.agent import ASK, REPORT, agent_kind
from nbflow.spec.pod import Pod, PodOutcome
from nbflow.spec.status import Phase
from nbflow.store.home import Home

_PROGRAMS = {
    "resource": "nbflow.controller.resources",
    "data": "nbflow.agent.data",
    "http": "nbflow.agent.http",
    "plugin": "nbflow.agent.plugin",
}
_ANSWERED = ("http", "plugin")
"""Kinds whose nodes end as the report says, whatever the exit code."""
_INHERITED = (
    "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
)  # fmt: skip
"""How this machine reaches the net, which is the controller's to know; so are the settings of nbflow."""


def is_agent(pod: Pod) -> bool:
    """Whether a pod carries out an order of the engine."""
    return agent_kind(pod.main.image) in _PROGRAMS


def asks(pod: Pod) -> bool:
    """Whether its main program asks executor plugins that are its sidecars: a pod as others are, for all else."""
    return agent_kind(pod.main.image) == ASK


def asking(pod: Pod) -> Pod:
    """The pod with the program that asks; it is all that the pod sees of nbflow."""
    program = (Path(__file__).parent.parent / "agent" / "asking.py").read_text(encoding="utf-8")
    main = replace(pod.main, command=("python3", "-c", program))
    return replace(pod, containers=tuple(main if one is pod.main else one for one in pod.containers))


def asked_outcome(outcome: PodOutcome, ended: Sequence[str]) -> PodOutcome:
    """The outcome that the plugins gave, printed by the program as its last line.

    ended: what is to say of plugins that did not last. It is said if the program could not reach one.
    """
    lines = str((outcome.outputs or {}).get("result") or "").splitlines()
    try:
        node = json.loads(lines[-1])
        phase = Phase(node["phase"])
    except (IndexError, ValueError, KeyError, TypeError):
        return _unanswered(outcome)
    message = str(node.get("message") or "")
    if node.get("unreachable") and ended:
        message = f"{message} (sidecar {'; sidecar '.join(ended)})"
    return replace(outcome, phase=phase, message=message, exit_code=None, outputs=node.get("outputs"))


def target_for(pod: Pod, target: str) -> str:
    """Where a pod of a workflow runs that is submitted to `target`."""
    return "host" if is_agent(pod) else target


def only_waits(pod: Pod) -> bool:
    """Whether it waits for another workflow, whose pods need the room that it would take."""
    return agent_kind(pod.main.image) == "resource" and "argoproj.io/" in (pod.main.source or "")


def agent_pod(pod: Pod, home: Home) -> Pod:
    """The pod with its command line, and with what its process needs to know."""
    kind = agent_kind(pod.main.image)
    annotations = {k: v for k, v in pod.annotations.items() if k.startswith("nbflow.dev/")}
    inherited = (name for name in os.environ if name in _INHERITED or name.startswith("NBFLOW_"))
    env = {name: os.environ[name] for name in inherited} | {
        "NBFLOW_HOME": os.fspath(home.root),
        "NBFLOW_ANNOTATIONS": json.dumps(annotations),
        "PYTHONPATH": os.fspath(Path(__file__).parent.parent.parent),
    }
    if kind == "resource":
        env["KUBECONFIG"] = os.environ.get("KUBECONFIG") or os.path.expanduser("~/.kube/config")
    items = tuple({"name": name, "value": value} for name, value in env.items())
    # A plugin lives in the environment that the workflow was submitted from.
    python = (pod.annotations.get(PYTHON_ANNOTATION) if kind == "plugin" else "") or sys.executable
    flags = ("-P", "-S") if kind == "http" else ("-P",)
    main = replace(pod.main, command=(python, *flags, "-m", _PROGRAMS[kind], SCRIPT), env=items)
    return replace(pod, containers=(main,))


def agent_outcome(pod: Pod, outcome: PodOutcome, home: Home) -> PodOutcome:
    """The outcome with what the program reported."""
    kind = agent_kind(pod.main.image)
    try:
        report = json.loads((home.pod(pod.uid, pod.name) / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return _unanswered(outcome) if kind in _ANSWERED else outcome
    if kind in _ANSWERED:
        return replace(
            outcome,
            phase=Phase(report["phase"]),
            message=report.get("message", ""),
            exit_code=None,
            outputs=report.get("outputs"),
        )
    outputs = _with_values(outcome.outputs or {}, report.get("parameters", {}))
    outputs |= report.get("outputs", {})
    said = f": {report['message']}" if report.get("message") else ""
    return replace(outcome, outputs=outputs or None, message=outcome.message + said)


def _unanswered(outcome: PodOutcome) -> PodOutcome:
    """The program was ended, or did not come to its end."""
    late = outcome.message == DEADLINE_EXCEEDED
    message = "timeout" if late else f'agent pod failed with reason:"{outcome.message}"'
    phase = Phase.FAILED if late else Phase.ERROR
    return replace(outcome, phase=phase, message=message, exit_code=None, outputs=None)


def _with_values(outputs: Mapping[str, object], values: Mapping[str, str]) -> dict[str, object]:
    found = dict(outputs)
    parameters = found.get("parameters")
    if isinstance(parameters, list):
        found["parameters"] = [
            {**p, "value": values[p["name"]]} if p.get("name") in values else p for p in parameters
        ]
    return found
