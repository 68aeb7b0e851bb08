"""The public verbs as functions: they return objects and print nothing.

Names resolve on first use, so that a verb imports only what it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbflow.commands.connecting import connect
    from nbflow.commands.linting import lint
    from nbflow.commands.manifests import load
    from nbflow.commands.submission import Submission, submit

__all__ = ["Submission", "connect", "lint", "load", "submit"]

_HOMES = {
    "Submission": "submission",
    "connect": "connecting",
    "lint": "linting",
    "load": "manifests",
    "submit": "submission",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
