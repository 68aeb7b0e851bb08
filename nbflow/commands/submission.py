"""Submit: from manifests to workflows that run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from nbflow.commands.linting import lint_parsed, object_name, refuse_errors
from nbflow.commands.manifests import Manifest, load_all
from nbflow.commands.naming import CREATED_FIRST, check_options
from nbflow.commands.parameters import unknown_parameters
from nbflow.commands.support import check_support
from nbflow.errors import ConflictError, Finding, NbflowError, NotFoundError
from nbflow.revise.submit import SubmitOptions, apply
from nbflow.spec.privileges import PLAIN_TARGETS, WAYS_OUT, refused_containers
from nbflow.spec.status import WorkflowObject

if TYPE_CHECKING:
    from nbflow.clients.client import Client
    from nbflow.spec.yaml import Document

Say = Callable[[str], None]


class Prepared(NamedTuple):
    """Manifests that passed lint, with the options in them. warnings: what lint thinks of them."""

    workflows: tuple[Mapping[str, object], ...]
    others: tuple[Mapping[str, object], ...] = ()
    warnings: tuple[Finding, ...] = ()
    remarks: tuple[str, ...] = ()


class Submission(NamedTuple):
    """What a submit created. client: where."""

    client: Client
    workflows: tuple[WorkflowObject, ...]
    warnings: tuple[Finding, ...] = ()

    @property
    def workflow(self) -> WorkflowObject:
        """The first workflow; there always is one."""
        return self.workflows[0]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the workflows."""
        return tuple(workflow.name for workflow in self.workflows)


def submit(
    *manifests: Manifest,
    options: SubmitOptions = SubmitOptions(),
    parameters: Mapping[str, object] | None = None,
    artifacts: Mapping[str, object] | None = None,
    on: str | None = None,
    client: Client | None = None,
    say: Say | None = None,
) -> Submission:
    """Lint the manifests, create what else they hold, and start their workflows.

    parameters: name -> value, beside those of `options`. artifacts: name -> DataFrame, bytes, path or data.
    on: the target, if no client is given.
    say: gets told what is created and what looks odd. Raises ManifestError or NbflowError before anything is created.
    """
    from nbflow.commands.handing import handed_over
    from nbflow.commands.values import texts

    if client is None:
        from nbflow.commands.connecting import connect

        client = connect(on)
    options = options._replace(parameters=(*options.parameters, *texts(parameters)))
    with handed_over(artifacts or {}, load_all(manifests), client) as (documents, store):
        prepared = prepare(documents, options, client)
        store()
        return send(prepared, client, say or _nothing)


def prepare(documents: Sequence[Document], options: SubmitOptions, client: Client | None = None) -> Prepared:
    """Check everything and change nothing. Raises ManifestError or NbflowError if one document is refused."""
    workflows = [document for document in documents if document.kind == "Workflow"]
    if not workflows:
        refuse_errors([finding for document in documents for finding in document.findings])
        raise _nothing_to_submit(documents)
    if options.name and len(workflows) > 1:
        raise NbflowError(
            f"--name is for a single workflow: {len(workflows)} were given", fix="use --generate-name"
        )
    check_options(options)
    # A text that is malformed has no data for the options to change: lint refuses it.
    changed = {id(document): apply(document.data, options) for document in workflows if document.data}
    checked = [_to_check(d, changed[id(d)]) if id(d) in changed else d for d in documents]
    unknown = list(unknown_parameters(workflows, options))
    findings = lint_parsed(checked, client=client, submit=True, created=("Workflow", *CREATED_FIRST))
    warnings = refuse_errors([*findings, *unknown])
    _refuse_privileged(changed.values(), client)
    remarks = check_support([document for document in checked if document.kind == "Workflow"], client)
    others = [document for document in documents if document.kind != "Workflow"]
    return Prepared(
        tuple(changed.values()),
        tuple(document.data for document in others if document.kind in CREATED_FIRST),
        tuple(warnings),
        (*remarks, *left_alone(others)),
    )


