"""Verbs and flags of argo that have no meaning here: each says what to use instead."""

from __future__ import annotations

import click

from nbflow.errors import NbflowError

_INSTEAD = {
    "archive": (
        "there is no archive: finished workflows stay until they are deleted",
        "`nbflow list --completed`, `get`, `logs`, `retry`, `resubmit` and `delete` know them all",
    ),
    "auth": ("there is no server to log in to", "with --on argo the kubeconfig says who you are"),
    "cluster": ("nbflow runs no cluster", "`--on argo --context NAME` uses one of your kubeconfig"),
    "convert": ("nbflow does not convert manifests of older versions of Argo", "`argo convert FILE`"),
    "executor-plugin": (
        "nbflow installs no executor plugins in clusters",
        "`argo executor-plugin build DIR`",
    ),
    "server": ("nbflow has no server", "a notebook shows workflows: `%load_ext nbflow`, `%%workflow`"),
    "sync": (
        "nbflow keeps no synchronization limits in a database",
        "semaphores take their limit from a config map: `nbflow configmap create NAME --from-literal=KEY=2`",
    ),
}


_NO_SERVER = (
    "nbflow talks to no Argo Server",
    "leave it out: `--on argo` asks the Kubernetes API that your kubeconfig names",
)
_KUBECONFIG = (
    "how a cluster is reached is taken from the kubeconfig",
    "write it into a context there, and name that with --context",
)
_NO_LOG = ("the verbs of nbflow write no log", "leave it out: `nbflow doctor` names the controller's")
_FLAGS = {
    _NO_SERVER: "argo-server s argo-http1 argo-base-href header H secure e insecure-skip-verify k",
    _KUBECONFIG: "as as-group as-uid certificate-authority client-certificate client-key cluster disable-compression "
    "insecure-skip-tls-verify password proxy-url request-timeout server tls-server-name token user username",
    _NO_LOG: "gloglevel log-format loglevel verbose v",
}
"""What to say -> the flags that argo takes with every verb, without their dashes."""


def flag_of_argo(name: str) -> NbflowError | None:
    """What to say of a flag that argo takes with every verb and nbflow does not; None if it is none of those."""
    for (problem, fix), flags in _FLAGS.items():
        if name.lstrip("-") in flags.split():
            return NbflowError(f"{name}: {problem}", fix=fix)
    return None


def _refusal(verb: str) -> click.Command:
    problem, fix = _INSTEAD[verb]

    @click.command(
        verb, hidden=True, context_settings={"ignore_unknown_options": True}, help=f"{problem}: {fix}"
    )
    @click.argument("words", nargs=-1)
    def refuse(words: tuple[str, ...]) -> None:  # noqa: ARG001  # whatever argo takes
        raise NbflowError(problem, fix=fix)

    return refuse


COMMANDS: dict[str, click.Command] = {verb: _refusal(verb) for verb in _INSTEAD}
