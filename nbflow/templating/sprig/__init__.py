"""sprig."""
from __future__ import annotations
FUNCTIONS: dict[str, object] = {}
