"""What a check of one object carries along, and the names that a step or task gives to others."""

from __future__ import annotations

from dataclasses import dataclass, field

from nbflow.lint.arguments import Supply
from nbflow.lint.filling import is_reference
from nbflow.lint.objects import Holder, Objects, Template, text
from nbflow.lint.report import Report
from nbflow.lint.scope import Scope


@dataclass
class Check:
    """The check of one Workflow, template object or CronWorkflow.

    own: what its templates stand in. globals: names that resolve in all its templates; grows as templates with global
    outputs are found. values: those of them that have a value already. seen: templates that were looked into.
    depth: how many templates called each other on the way here. later: those too deep down to look into at once.
    template_object: it is a WorkflowTemplate, whose Workflow may bring more parameters.
    """

    report: Report
    objects: Objects
    namespace: str = ""
    own: Holder | None = None
    template_object: bool = False
    globals: Scope = field(default_factory=Scope)
    values: dict[str, str | None] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    depth: int = 0
    later: list[tuple[Template, Supply]] = field(default_factory=list)

    def add_global(self, name: str, value: str | None = None) -> None:
        """A name that resolves everywhere."""
        self.globals.names.add(name)
        self.values[name] = value


def add_outputs(
    check: Check, scope: Scope, kind: str, name: str, template: Template | None, *, aggregated: bool
) -> None:
    """What a step or task gives to others. kind: "steps" or "tasks".

    template: None if it is not known; then nothing is said about its outputs. aggregated: it is a loop.
    """
    prefix = f"{kind}.{name}."
    if template is None:
        scope.open += (prefix,)
        return
    scope.add(prefix + suffix for suffix in ("id", "startedAt", "finishedAt", "hostNodeName"))
    if template.data.get("daemon"):
        scope.names.add(prefix + "ip")
    if has_result(template) or (aggregated and template.type in {"Script", "ContainerSet"}):
        scope.add((prefix + "outputs.result", prefix + "exitCode"))
    if aggregated:
        scope.names.add(prefix + "outputs.parameters")
    for parameter in template.parameters("outputs"):
        scope.names.add(f"{prefix}outputs.parameters.{text(parameter, 'name')}")
        if _add_global_output(check, scope, "workflow.outputs.parameters.", text(parameter, "globalName")):
            scope.any_output_parameter = True
    for artifact in template.artifacts("outputs"):
        scope.names.add(f"{prefix}outputs.artifacts.{text(artifact, 'name')}")
        if _add_global_output(check, scope, "workflow.outputs.artifacts.", text(artifact, "globalName")):
            scope.any_output_artifact = True


def has_result(template: Template) -> bool:
    """Whether it has `outputs.result` and an exit code."""
    if template.type == "ContainerSet":
        from nbflow.lint.objects import items, mapping

        return any(
            text(c, "name") == "main" for c in items(mapping(template.data, "containerSet"), "containers")
        )
    return template.type in {"Container", "Script", "Data", "HTTP", "Plugin"}


def _add_global_output(check: Check, scope: Scope, prefix: str, name: str) -> bool:
    """Whether the global name is only known at run time; else it resolves from now on."""
    if not name:
        return False
    if is_reference(name):
        return True
    scope.names.add(prefix + name)
    check.add_global(prefix + name)
    return False
