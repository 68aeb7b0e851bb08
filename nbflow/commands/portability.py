"""What a target refuses to run, asked of the parts that refuse it, so that lint can say so before."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from nbflow.errors import NbflowError
from nbflow.spec.privileges import PLAIN_TARGETS, WAYS_OUT, privilege_of

if TYPE_CHECKING:
    from nbflow.lint.advice import Target
    from nbflow.runtimes.images import Image
    from nbflow.store.home import Home
    from nbflow.store.settings import Settings

Json = Mapping[str, object]
_KIND = re.compile(r"""^["']?kind["']?: *["']?([A-Za-z]+)["']? *$""", re.MULTILINE)
"""Of the objects in the manifest of a resource template, whatever their tags become."""


def portability(
    name: str, home: Home, settings: Settings, plugins: frozenset[str] = frozenset()
) -> Target | None:
    """What lint has to know of a target; None of one that runs all that Argo runs. plugins: those registered."""
    if name not in PLAIN_TARGETS:
        return None
    from nbflow.lint.advice import Target
    from nbflow.runtimes.images import known_images

    images = known_images(home.root)
    allowed = [path for path in settings.host_paths.split(":") if path]
    return Target(
        name,
        lambda container, script: _asked(_check_container, container, script, images),
        lambda volume: _asked(_check_volume, volume, allowed),
        lambda template: _asked(_check_template, template),
        plugins,
    )


def _asked(check: Callable[..., None], *about: object) -> NbflowError | None:
    try:
        check(*about)
    except NbflowError as refusal:
        return refusal
    return None


def _check_container(container: Json, script: bool, images: Mapping[str, Image]) -> None:
    from nbflow.runtimes.images import command_line

    # The field `privileged` is known to the table of fields.
    why = privilege_of({name: value for name, value in container.items() if name != "securityContext"})
    if why:
        raise NbflowError(f"the container {why}", fix=WAYS_OUT)
    words = ["script"] if script else _words(container.get("args"))
    command_line(str(container.get("image") or ""), _words(container.get("command")), words, images, script)


def _check_volume(volume: Json, allowed: list[str]) -> None:
    """Volumes of types that there are; of the others the table of fields knows."""
    from nbflow.runtimes.filling import check_host_path
    from nbflow.runtimes.volumes import HOST_PATH, kind_of, settings_of

    if kind_of(volume) == HOST_PATH:
        check_host_path(str(settings_of(volume).get("path", "/")), allowed)


def _check_template(template: Json) -> None:
    """A resource template: the kind of its object."""
    resource = template.get("resource")
    manifest = str(resource.get("manifest") or "") if isinstance(resource, Mapping) else ""
    from nbflow.controller.kinds import kind_of, no_such_kind

    for kind in _KIND.findall(manifest):
        if kind_of(kind) is None and not _has_cluster():
            raise no_such_kind(kind)


def _has_cluster() -> bool:
    from nbflow.controller.cluster_objects import is_configured

    return is_configured()


def _words(value: object) -> list[str]:
    return [str(word) for word in value] if isinstance(value, list) else []
