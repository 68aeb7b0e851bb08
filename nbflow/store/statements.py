"""The statements of queries.sql by their names."""

from __future__ import annotations

import re
from pathlib import Path

_HEAD = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def read_statements(text: str) -> dict[str, str]:
    """Name -> SQL, without the comments that name and explain it."""
    parts = _HEAD.split(text)[1:]
    return {name: _sql(body) for name, body in zip(parts[::2], parts[1::2], strict=True)}


def _sql(body: str) -> str:
    lines = (line for line in body.splitlines() if line.strip() and not line.startswith("--"))
    return "\n".join(lines).rstrip(";")


def resource(name: str) -> str:
    """A file beside this module."""
    return Path(__file__).parent.joinpath(name).read_text(encoding="utf-8")


SQL = read_statements(resource("queries.sql"))