def _refuse_privileged(workflows: Iterable[Mapping[str, object]], client: Client | None) -> None:
    """What a target of plain processes can never run. Raises NbflowError before anything is created."""
    if client is None or client.target not in PLAIN_TARGETS:
        return
    for workflow in workflows:
        spec = workflow.get("spec")
        for template, container, why in refused_containers(spec if isinstance(spec, Mapping) else {}):
            raise NbflowError(
                f"container '{container}' of template '{template}' {why}, which nothing can be on {client.target}",
                where=object_name(workflow),
                fix=WAYS_OUT,
            )


def send(prepared: Prepared, client: Client, say: Say) -> Submission:
    """Create the other objects, then the workflows. Raises ConflictError before that if a name is taken."""
    _check_names(prepared.workflows, client)
    for remark in (*(finding.render() for finding in prepared.warnings), *prepared.remarks):
        say(remark)
    for manifest in prepared.others:
        stored = client.create(manifest)
        end = "exists already, kept as it is" if stored.existed else "created"
        say(f"{stored.kind.lower()}/{stored.name} {end}")
    workflows = tuple(client.submit(workflow) for workflow in prepared.workflows)
    return Submission(client, workflows, prepared.warnings)


def _nothing_to_submit(documents: Sequence[Document]) -> NbflowError:
    """No Workflow: what was found instead, and which verb takes that."""
    found = list(dict.fromkeys(document.kind or "a document without a kind" for document in documents))
    stored = [document for document in documents if document.kind in CREATED_FIRST]
    fix = "a manifest to submit has `kind: Workflow`"
    if stored:
        fix = f"`nbflow create -f FILE` stores a {stored[0].kind}"
        if stored[0].kind.endswith("Template"):
            fix += "; a Workflow runs it by `workflowTemplateRef`"
    instead = f", only {', '.join(found)}" if found else ": they are empty"
    where = documents[0].source if documents else ""
    return NbflowError(f"no workflow found in given files{instead}", where=where, fix=fix)


def _check_names(workflows: Sequence[Mapping[str, object]], client: Client) -> None:
    names = [name for workflow in workflows if (name := object_name(workflow))]
    for index, name in enumerate(names):
        if name in names[:index] or _exists(client, name):
            raise ConflictError(
                f"workflows.argoproj.io {name!r} already exists",
                fix=f"give it another --name, use generateName, or `nbflow delete {name}` first",
            )


def _exists(client: Client, name: str) -> bool:
    try:
        client.get(name)
    except NotFoundError:
        return False
    return True


def _to_check(document: Document, changed: Mapping[str, object]) -> Document:
    """The document with the options in it. Parameters keep their places, so that findings point to their lines."""
    spec, written = changed.get("spec"), document.data.get("spec")
    names = [name for name, _ in _parameters(written)]
    order = dict(_parameters(spec))
    data = dict(changed)
    if isinstance(spec, Mapping) and names and len(order) == len(_parameters(spec)):
        placed = [order.pop(name) for name in names if name in order] + list(order.values())
        arguments = spec["arguments"]
        assert isinstance(arguments, Mapping)
        data["spec"] = {**spec, "arguments": {**arguments, "parameters": placed}}
    return document.with_data(data)


def _parameters(spec: object) -> list[tuple[object, object]]:
    """(name, parameter) of spec.arguments.parameters; empty if they are no such thing."""
    arguments = spec.get("arguments") if isinstance(spec, Mapping) else None
    found = arguments.get("parameters") if isinstance(arguments, Mapping) else None
    items = found if isinstance(found, list) else []
    return [(p.get("name"), p) for p in items if isinstance(p, Mapping) and isinstance(p.get("name"), str)]


def left_alone(others: Sequence[Document]) -> list[str]:
    """A word on each document that a submit does not touch."""
    strange = (document for document in others if document.kind not in CREATED_FIRST)
    return [
        f"{d.kind or 'a document'} {d.name!r} in {d.source} is left alone: nbflow creates no {d.kind or 'such'} here"
        for d in strange
    ]


def _nothing(_: str) -> None:
    """Say nothing."""
