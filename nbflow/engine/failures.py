"""What keeps a node from being started."""

from __future__ import annotations

from nbflow.errors import NbflowError


class CallError(NbflowError):
    """A template cannot be used as it is called: its node ends in Error with this message."""
