"""Which cluster, and who asks: kubeconfig with contexts and exec plugins, or the service account of this pod."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nbflow.errors import NbflowError
from nbflow.kube.identity import Identity, of_certificate, of_token
from nbflow.kube.resources import JSONObject

if TYPE_CHECKING:
    from kubernetes.client import Configuration

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_SOMEWHERE = "~/.kube/config"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Which cluster a person means. "" for what the kubeconfig says."""

    context: str = ""
    namespace: str = ""
    kubeconfig: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """The way into a cluster. context: "" in a pod. identity: what the credentials say about who asks."""

    configuration: Configuration
    namespace: str
    context: str = ""
    identity: Identity = field(default_factory=Identity)

    @property
    def server(self) -> str:
        """The address of the API server."""
        return str(self.configuration.host)

    @property
    def where(self) -> str:
        """The cluster in words, for messages."""
        return f"context {self.context}" if self.context else f"cluster {self.server}"


def open_access(cluster: Cluster = Cluster()) -> Access:
    """Read the kubeconfig, or what a pod is given. Raises NbflowError if there is neither, or it cannot be used."""
    paths = cluster.kubeconfig or os.environ.get("KUBECONFIG") or str(Path(_SOMEWHERE).expanduser())
    if any(Path(path).expanduser().is_file() for path in paths.split(os.pathsep) if path):
        return _from_kubeconfig(paths, cluster)
    if not cluster.kubeconfig and os.environ.get("KUBERNETES_SERVICE_HOST") and (_ACCOUNT / "token").exists():
        return _from_pod(cluster)
    raise NbflowError(
        "there is no kubeconfig, so no cluster is known",
        where=paths,
        fix="save the file that the administrator gave you there, or set KUBECONFIG to it; "
        "or run it on this machine with --on sandbox",
    )


def _from_kubeconfig(paths: str, cluster: Cluster) -> Access:
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException
    from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger

    configuration = Configuration()
    try:
        merged = KubeConfigMerger(paths).config
        if merged is None:
            raise NbflowError(
                "the kubeconfig is empty", where=paths, fix="get a new one from the administrator"
            )
        with _complaints() as said:
            loader = KubeConfigLoader(
                merged, active_context=cluster.context or _first_context(paths), config_base_path=None
            )
            loader.load_and_set(configuration)
    except ConfigException as error:
        raise _unusable(error, paths, cluster) from error
    except NbflowError:
        raise
    except Exception as error:  # the official loader lets through what YAML, base64 and files raise
        raise NbflowError(
            f"the kubeconfig cannot be read: {type(error).__name__}: {error}", where=paths
        ) from error
    context = _plain(loader.current_context)
    user = _user(merged, _text(context, "context", "user"))
    if said and "exec" in user and not (configuration.api_key or configuration.cert_file):
        raise NbflowError(
            f"the credential plugin of the kubeconfig failed: {said[-1]}",
            where=f"context {context.get('name', '')}",
            fix="sign in again with the tool that made this kubeconfig; `kubectl get pods` fails in the same way",
        )
    namespace = cluster.namespace or _text(context, "context", "namespace") or "default"
    return Access(configuration, namespace, str(context.get("name", "")), _identity(configuration, user))


def _first_context(paths: str) -> str | None:
    """The current context: of several files the first that names one, as kubectl has it."""
    import yaml

    for path in filter(None, paths.split(os.pathsep)):
        place = Path(path).expanduser()
        data = yaml.safe_load(place.read_text(encoding="utf-8")) if place.is_file() else None
        if isinstance(data, dict) and data.get("current-context"):
            return str(data["current-context"])
    return None


def _from_pod(cluster: Cluster) -> Access:
    from kubernetes.client import Configuration
    from kubernetes.config import load_incluster_config

    configuration = Configuration()
    try:
        load_incluster_config(client_configuration=configuration)
        namespace = (_ACCOUNT / "namespace").read_text(encoding="utf-8").strip()
        token = (_ACCOUNT / "token").read_text(encoding="utf-8").strip()
    except Exception as error:
        raise NbflowError(
            f"the service account of this pod cannot be used: {error}",
            where=str(_ACCOUNT),
            fix="set KUBECONFIG",
        ) from error
    return Access(configuration, cluster.namespace or namespace or "default", "", of_token(token))


def _identity(configuration: Configuration, user: JSONObject) -> Identity:
    """As Argo's command line: the user name, else the token's claims, else the certificate; a plugin's are not read."""
    if user.get("username"):
        return Identity(subject=str(user["username"]), known=True)
    if "exec" in user or "auth-provider" in user:
        return Identity()
    if user.get("token") or user.get("tokenFile"):
        key = configuration.api_key.get("BearerToken") or configuration.api_key.get("authorization") or ""
        return of_token(str(key).removeprefix("Bearer "))
    return of_certificate(str(configuration.cert_file)) if configuration.cert_file else Identity()


def _unusable(error: Exception, paths: str, cluster: Cluster) -> NbflowError:
    text = str(error).removeprefix("Invalid kube-config file. ").strip()
    if cluster.context and "Expected object with name" in text:
        return NbflowError(
            f"the kubeconfig has no context {cluster.context!r}",
            where=paths,
            fix="`kubectl config get-contexts` lists them",
        )
    fix = (
        "choose one with --context, or `kubectl config use-context NAME`" if "current-context" in text else ""
    )
    return NbflowError(f"the kubeconfig cannot be used: {text}", where=paths, fix=fix)


def _user(merged: object, name: str) -> JSONObject:
    users = _plain(merged).get("users")
    for user in map(_plain, users if isinstance(users, list) else ()):
        if user.get("name") == name:
            return _plain(user.get("user"))
    return {}


def _plain(node: object) -> JSONObject:
    """The data inside the loader's own kind of mapping."""
    value = getattr(node, "value", node)
    return value if isinstance(value, dict) else {}


def _text(data: JSONObject, *keys: str) -> str:
    value: object = data
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return str(value or "")


class _Collector(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(" ".join(record.getMessage().split()))


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What the loader logs instead of raising it: the failure of a credential plugin."""
    collector = _Collector()
    root = logging.getLogger()
    others = root.handlers[:]
    root.handlers[:] = [collector]
    try:
        yield collector.said
    finally:
        root.handlers[:] = others
