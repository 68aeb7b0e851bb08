"""Executor plugins: Python functions that a package of the user's registers under the name of their template.

A package says in its pyproject.toml:

    [project.entry-points."nbflow.executor_plugins"]
    hello = "my_package:execute"

and `execute` is called for each template with `plugin: {hello: ...}`, with what Argo posts to a plugin's
`template.execute`, and returns what such a plugin answers:

    def execute(request):
        settings = request["template"]["plugin"]["hello"]
        return {"node": {"phase": "Succeeded", "message": "done", "outputs": {"parameters": [...]}}}

`{"node": {"phase": "Running"}, "requeue": "2s"}` asks to be called again after that time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

from nbflow.errors import NbflowError

GROUP = "nbflow.executor_plugins"
Json: TypeAlias = "dict[str, object]"
Plugin = Callable[[Json], Mapping[str, object]]


def registered() -> frozenset[str]:
    """The names of the plugins of this Python environment."""
    from importlib.metadata import entry_points

    return frozenset(entry.name for entry in entry_points(group=GROUP))


def load(name: str) -> Plugin:
    """The plugin of that name. Raises NbflowError if there is none, or if it cannot be imported."""
    from importlib.metadata import entry_points

    found = list(entry_points(group=GROUP, name=name))
    if not found:
        raise NbflowError("no plugin executed the template", fix=how_to_register(name))
    try:
        plugin = found[0].load()
    except Exception as error:
        raise NbflowError(
            f"the plugin {name}, {found[0].value}, cannot be imported: {type(error).__name__}: {error}"
        ) from error
    if not callable(plugin):
        raise NbflowError(f"the plugin {name}, {found[0].value}, is no function")
    return cast("Plugin", plugin)


def how_to_register(name: str) -> str:
    """What makes a plugin known."""
    return f"install a package into this Python that has an entry point {name!r} in the group {GROUP!r}"
