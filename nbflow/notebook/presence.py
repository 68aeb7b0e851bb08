"""Who sits in front of this Python: a person in a notebook, one at a terminal, or nobody."""

from __future__ import annotations

import os
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class Presence(Enum):
    """NOTEBOOK: a kernel with a front end. HEADLESS: a kernel that a program drives. TERMINAL: no kernel."""

    NOTEBOOK = "notebook"
    HEADLESS = "headless"
    TERMINAL = "terminal"


def presence(shell: InteractiveShell | None) -> Presence:
    """Who is there.

    Programs that execute notebooks allow no input and start the kernel themselves; Jupyter's server allows it,
    and names the session in the environment.
    """
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return Presence.TERMINAL
    content = _request(kernel).get("content")
    asks = content.get("allow_stdin", True) if isinstance(content, dict) else True
    if not asks and "JPY_SESSION_NAME" not in os.environ:
        return Presence.HEADLESS
    return Presence.NOTEBOOK


def cell_text(shell: InteractiveShell | None) -> str:
    """The whole text of the cell that runs; "" if it is not known."""
    kernel = getattr(shell, "kernel", None)
    content = _request(kernel).get("content") if kernel is not None else None
    return str(content.get("code", "")) if isinstance(content, dict) else ""


def cell_id(shell: InteractiveShell | None) -> str:
    """Which cell of the notebook runs, as JupyterLab and Notebook 7 say; "" if nobody says."""
    kernel = getattr(shell, "kernel", None)
    metadata = _request(kernel).get("metadata") if kernel is not None else None
    return str(metadata.get("cellId") or "") if isinstance(metadata, dict) else ""


def _request(kernel: object) -> dict[str, object]:
    """The execute request that is being answered."""
    found: object = getattr(kernel, "get_parent", dict)()
    return found if isinstance(found, dict) else {}
