"""One SQLite file that holds all that a home knows."""

from nbflow.store.connection import StoreFullError
from nbflow.store.home import Home
from nbflow.store.store import LATEST, Store

__all__ = ["LATEST", "Home", "Store", "StoreFullError", "open_store"]


def open_store(home: Home) -> Store:
    """Open the store of a home; folder, file and tables are made if they are missing.

    Raises NbflowError if the home is unwritable, damaged, or of a newer nbflow.
    """
    return Store(home)
