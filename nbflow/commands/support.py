"""What a target does not do: refused before anything starts, or ignored, and said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nbflow.commands.linting import known_templates
from nbflow.errors import ManifestError

if TYPE_CHECKING:
    from nbflow.clients.client import Client
    from nbflow.spec.yaml import Document

_REFERENCES = ("templateRef", "workflowTemplateRef")


def check_support(documents: Sequence[Document], client: Client | None) -> list[str]:
    """A line for each document of which something is ignored, stored templates that they refer to included.

    Raises ManifestError for what the target cannot run and they are sure to come to.
    """
    from nbflow.lint.advice.support import refusals, remarks
    from nbflow.lint.support import LOCAL

    if client is None or client.target not in LOCAL:
        return []
    target, plugins = client.target, registered_plugins(documents)
    findings = [finding for document in documents for finding in refusals(document, target, plugins)]
    if findings:
        raise ManifestError(findings)
    said = [line for document in documents for line in remarks(document, target, plugins)]
    return [*said, *_of_stored(documents, client)]


def check_created(documents: Sequence[Document], client: Client) -> list[str]:
    """The same for objects that are about to be stored: what runs by itself is refused, a template when it is used."""
    from nbflow.lint.advice.support import remarks
    from nbflow.lint.support import LOCAL

    if client.target not in LOCAL:
        return []
    crons = [document for document in documents if document.kind == "CronWorkflow"]
    others = [document for document in documents if document.kind != "CronWorkflow"]
    plugins = registered_plugins(others)
    said = [line for document in others for line in remarks(document, client.target, plugins)]
    return [*check_support(crons, client), *said]


def registered_plugins(documents: Sequence[Document]) -> frozenset[str]:
    """The executor plugins of this Python, looked up only if one is asked for."""
    if not any("plugin" in document.text for document in documents):
        return frozenset()
    from nbflow.agent.plugins import registered

    return registered()


def _of_stored(documents: Sequence[Document], client: Client) -> list[str]:
    """The same of the templates that they refer to, directly or not."""
    from nbflow.lint.support import Effect, without_effect

    known = known_templates(documents, client)
    todo: list[object] = [document.data for document in documents]
    seen: set[str] = set()
    said = []
    while todo and known:
        for name in _names(todo.pop()) - seen:
            seen.add(name)
            for kind in ("WorkflowTemplate", "ClusterWorkflowTemplate"):
                stored = known.get((kind, name))
                if not isinstance(stored, Mapping):
                    continue
                todo.append(stored)
                kinds: dict[Effect, dict[str, None]] = {Effect.IGNORED: {}, Effect.REFUSED: {}}
                for use in without_effect(stored, kind, client.target):
                    if (use.type_name, use.field) == ("Template", "plugin"):
                        continue  # its node says so, if nobody registered it
                    kinds[use.verdict.effect][use.field] = None
                ignored, lacking = ", ".join(kinds[Effect.IGNORED]), ", ".join(kinds[Effect.REFUSED])
                said += [f"{kind} {name}: {client.target} ignores {ignored}"] if ignored else []
                said += [f"{kind} {name}: {client.target} has no {lacking}"] if lacking else []
    return said


def _names(data: object) -> set[str]:
    """The templates of other objects that are named anywhere in it."""
    found: set[str] = set()
    todo = [data]
    while todo:
        value = todo.pop()
        if isinstance(value, Mapping):
            references = (value.get(word) for word in _REFERENCES)
            found |= {str(ref.get("name", "")) for ref in references if isinstance(ref, Mapping)}
            todo.extend(value.values())
        elif isinstance(value, list | tuple):
            todo.extend(value)
    return found
