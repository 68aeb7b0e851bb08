"""Images: whether they say which version, and whether the target knows what they run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nbflow.lint.objects import Json, Template, items, mapping, text
from nbflow.lint.report import Report, Where

if TYPE_CHECKING:
    from nbflow.lint.advice import Target

_MAIN = ("container", "script")
_LISTS = ("initContainers", "sidecars")


def containers(template: Template) -> Iterator[tuple[Where, Json]]:
    """All containers of a template, with their places."""
    for field in _MAIN:
        if field in template.data:
            yield template.where.at(field), mapping(template.data, field)
    if "containerSet" in template.data:
        where = template.where.at("containerSet", "containers")
        for index, container in enumerate(items(mapping(template.data, "containerSet"), "containers")):
            yield where.at(index), container
    for field in _LISTS:
        for index, container in enumerate(items(template.data, field)):
            yield template.where.at(field, index), container


def advise_containers(report: Report, templates: list[Template], target: Target | None) -> None:
    """Every container of every template."""
    for template in templates:
        for where, container in containers(template):
            image = text(container, "image")
            if image and "{{" not in image:
                _advise_image(report, where.at("image"), image)
            if target is not None and not container.get("command") and "{{" not in image:
                _advise_command(report, where, image, target)


def _advise_image(report: Report, where: Where, image: str) -> None:
    name = image.rpartition("/")[2]
    if ":" not in name and "@" not in image:
        problem = f"image '{image}' has no tag: what it runs changes when a new one is published"
        report.warning("NBF224", where, problem, f"name a version, `{image}:TAG`")


def _advise_command(report: Report, where: Where, image: str, target: Target) -> None:
    if image and not target.knows(image):
        problem = f"this cannot run on {target.name}: nobody there knows what image '{image}' runs"
        fix = "give it a `command:`, add the image to images.yaml in NBFLOW_HOME, or choose a target with containers"
        report.warning("NBF225", where.at("image"), problem, fix)
