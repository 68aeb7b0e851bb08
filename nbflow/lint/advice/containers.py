"""Images: whether they say which version."""

from __future__ import annotations

from collections.abc import Iterator

from nbflow.lint.objects import Json, Template, items, mapping, text
from nbflow.lint.report import Report, Where

Held = list[list[tuple[Where, Json]]]
"""The containers of each template."""

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


def advise_containers(report: Report, held: Held) -> None:
    """Every container of every template."""
    for containers_of_one in held:
        for where, container in containers_of_one:
            image = text(container, "image")
            name = image.rpartition("/")[2]
            if image and "{{" not in image and ":" not in name and "@" not in image:
                problem = f"image '{image}' has no tag: what it runs changes when a new one is published"
                report.warning("NBF224", where.at("image"), problem, f"name a version, `{image}:TAG`")
