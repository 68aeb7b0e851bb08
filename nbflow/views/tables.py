"""What stands above the tree in `argo get`, and the table of `argo list`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from nbflow.spec.status import (
    InputsOutputs,
    Phase,
    WorkflowObject,
    artifacts_by_name,
    parameter_values,
    parse_time,
)
from nbflow.views import durations
from nbflow.views.causes import causes
from nbflow.views.phases import phase_sign, status_text
from nbflow.views.text import RED, YELLOW, Style, clean, columns, shorten
from nbflow.views.tree import resources

_SHOWN = 2000
"""So many characters of a parameter are shown: a header is for people."""
_NO_ACCOUNT = "unset (will run with the default ServiceAccount)"
_CONDITIONS = {"MetricsError": ("✖", "Error", RED), "SpecWarning": ("⚠", "Warning", YELLOW)}


def header(workflow: WorkflowObject, *, now: datetime, style: Style = Style()) -> str:
    """Name, status, times, parameters and outputs of a workflow, as `argo get` prints them.

    now: aware; times are shown in its time zone.
    """
    pairs = [*_identity(workflow), *_conditions(workflow, style), *_times(workflow, now), *_values(workflow)]
    return "".join(f"{key:<20} {value}".rstrip(" ") + "\n" for key, value in pairs)


def table(
    workflows: Sequence[WorkflowObject],
    *,
    now: datetime,
    wide: bool = False,
    headers: bool = True,
    namespaces: bool = False,
) -> str:
    """One line a workflow, as `argo list` prints them."""
    if not workflows:
        return "No workflows found\n"
    head = ["NAME", "STATUS", "AGE", "DURATION", "PRIORITY", "MESSAGE"] + ["P/R/C", "PARAMETERS"] * wide
    lines = [_line(workflow, now, wide) for workflow in workflows]
    shown = [head, *lines] if headers else lines
    if namespaces:
        spaces = ["NAMESPACE"] * headers + [clean(workflow.namespace) for workflow in workflows]
        shown = [[space, *line] for space, line in zip(spaces, shown, strict=True)]
    return "\n".join(columns(shown, 3)) + "\n"


def ended(workflow: WorkflowObject, style: Style = Style()) -> str:
    """One line on how it ended: "✔ hello Succeeded after 3s", or where it stands."""
    status = workflow.status
    after = ""
    if status.started_at and status.finished_at:
        after = f" after {durations.short(status.finished_at - status.started_at)}"
    message = f": {clean(status.message)}" if status.message else ""
    return f"{phase_sign(status.phase, style)} {clean(workflow.name)} {status_text(workflow)}{after}{message}"


def created_at(workflow: WorkflowObject) -> datetime | None:
    """metadata.creationTimestamp."""
    return parse_time(workflow.metadata.get("creationTimestamp"))


def spec_of(workflow: WorkflowObject) -> Mapping[str, object]:
    """What ran: the spec, merged with the WorkflowTemplate it names if the status keeps that."""
    stored = workflow.status.extra.get("storedWorkflowTemplateSpec")
    return stored if isinstance(stored, Mapping) else workflow.spec


def _identity(workflow: WorkflowObject) -> Iterator[tuple[str, str]]:
    yield "Name:", clean(workflow.name or str(workflow.metadata.get("generateName", "")))
    yield "Namespace:", clean(workflow.namespace)
    account = str(spec_of(workflow).get("serviceAccountName") or "")
    unset = "unset" if workflow.spec.get("workflowTemplateRef") else _NO_ACCOUNT
    yield "ServiceAccount:", clean(account) or unset
    yield "Status:", status_text(workflow)
    if workflow.status.message:
        yield "Message:", clean(workflow.status.message)
    for node in causes(workflow)[:1]:
        yield "Cause:", clean(f"{node.display_name}: {node.message}")


def _conditions(workflow: WorkflowObject, style: Style) -> Iterator[tuple[str, str]]:
    conditions = workflow.status.extra.get("conditions")
    known = [c for c in conditions if isinstance(c, Mapping)] if isinstance(conditions, list) else []
    if known:
        yield "Conditions:", ""
    for condition in known:
        kind = str(condition.get("type", ""))
        symbol, word, color = _CONDITIONS.get(kind, ("", "", YELLOW))
        mark = style.paint(symbol if style.utf8 else word, color)
        yield f"{mark} {clean(kind)}", clean(str(condition.get("message") or condition.get("status", "")))


def _times(workflow: WorkflowObject, now: datetime) -> Iterator[tuple[str, str]]:
    status, created = workflow.status, created_at(workflow)
    for key, at in (
        ("Created:", created),
        ("Started:", status.started_at),
        ("Finished:", status.finished_at),
    ):
        if at:
            yield key, durations.timestamp(at, now)
    if status.started_at:
        yield "Duration:", durations.long(durations.between(status.started_at, status.finished_at, now))
    estimated = status.extra.get("estimatedDuration")
    if status.phase is Phase.RUNNING and isinstance(estimated, int) and estimated > 0:
        yield "EstimatedDuration:", durations.long(timedelta(seconds=estimated))
    yield "Progress:", clean(status.progress)
    used = resources(status.extra.get("resourcesDuration"))
    if used:
        yield "ResourcesDuration:", used


def _values(workflow: WorkflowObject) -> Iterator[tuple[str, str]]:
    arguments = spec_of(workflow).get("arguments")
    given = parameter_values(arguments if isinstance(arguments, Mapping) else None)
    outputs = workflow.status.outputs
    blocks = (
        ("Parameters:", given),
        ("Output Parameters:", parameter_values(outputs)),
        ("Output Artifacts:", _places(outputs)),
    )
    for title, values in blocks:
        if values:
            yield title, ""
        for name, value in values.items():
            yield f"  {clean(name)}:", clean(value if len(value) <= _SHOWN else _shortened(value))


def _shortened(value: str) -> str:
    return f"{value[:_SHOWN]}… ({len(value)} characters; -o json shows all)"


def _places(outputs: InputsOutputs | None) -> dict[str, str]:
    """Name of an artifact -> where it is: the key or address that its driver gave it."""
    places = {}
    for name, artifact in artifacts_by_name(outputs).items():
        found = (v for v in artifact.values() if isinstance(v, Mapping))
        keys = (
            str(driver[key]) for driver in found for key in ("key", "url", "repo", "path") if key in driver
        )
        places[name] = next(keys, "")
    return places


def _line(workflow: WorkflowObject, now: datetime, wide: bool) -> list[str]:
    status = workflow.status
    cells = [
        clean(workflow.name),
        status_text(workflow),
        durations.short(durations.between(created_at(workflow), None, now)),
        durations.short(durations.between(status.started_at, status.finished_at, now)),
        str(workflow.spec.get("priority") or 0),
        clean(status.message),
    ]
    return [*cells, _counts(workflow), _parameters(workflow)] if wide else cells


def _counts(workflow: WorkflowObject) -> str:
    """Pods that wait, run, and are done; from the progress where the nodes are not here."""
    pods = [node for node in workflow.status.nodes.values() if node.type.value == "Pod"]
    if not pods and workflow.status.progress:
        done, _, total = workflow.status.progress.partition("/")
        return f"?/?/{done}" if total else "0/0/0"
    done_count = sum(node.fulfilled for node in pods)
    running = sum(node.phase is Phase.RUNNING and not node.fulfilled for node in pods)
    return f"{len(pods) - done_count - running}/{running}/{done_count}"


def _parameters(workflow: WorkflowObject) -> str:
    arguments = workflow.spec.get("arguments")
    values = parameter_values(arguments if isinstance(arguments, Mapping) else None)
    return ",".join(f"{clean(name)}={shorten(clean(value), 50)}" for name, value in values.items())
