"""Fields that do nothing where the manifest is to run, or that keep it from running there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from nbflow.errors import Finding, Severity
from nbflow.lint.report import Report, Where
from nbflow.lint.support import Effect, Place, Use, without_effect
from nbflow.spec.privileges import reachable

if TYPE_CHECKING:
    from nbflow.lint.advice import Target
    from nbflow.spec.yaml import Document


def advise_support(report: Report, document: Document, target: Target) -> None:
    """A warning for each field that does not work there, at its first place."""
    for use in uses(document, target.name, target.plugins):
        where = Where(document, use.place)
        if use.verdict.effect is Effect.REFUSED:
            report.warning("NBF225", where, refusal(use, target.name), WAY_OUT, key=True)
        else:
            problem = f"{target.name} ignores `{use.field}`: {use.verdict.why}"
            report.warning("NBF229", where, problem, "leave it if the manifest also runs elsewhere", key=True)


WAY_OUT = "run it on a target that has it (--on argo), or leave it out"


def uses(document: Document, target: str, plugins: Collection[str]) -> Iterator[Use]:
    """The fields that do not work, each once; plugins do that are registered, or that the workflow brings along."""
    spec = document.data.get("spec")
    brought = isinstance(spec, dict) and bool(spec.get("executorPlugins"))
    seen = set()
    for use in without_effect(document.data, document.kind, target):
        is_plugin = (use.type_name, use.field) == ("Template", "plugin")
        if is_plugin and (brought or not _missing(use, plugins)):
            continue
        if (use.type_name, use.field) not in seen:
            seen.add((use.type_name, use.field))
            yield use


def _missing(use: Use, plugins: Collection[str]) -> bool:
    return not isinstance(use.value, dict) or any(name not in plugins for name in use.value)


def refusal(use: Use, target: str) -> str:
    """Why a field keeps a manifest from running."""
    return f"this cannot run on {target}: it has no `{use.field}`, {use.verdict.why}"


def refusals(document: Document, target: str, plugins: Collection[str]) -> list[Finding]:
    """The same as errors, for a submit: what a workflow is sure to come to is refused before anything starts."""
    return [
        document.finding(
            "NBF225", use.place, refusal(use, target), fix=WAY_OUT, severity=Severity.ERROR, key=True
        )
        for use in uses(document, target, plugins)
        if use.verdict.effect is Effect.REFUSED and _is_sure(document, use.place)
    ]


def remarks(document: Document, target: str, plugins: Collection[str]) -> list[str]:
    """What is ignored, and what ends a step that comes to it: a line each."""
    lines: dict[Effect, dict[str, int]] = {Effect.IGNORED: {}, Effect.REFUSED: {}}
    for use in uses(document, target, plugins):
        if use.verdict.effect is Effect.IGNORED or not _is_sure(document, use.place):
            lines[use.verdict.effect].setdefault(use.field, document.position(use.place, key=True).line)
    said = {
        effect: ", ".join(f"`{name}` (line {line})" for name, line in found.items())
        for effect, found in lines.items()
    }
    forms = {
        Effect.IGNORED: "{0}: {1} ignores {2}; `nbflow lint` says why",
        Effect.REFUSED: "{0}: {1} has no {2}: a step that comes to it ends in Error",
    }
    return [
        form.format(document.source, target, said[effect]) for effect, form in forms.items() if said[effect]
    ]


def _is_sure(document: Document, place: Place) -> bool:
    """Whether a workflow comes to a place whatever happens: it may not come to a template behind a condition."""
    spec: object = document.data.get("spec")
    if place[1:2] == ("workflowSpec",):
        spec, place = spec.get("workflowSpec") if isinstance(spec, dict) else {}, place[1:]
    if place[1:2] != ("templates",) or not isinstance(spec, dict):
        return True
    template = spec["templates"][place[2]]
    return any(template is one for one in reachable(spec))
