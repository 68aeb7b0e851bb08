"""Artifacts whose bytes stand in the manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nbflow.artifacts.driver import Artifact
from nbflow.errors import NbflowError


class RawDriver:
    """`raw: {data: ...}`. It can only be read."""

    def load(self, artifact: Artifact, scratch: Path) -> Path:
        raw = artifact.get("raw")
        data = raw.get("data", "") if isinstance(raw, Mapping) else ""
        scratch.write_bytes(str(data).encode("utf-8", "surrogateescape"))
        return scratch

    def save(self, source: Path, artifact: Artifact, *, take: bool) -> None:  # noqa: ARG002
        raise NbflowError(f"artifact {artifact.get('name', '')} is raw, which is for inputs only")

    def delete(self, artifact: Artifact) -> None:
        """Nothing is stored."""

    def list(self, artifact: Artifact) -> Sequence[str]:
        raise NbflowError(f"artifact {artifact.get('name', '')} is raw: there is nothing to list")
