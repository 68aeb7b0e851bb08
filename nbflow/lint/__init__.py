"""Manifest in, findings out: what Argo refuses (errors) and what only we advise against (warnings)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nbflow.errors import Finding, NbflowError, Severity

if TYPE_CHECKING:
    from nbflow.lint.advice import Target
    from nbflow.lint.report import Report
    from nbflow.spec.yaml import Document

PLURALS = {
    "workflows": "Workflow",
    "wf": "Workflow",
    "workflowtemplates": "WorkflowTemplate",
    "wftmpl": "WorkflowTemplate",
    "cronworkflows": "CronWorkflow",
    "cwf": "CronWorkflow",
    "cronwf": "CronWorkflow",
    "clusterworkflowtemplates": "ClusterWorkflowTemplate",
    "clusterwftmpl": "ClusterWorkflowTemplate",
    "cwft": "ClusterWorkflowTemplate",
}
"""What `--kinds` takes."""


class NothingToLint(NbflowError):
    """There is no object of the kinds that were asked for: for `lint` that is a failure, as for Argo."""

    def __init__(self, kinds: Iterable[str]) -> None:
        fix = f"lint reads objects of {', '.join(sorted(kinds))}"
        super().__init__("found nothing to lint in the specified paths, failing...", fix=fix)


def lint_documents(
    documents: Sequence[Document],
    *,
    known: Mapping[tuple[str, str], object] | None = None,
    submit: bool = False,
    kinds: Iterable[str] | None = None,
    created: Sequence[str] = (),
    advice: bool = False,
    target: Target | None = None,
    ignored: Collection[str] = (),
) -> list[Finding]:
    """Everything that is wrong with the documents, each once, in reading order.

    known: objects that are stored somewhere, (kind, name) -> plain data; templates among the documents go before.
    submit: by the stricter rules of a submit. kinds: look at these only; all documents can be referred to.
    created: objects of these kinds are about to be created: their names and labels are checked, too.
    advice: also tell what Argo lets pass and we advise against. target: where they are to run, if known.
    ignored: codes of warnings nobody wants to see.
    """
    from nbflow.lint.metadata import check_metadata
    from nbflow.lint.objects import Objects
    from nbflow.lint.report import Report
    from nbflow.lint.silence import unsilenced
    from nbflow.lint.workflow import check_object

    chosen = chosen_kinds(kinds)
    report = Report()
    objects = Objects(documents, known or {})
    sources = {document.source for document in documents if document.kind in chosen}
    left_out = not submit and any(
        document.data and not document.malformed and document.kind in chosen for document in documents
    )
    for document in documents:
        own = _own_findings(document, chosen | frozenset(created), sources, left_out=left_out)
        report.findings += own
    _report_duplicates(report, documents)
    if advice:
        from nbflow.lint.advice import advise
    for document in documents:
        if left_out and document.malformed:
            continue
        if document.data and document.kind in chosen:
            holder = objects.holder(document)
            check_object(report, document, holder, objects, submit=submit)
            if advice:
                advise(report, document, holder, target)
        if document.data and document.kind in created:
            check_metadata(report, document)
    findings = report.findings
    if findings:
        from nbflow.lint.advice.secrets import without_secrets

        findings = without_secrets(findings, documents)
    texts = {document.source: document.file.text for document in documents}
    return unsilenced(_ordered(findings, documents), texts, ignored)


def lint_texts(
    texts: Iterable[tuple[str, str | bytes]],
    *,
    known: Mapping[tuple[str, str], object] | None = None,
    kinds: Iterable[str] | None = None,
    strict: bool = True,
) -> list[Finding]:
    """`argo lint`: the findings of these texts, (source, text); documents of other kinds are passed over.

    strict: unknown fields are errors. Raises NothingToLint.
    """
    from nbflow.spec.yaml import load_documents

    documents = [
        document for source, text in texts for document in load_documents(text, source, strict=strict)
    ]
    chosen = chosen_kinds(kinds)
    findings = lint_documents(documents, known=known, kinds=kinds)
    refused = any(finding.severity is Severity.ERROR for finding in findings)
    if not refused and not any(document.kind in chosen for document in documents):
        raise NothingToLint(chosen)
    return findings


def _own_findings(
    document: Document, chosen: frozenset[str], sources: set[str], *, left_out: bool
) -> Sequence[Finding]:
    """What the loader found, as far as Argo would look: at wrong types in all that it may refer to.

    left_out: there are others to lint, beside which Argo leaves a malformed document out.
    """
    from nbflow.spec.fields import KINDS

    if left_out and (document.malformed or not document.data):
        # A wrong type is an error even there: Argo reads all files loosely first, for what refers to them.
        return [
            finding if finding.rule == "NBF103" else replace(finding, severity=Severity.WARNING)
            for finding in document.findings
        ]
    if not document.data or document.kind in chosen:
        return document.findings
    if document.kind == "WorkflowEventBinding" and document.source in sources:
        return document.findings
    wrong = [finding for finding in document.findings if finding.rule == "NBF103"]
    if document.kind in KINDS:
        return wrong
    return [replace(finding, severity=Severity.WARNING) for finding in wrong]  # Argo does not look at them


def _report_duplicates(report: Report, documents: Iterable[Document]) -> None:
    """Two template objects of one name: nobody could say which one is meant."""
    from nbflow.lint.report import Where

    seen: set[tuple[str, str, str]] = set()
    for document in documents:
        mark = (document.kind, document.namespace, document.name)
        if document.kind in {"WorkflowTemplate", "ClusterWorkflowTemplate"} and mark in seen:
            problem = f'duplicate {document.kind} found: "{document.name}"'
            report.error(
                "NBF104", Where(document, ("metadata", "name")), problem, "rename one, or give one file only"
            )
        seen.add(mark)


def chosen_kinds(kinds: Iterable[str] | None) -> frozenset[str]:
    """The kinds meant by names or plurals; all of Argo's if none or `all` is said. Raises NbflowError for others."""
    every = frozenset(PLURALS.values())
    chosen = set()
    for kind in kinds or ("all",):
        known = kind if kind in every else PLURALS.get(kind.lower())
        if kind == "all":
            return every
        if known is None:
            plurals = [plural for plural in PLURALS if len(plural) > 6]
            raise NbflowError(f"unknown kind: {kind}", fix=f"choose among {', '.join(sorted(plurals))}")
        chosen.add(known)
    return frozenset(chosen)


def _ordered(findings: Iterable[Finding], documents: Sequence[Document]) -> list[Finding]:
    """By file, in the order they were given, then by place; errors before warnings at one place."""
    files: dict[str, int] = {}
    for document in documents:
        files.setdefault(document.source, len(files))

    def key(finding: Finding) -> tuple[int, int, int, bool, str]:
        place = finding.position
        if place is None:
            return (len(files), 0, 0, False, finding.rule)
        warning = finding.severity is Severity.WARNING
        return (files.get(place.file, len(files)), place.line, place.column, warning, finding.rule)

    return sorted(dict.fromkeys(findings), key=key)
