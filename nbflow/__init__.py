"""Argo Workflows in a notebook: write a manifest, see its graph, run it here, watch it live.

Names resolve on first use, so that `import nbflow` and `%load_ext nbflow` cost next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nbflow.commands import connect, lint, load, submit
    from nbflow.errors import NbflowError
    from nbflow.notebook import attach, run, runs
    from nbflow.spec.workflow import Workflow

__version__ = "0.1.0"
__all__ = [
    "NbflowError",
    "Workflow",
    "__version__",
    "attach",
    "connect",
    "lint",
    "load",
    "run",
    "runs",
    "submit",
]

_HOMES = {
    "NbflowError": "nbflow.errors",
    "Workflow": "nbflow.spec.workflow",
    "attach": "nbflow.notebook",
    "connect": "nbflow.commands",
    "lint": "nbflow.commands",
    "load": "nbflow.commands",
    "run": "nbflow.notebook",
    "runs": "nbflow.notebook",
    "submit": "nbflow.commands",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'nbflow' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register `%%workflow` and `%workflow` (called by `%load_ext nbflow`)."""
    from nbflow.notebook import register

    register(shell)
