"""Output parameters of resource templates: kubectl's JSONPath templates and jq filters."""

from __future__ import annotations

import json
import subprocess
import sys

from nbflow.errors import NbflowError
from nbflow.templating.jqfilter import require_jq
from nbflow.templating.jsonpath_kubernetes import json_path

PATIENCE = 30.0
"""Seconds that a jq filter may take: it is a program, and may be one without end."""


def output_value(item: dict[str, object], path: str, jq_filter: str) -> str:
    """The text that a path or filter gives. Raises NbflowError."""
    return _filtered(item, jq_filter) if jq_filter else json_path(item, path)


def _filtered(item: dict[str, object], source: str) -> str:
    """The filter runs in a process of its own, which can be stopped and has little memory."""
    require_jq()
    command = [sys.executable, "-P", "-m", "nbflow.controller.filtering"]
    order = json.dumps({"data": item, "filter": source})
    try:
        done = subprocess.run(
            command,
            input=order,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            close_fds=True,
        )
    except subprocess.TimeoutExpired:
        raise NbflowError(
            f"jq filter {source!r}: it took longer than {PATIENCE:g} seconds and was stopped",
            fix="choose less with the filter",
        ) from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        problem = f"jq filter {source!r}: it took too much memory or ended by itself ({done.returncode})"
        raise NbflowError(problem, fix="choose less with the filter") from None
    if "problem" in answer:
        raise NbflowError(answer["problem"], fix=answer["fix"])
    return str(answer["value"])
