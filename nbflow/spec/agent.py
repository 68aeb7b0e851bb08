"""Pods that run no image of a user's: the engine orders something, a program of nbflow does it.

They stand for what Argo's own executor and agent do: resource, data, http and plugin templates.
"""

from __future__ import annotations

_PREFIX = "nbflow/agent/"
KINDS = ("resource", "data", "http", "plugin")
"""Kinds of templates that such a pod runs; its source is the order as JSON."""

ASK = "ask"
"""The kind of a pod whose sidecars are executor plugins: its main program asks them, and prints the node's result."""

REPORT = "report.json"
"""The file beside the pod's logs where the program says what became of it.

`message`: what went wrong. `parameters`: name -> value, of a resource. `outputs`: in Argo's JSON.
`phase`: of an http or plugin node, which ends as its answer says.
"""


def agent_image(kind: str) -> str:
    """The image of a pod for a template of that kind: it means this nbflow."""
    return f"{_PREFIX}{kind}"


def agent_kind(image: str) -> str:
    """The kind of template that a pod with that image runs, "" if it is a user's image."""
    return image.removeprefix(_PREFIX) if image.startswith(_PREFIX) else ""
