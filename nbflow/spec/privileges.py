"""Which containers need more than a process of the user may do: what runs containers or machines of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

Json = Mapping[str, object]

PLAIN_TARGETS = ("sandbox", "host")
"""Targets whose pods are processes of the user."""

WAYS_OUT = "run it in containers (--on podman), or submit it to a cluster (--on argo)"


def privilege_of(container: Json) -> str:
    """Why a container (Kubernetes' JSON) cannot be a plain process, "" if it can."""
    context = _mapping(container, "securityContext")
    if context.get("privileged") is True:
        return "asks to be privileged"
    if "-dind" in str(container.get("image") or "").rpartition(":")[2]:
        return "is Docker in Docker"
    command = container.get("command")
    first = str(command[0]).rpartition("/")[2] if isinstance(command, list | tuple) and command else ""
    if first in ("dockerd", "dockerd-entrypoint.sh"):
        return "is Docker in Docker"
    return ""


def refused_containers(spec: Json) -> Iterator[tuple[str, str, str]]:
    """(template, container, why) of those that a workflow is sure to come to, its conditions left aside."""
    for template in reachable(spec):
        for container in _containers(template):
            why = privilege_of(container)
            if why:
                yield str(template.get("name", "")), str(container.get("name") or "main"), why


def reachable(spec: Json) -> list[Json]:
    """The templates of a workflow that run whatever happens: those behind a condition may never."""
    known = {str(template.get("name")): template for template in _items(spec, "templates")}
    found: dict[str, Json] = {}
    todo = [str(spec.get("entrypoint") or "")]
    while todo:
        name = todo.pop()
        template = known.get(name)
        if template is None or name in found:
            continue
        found[name] = template
        todo += [str(call.get("template") or "") for call in _calls(template) if not call.get("when")]
    return list(found.values())


def _calls(template: Json) -> Iterator[Json]:
    steps = template.get("steps")
    for group in steps if isinstance(steps, list) else ():
        yield from (call for call in group if isinstance(call, Mapping)) if isinstance(group, list) else ()
    for task in _items(_mapping(template, "dag"), "tasks"):
        yield {**task, "when": True} if task.get("depends") else task


def _containers(template: Json) -> Iterator[Json]:
    for kind in ("container", "script"):
        if isinstance(template.get(kind), Mapping):
            yield _mapping(template, kind)
    yield from _items(_mapping(template, "containerSet"), "containers")
    yield from (*_items(template, "initContainers"), *_items(template, "sidecars"))


def _mapping(data: Json, key: str) -> Json:
    value = data.get(key)
    return cast("Json", value) if isinstance(value, Mapping) else {}


def _items(data: Json, key: str) -> list[Json]:
    value = data.get(key)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []
