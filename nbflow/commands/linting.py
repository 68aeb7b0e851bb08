"""Lint: what is wrong with manifests, all at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbflow.commands.manifests import Manifest, load_all
from nbflow.errors import Finding, ManifestError, Severity

if TYPE_CHECKING:
    from nbflow.clients.client import Client
    from nbflow.spec.yaml import Document

KINDS = ("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow")
LOCAL = ("sandbox", "host")
CLUSTER_SCOPE = ("clusterScope",)
Known = Mapping[tuple[str, str], object]


@dataclass(frozen=True)
class Advice:
    """What advice needs to know. target: where the manifests are to run; None for the user's default.

    ignored: codes of warnings, besides those that the user's settings silence.
    """

    target: str | None = None
    ignored: Sequence[str] = ()


def lint(
    *manifests: Manifest,
    client: Client | None = None,
    kinds: Sequence[str] = KINDS,
    on: str | None = None,
    ignore: Sequence[str] = (),
) -> list[Finding]:
    """Everything that is wrong with the manifests; templates in them may refer to each other.

    client: also knows the templates stored there. on: the target they are to run on. ignore: codes of warnings that
    nobody wants to see ("NBF224"). Raises NbflowError if a file cannot be read or
    there is nothing to lint.
    """
    return lint_parsed(load_all(manifests), client=client, kinds=kinds, advice=Advice(on, ignore))


def lint_parsed(
    documents: Sequence[Document],
    *,
    client: Client | None = None,
    kinds: Sequence[str] = KINDS,
    submit: bool = False,
    created: Sequence[str] = (),
    advice: Advice | None = None,
) -> list[Finding]:
    """As `lint`, for documents that are read already. submit: by the stricter rules of a submit.

    created: kinds that a cluster would now look at, too: their names and labels are checked.
    advice: also tell what Argo lets pass and we advise against.
    """
    from nbflow.lint import NothingToLint, lint_documents
    from nbflow.spec.fields import OBJECTS

    chosen = [d for d in documents if d.kind in kinds or (d.findings and d.kind not in OBJECTS)]
    if not chosen and not submit:
        raise NothingToLint(kinds)
    known = known_templates(documents, client)
    if advice is None:
        return lint_documents(documents, known=known, submit=submit, kinds=kinds, created=created)
    from nbflow.commands.portability import portability
    from nbflow.commands.support import registered_plugins
    from nbflow.store.home import Home
    from nbflow.store.settings import read_settings

    home = Home.default()
    settings = read_settings(home)
    return lint_documents(
        documents,
        known=known,
        submit=submit,
        kinds=kinds,
        created=created,
        advice=True,
        target=portability(advice.target or settings.target, home, settings, registered_plugins(documents)),
        ignored=(*advice.ignored, *settings.ignored),
    )


def known_templates(documents: Iterable[Document], client: Client | None) -> Known:
    """(kind, name) -> object of the stored templates, asked for only where a document refers to one."""
    if client is None or not any(_refers(document.data) for document in documents):
        return {}
    known = {
        ("WorkflowTemplate", object_name(stored)): stored for stored in client.objects("WorkflowTemplate")
    }
    if client.target in LOCAL or any(
        _refers(one, CLUSTER_SCOPE) for one in (*(d.data for d in documents), known)
    ):
        # In a cluster, those of all namespaces need a right of their own: they are asked for where they are named.
        stored = client.objects("ClusterWorkflowTemplate")
        known.update({("ClusterWorkflowTemplate", object_name(one)): one for one in stored})
    return known


def object_name(stored: Mapping[str, object]) -> str:
    """metadata.name."""
    metadata = stored.get("metadata")
    return str(metadata.get("name", "")) if isinstance(metadata, Mapping) else ""


def refuse_errors(findings: Sequence[Finding]) -> list[Finding]:
    """The warnings among the findings. Raises ManifestError with all of them if one is an error."""
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise ManifestError(findings)
    return list(findings)


def _refers(data: object, words: Sequence[str] = ("templateRef", "workflowTemplateRef")) -> bool:
    """Whether one of these keys, by default those of references to templates, is anywhere in it."""
    todo = [data]
    while todo:
        value = todo.pop()
        if isinstance(value, Mapping):
            if any(word in value for word in words):
                return True
            todo.extend(value.values())
        elif isinstance(value, list | tuple):
            todo.extend(value)
    return False
