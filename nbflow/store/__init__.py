"""One SQLite file that holds all that a home knows.

Names resolve on first use: whoever only wants a path or the bell does not load SQLite.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from nbflow.store.home import Home

if TYPE_CHECKING:
    from nbflow.store.connection import StoreFullError
    from nbflow.store.store import LATEST, Store

__all__ = ["LATEST", "Home", "Store", "StoreFullError", "open_store"]

_MODULES = {"LATEST": "store", "Store": "store", "StoreFullError": "connection"}


def open_store(home: Home) -> Store:
    """Open the store of a home; folder, file and tables are made if they are missing.

    Raises NbflowError if the home is unwritable, damaged, or of a newer nbflow.
    """
    from nbflow.store.store import Store

    return Store(home)


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(import_module(f"nbflow.store.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'nbflow.store' has no attribute {name!r}")
