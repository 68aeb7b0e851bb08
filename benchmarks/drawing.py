"""Seconds that a kernel needs to draw the graph of a manifest: the second drawing, without the imports."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from nbflow.commands import load
from nbflow.render import svg
from nbflow.spec.status import WorkflowObject
from nbflow.views.graph import dot


def draw(manifest: Path) -> float:
    [document] = load(manifest)
    start = time.perf_counter()
    svg(dot(WorkflowObject.from_dict(document.data)))
    return time.perf_counter() - start


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
    print(draw(Path(sys.argv[1])))
