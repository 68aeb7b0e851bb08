"""Where workflows run: the client of a target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol, runtime_checkable

from nbflow.clients.client import Client
from nbflow.errors import NbflowError

TARGETS = ("sandbox", "host", "argo")
PLANNED = ("podman", "docker", "kubernetes")


class ClusterFlags(NamedTuple):
    """Which cluster, and which controller in it. "" for what the kubeconfig says; targets on this machine need none."""

    namespace: str = ""
    context: str = ""
    kubeconfig: str = ""
    instance_id: str = ""


def connect(target: str | None = None, cluster: ClusterFlags = ClusterFlags()) -> Client:
    """The client of a target: "sandbox", "host", "argo"; None for the user's default.

    Raises NbflowError if there is no such target, or none yet.
    """
    check_target(target)
    from nbflow.clients import connect as open_client

    return open_client(target, **cluster._asdict())


@runtime_checkable
class Preparing(Protocol):
    """A client that can begin what a submit will need while the manifest is still being checked."""

    def prepare(self) -> None:
        """Begin. Leaves no trace if nothing is submitted."""

    def close(self) -> None:
        """Let go of what was begun and not needed."""


@contextmanager
def prepared_client(client: Client) -> Iterator[Client]:
    """The client, getting ready for a submit meanwhile."""
    if not isinstance(client, Preparing):
        yield client
        return
    client.prepare()
    try:
        yield client
    except BaseException:
        client.close()
        raise


@runtime_checkable
class Replacing(Protocol):
    """A client that can change stored objects."""

    def replace(self, manifest: Mapping[str, object]) -> object:
        """Put a manifest in place of the object of its kind and name. Raises NotFoundError."""

    def merge(self, kind: str, name: str, patch: Mapping[str, object]) -> object:
        """Change some fields of an object. Raises NotFoundError."""


@runtime_checkable
class Spread(Protocol):
    """A client of a place with several namespaces."""

    def within(self, namespace: str) -> Client:
        """The same place, asked for another namespace."""


def within(client: Client, namespace: str) -> Client:
    """The client for what a listing of all namespaces found there."""
    return client.within(namespace) if isinstance(client, Spread) else client


@runtime_checkable
class Telling(Protocol):
    """A client that has something to say of the place where workflows run."""

    def notices(self) -> Sequence[str]:
        """What was not told yet: each is given once."""


def notices_of(client: Client) -> Sequence[str]:
    """What users should know of where their workflows run, such as pods without a sandbox; each is given once."""
    return client.notices() if isinstance(client, Telling) else ()


@runtime_checkable
class Troubled(Protocol):
    """A client whose workflows may be held up."""

    def trouble(self) -> str:
        """Why nothing goes on right now, "" if all is well. Never raises."""


def trouble_of(client: Client) -> str:
    """A line for people if unfinished workflows are held up, else ""."""
    trouble = client.trouble() if isinstance(client, Troubled) else ""
    return f"unfinished workflows are held up: {trouble}" if trouble else ""


def check_target(target: str | None) -> None:
    """Raises NbflowError if workflows cannot run on `target`."""
    if target is None or target in TARGETS:
        return
    ways = f"use --on {' or --on '.join(TARGETS)}"
    if target in PLANNED:
        raise NbflowError(f"target {target!r} is not supported by this version of nbflow", fix=ways)
    raise NbflowError(f"there is no target {target!r}", fix=ways)
