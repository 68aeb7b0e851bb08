"""Change workflows: stop, terminate, suspend, resume, delete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nbflow.clients.client import Request, Selection
from nbflow.commands.connecting import Replacing
from nbflow.commands.reading import resolve
from nbflow.errors import NotFoundError
from nbflow.spec.status import WorkflowObject
from nbflow.views.selector import matches, parse_selector

if TYPE_CHECKING:
    from nbflow.clients.client import Client


def stop(client: Client, name: str, *, message: str = "", node_selector: str = "") -> WorkflowObject:
    """End a workflow, or the nodes that the selector names; exit handlers still run."""
    nodes = select_nodes(client, name, node_selector)
    return client.ask(resolve(client, name), Request("stop", nodes=nodes, message=message))


def terminate(client: Client, name: str) -> WorkflowObject:
    """End a workflow at once, without its exit handlers."""
    return client.ask(resolve(client, name), Request("terminate"))


def suspend(client: Client, name: str) -> WorkflowObject:
    """Start no more nodes until somebody resumes it."""
    return client.ask(resolve(client, name), Request("suspend"))


def resume(client: Client, name: str, *, node_selector: str = "") -> WorkflowObject:
    """Go on: with the whole workflow, or with the suspended nodes that the selector names."""
    nodes = select_nodes(client, name, node_selector)
    return client.ask(resolve(client, name), Request("resume", nodes=nodes))


def delete(client: Client, name: str, *, force: bool = False) -> str:
    """Forget a workflow with all its files; ends it first. Returns its name.

    force: in a cluster also if a finalizer (artifact GC) holds it; here nothing does.
    """
    found = resolve(client, name)
    if force and isinstance(client, Replacing):
        client.merge("Workflow", found, {"metadata": {"finalizers": None}})
    client.delete(found)
    return found


def select_nodes(client: Client, name: str, selector: str) -> tuple[str, ...]:
    """Ids of the nodes that match; empty for the empty selector. Raises NotFoundError if none does."""
    terms = parse_selector(selector)
    if not terms:
        return ()
    workflow = client.get(name)
    found = tuple(node.id for node in workflow.status.nodes.values() if matches(terms, node))
    if not found:
        raise NotFoundError(
            f"no node of workflow {workflow.name!r} matches {selector!r}",
            fix="fields: displayName, templateName, phase, name, id, inputs.parameters.NAME.value",
        )
    return found


def choose(client: Client, names: Sequence[str], selection: Selection | None) -> list[str]:
    """The workflows named, then those that the selection finds, each once."""
    listed = client.list(selection) if selection is not None else ()
    chosen = [*(resolve(client, name) for name in names), *(workflow.name for workflow in listed)]
    return list(dict.fromkeys(chosen))
