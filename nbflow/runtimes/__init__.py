"""What runs pods: sandboxed processes, plain processes, containers, a cluster."""

from __future__ import annotations

from nbflow.errors import NbflowError
from nbflow.runtimes.runtime import Objects, Runtime, RuntimeUnavailable
from nbflow.store.home import Home

TARGETS = ("sandbox", "host")


def open_runtime(target: str, home: Home, objects: Objects) -> Runtime:  # noqa: ARG001
    """The runtime of a target. `sandbox` falls back to `host` where it cannot work, and its notice says why.

    Raises NbflowError for a target that does not run pods on this machine.
    """
    from nbflow.runtimes.host import Host
    from nbflow.runtimes.processes import ProcessRuntime

    if target not in TARGETS:
        raise NbflowError(f"there is no target {target!r} here", fix=f"use --on {' or --on '.join(TARGETS)}")
    if target == "host":
        return ProcessRuntime(home, Host(home))
    try:
        from nbflow.runtimes.sandbox import Sandbox

        return ProcessRuntime(home, Sandbox(home))
    except RuntimeUnavailable as error:
        notice = f"steps run as plain processes, without a sandbox: {error.problem} (to mend it: {error.fix})"
        return ProcessRuntime(home, Host(home, notice))
