"""Where workflows run: the client of a target."""

from __future__ import annotations

from nbflow.clients.client import Client
from nbflow.errors import NbflowError

TARGETS = ("sandbox", "host")
PLANNED = ("podman", "docker", "kubernetes", "argo")


def connect(target: str | None = None) -> Client:
    """The client of a target: "sandbox", "host"; None for the user's default.

    Raises NbflowError if there is no such target, or none yet.
    """
    check_target(target)
    from nbflow.clients import connect as open_client

    return open_client(target)


def check_target(target: str | None) -> None:
    """Raises NbflowError if workflows cannot run on `target`."""
    if target is None or target in TARGETS:
        return
    ways = f"use --on {' or --on '.join(TARGETS)}"
    if target in PLANNED:
        raise NbflowError(f"target {target!r} is not supported by this version of nbflow", fix=ways)
    raise NbflowError(f"there is no target {target!r}", fix=ways)
