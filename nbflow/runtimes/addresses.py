"""Which pods have a network of their own, and at which address others see them."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys

from nbflow.spec.pod import Pod

SHARED = "127.0.0.1"
_TUN = "/dev/net/tun"


def has_own_network(pod: Pod) -> bool:
    """Pods with a daemon or sidecars: their ports are not to meet those of others."""
    if pod.extra.get("hostNetwork") or sys.platform != "linux":
        return False
    return pod.daemon or bool(pod.sidecars) or any(_stays(c.extra) for c in pod.init_containers)


def _stays(extra: object) -> bool:
    return isinstance(extra, dict) and extra.get("restartPolicy") == "Always"


def pod_address(pod: Pod) -> str:
    """One of 127.64.0.1 to 127.127.255.254, always the same for a pod; the machine's loopback if it shares that."""
    if not has_own_network(pod):
        return SHARED
    one, two, three = hashlib.sha256(f"{pod.uid}/{pod.name}".encode()).digest()[:3]
    return f"127.{64 + one % 64}.{two}.{1 + three % 254}"


def way_out() -> str:
    """The program that leads out of a network of its own, "" if none does."""
    return _program() if os.access(_TUN, os.R_OK | os.W_OK) else ""


def no_way_out() -> tuple[str, str]:
    """Why there is none, and how to mend that."""
    text = "pods with sidecars or daemons reach nothing outside of this machine"
    if program := _program():
        return f"{text}: {program} needs {_TUN}, which you may not open", f"sudo chmod 666 {_TUN}"
    return f"{text}: neither slirp4netns nor pasta is here", "apt-get install slirp4netns"


def _program() -> str:
    """(pasta does not work for root.)"""
    return shutil.which("slirp4netns") or (shutil.which("pasta") if os.geteuid() else "") or ""
