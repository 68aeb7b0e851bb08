"""What Argo runs and the chosen target does not, besides single fields (`support`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbflow.lint.advice.containers import Held
from nbflow.lint.objects import Holder, Json, Template, items
from nbflow.lint.report import Report, Where

if TYPE_CHECKING:
    from nbflow.errors import NbflowError
    from nbflow.lint.advice import Target


def advise_portability(
    report: Report, holder: Holder, templates: list[Template], held: Held, target: Target
) -> None:
    """Ask the target about all containers, volumes, plugins and resources. Tags are left to the run."""
    _advise_volumes(report, holder.where, holder.spec, target)
    for template, containers in zip(templates, held, strict=True):
        _advise_volumes(report, template.where, template.data, target)
        if template.type == "Resource":
            _tell(report, template.where.at("name"), target, target.template(template.data))
        for where, container in containers:
            if "{{" not in str(container.get("image")) + str(container.get("command")):
                is_script = where.path[-1] == "script"
                place = where.at("image") if "image" in container else where
                _tell(report, place, target, target.container(container, is_script))


def _advise_volumes(report: Report, where: Where, owner: Json, target: Target) -> None:
    for index, volume in enumerate(items(owner, "volumes")):
        if "{{" not in str(volume):
            _tell(report, where.at("volumes", index, "name"), target, target.volume(volume))


def _tell(report: Report, where: Where, target: Target, refusal: NbflowError | None) -> None:
    if refusal is not None:
        problem = f"this cannot run on {target.name}: {refusal.problem}"
        report.warning("NBF225", where, problem, refusal.fix)
