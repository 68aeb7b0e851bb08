"""What the exit codes of several containers mean for their pod, as Argo infers it."""

from __future__ import annotations

from nbflow.runtimes.runtime import PodStatus
from nbflow.spec.pod import Pod
from nbflow.spec.status import Phase

DEADLINE_EXCEEDED = "Pod was active on the node longer than the specified deadline"

NOT_RUN = 64
"""Exit code of what never ran, as that of Argo's executor: its program is not there, or what it waited for failed."""

_KILLED = (137, 143)
"""Exit codes of sidecars that were ended because main had."""


def container_failure(pod: Pod, status: PodStatus) -> str:
    """Why the pod failed, "" if none of its containers says so: init containers first, then main ones, sidecars."""
    if status.failed_init is not None:
        return _failed(*status.failed_init, status)
    codes = status.containers
    counting = [c.name for c in pod.containers if c.name not in pod.sidecars and codes.get(c.name)]
    for name in sorted(counting, key=lambda name: codes[name] in (NOT_RUN, *_KILLED)):
        return _failed(name, codes[name], status)
    for name in pod.sidecars:
        if codes.get(name, 0) not in (0, *_KILLED):
            return _failed(name, codes[name], status)
    return ""


def ended_sidecars(pod: Pod, status: PodStatus) -> list[str]:
    """How each sidecar ended that did so before main had: what waits for it does so in vain."""
    order = list(status.containers)
    before = order[: order.index(pod.main.name)] if pod.main.name in order else order
    codes = {name: status.containers[name] for name in before} | dict(status.restarted)
    return [_ended(name, codes[name], status) for name in pod.sidecars if name in codes]


def _ended(name: str, code: int, status: PodStatus) -> str:
    return _failed(name, code, status) if code else f"{name}: Completed (exit code 0)"


def _failed(name: str, code: int, status: PodStatus) -> str:
    said = f": {status.reasons[name]}" if name in status.reasons else ""
    reason = "OOMKilled" if name in status.out_of_memory else "Error"
    return f"{name}: {reason} (exit code {code}){said}"


def containers_outcome(status: PodStatus) -> dict[str, tuple[Phase, str]]:
    """Phase and message of each container that ended; empty for a pod of one."""
    return {
        name: (Phase.ERROR if code == NOT_RUN else Phase.FAILED, _failed(name, code, status))
        if code
        else (Phase.SUCCEEDED, "")
        for name, code in status.containers.items()
    }
