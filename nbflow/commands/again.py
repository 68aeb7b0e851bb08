"""Run workflows once more: retry, resubmit; set what a suspended node waits for."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from nbflow.clients.client import Request
from nbflow.commands.changing import select_nodes
from nbflow.commands.connecting import Replacing
from nbflow.commands.reading import resolve
from nbflow.errors import NbflowError
from nbflow.revise.submit import split_parameter
from nbflow.spec.status import WorkflowObject

if TYPE_CHECKING:
    from nbflow.clients.client import Client
    from nbflow.revise.resubmit import ResubmitOptions
    from nbflow.revise.retry import RetryOptions


@runtime_checkable
class Repeating(Protocol):
    """A client that can run a finished workflow once more."""

    def retry(self, name: str, options: RetryOptions) -> WorkflowObject:
        """Run what failed again, in the same workflow. Raises ConflictError if its phase does not allow it."""

    def resubmit(self, name: str, options: ResubmitOptions) -> WorkflowObject:
        """Run it all again, as a new workflow."""


def retry(client: Client, name: str, options: RetryOptions) -> WorkflowObject:
    """Run what failed of a workflow once more."""
    return _repeating(client, "retry").retry(resolve(client, name), options)


def resubmit(client: Client, name: str, options: ResubmitOptions) -> WorkflowObject:
    """Run a workflow once more, as a new one."""
    return _repeating(client, "resubmit").resubmit(resolve(client, name), options)


def set_node(
    client: Client,
    name: str,
    selector: str,
    *,
    phase: str = "",
    message: str = "",
    outputs: Sequence[str] = (),
) -> WorkflowObject:
    """Give the suspended nodes that the selector names what they wait for. outputs: NAME=VALUE, VALUE may be quoted."""
    if not selector:
        raise NbflowError(
            "'set' currently only targets suspend nodes, use a node field selector to target them",
            fix="--node-field-selector displayName=NAME",
        )
    values = [split_parameter(text) for text in outputs]
    parameters = [{"name": key, "value": _unquoted(value)} for key, value in values]
    nodes = select_nodes(client, name, selector)
    request = Request("set", nodes, message, phase, {"parameters": parameters} if parameters else None)
    return client.ask(resolve(client, name), request)


def replacing(client: Client, verb: str) -> Replacing:
    """The client, if it can change stored objects. Raises NbflowError otherwise."""
    if isinstance(client, Replacing):
        return client
    raise _elsewhere(client, verb)


def _repeating(client: Client, verb: str) -> Repeating:
    if isinstance(client, Repeating):
        return client
    raise _elsewhere(client, verb)


def _elsewhere(client: Client, verb: str) -> NbflowError:
    return NbflowError(
        f"{verb} is not supported on {client.target} by this version of nbflow", fix="it is with --on argo"
    )


def _unquoted(text: str) -> str:
    """Without the quotes of a Go string, as Argo's command line takes values."""
    if re.fullmatch(r'"(?:[^"\\\n]|\\.)*"', text):
        try:
            return str(json.loads(text))
        except ValueError:
            return text
    return text[1:-1] if re.fullmatch(r"`[^`]*`", text) else text
