"""Output parameters of resource templates: kubectl's JSONPath templates and jq filters."""

from __future__ import annotations

import importlib.util
import json
import re

from nbflow.errors import NbflowError
from nbflow.templating.golang.values import Fault
from nbflow.templating.jsonpath import compile_path

_PART = re.compile(r"\{([^{}]*)\}")


def output_value(item: dict[str, object], json_path: str, jq_filter: str) -> str:
    """The text that a path or filter gives. Raises NbflowError."""
    return (
        _filtered(item, jq_filter)
        if jq_filter
        else _PART.sub(lambda part: _found(item, part[1]), _whole(json_path))
    )


def _whole(path: str) -> str:
    return path if "{" in path else f"{{{path if path.startswith(('.', '[')) else '.' + path}}}"


def _found(item: dict[str, object], expression: str) -> str:
    expression = expression.strip()
    if expression[:1] in {'"', "'"}:
        return json.loads(f'"{expression[1:-1]}"') if expression[:1] == '"' else expression[1:-1]
    path = expression if expression.startswith("$") else f"${expression}"
    try:
        value = compile_path(path).find(item, item)
    except Fault as fault:
        raise NbflowError(f"error executing jsonpath {{{expression}}}: {fault}") from None
    values = value if isinstance(value, list) and ("*" in path or ".." in path or "?" in path) else [value]
    return " ".join(v if isinstance(v, str) else json.dumps(v, separators=(",", ":")) for v in values)


def _filtered(item: dict[str, object], jq_filter: str) -> str:
    if importlib.util.find_spec("jq") is None:
        raise NbflowError("jqFilter needs jq, which is not installed", fix="pip install 'nbflow[jq]'")
    import jq

    try:
        values = jq.compile(jq_filter).input_value(item).all()
    except ValueError as error:
        raise NbflowError(f"jqFilter: {error}") from None
    lines = (v if isinstance(v, str) else json.dumps(v, separators=(",", ":")) for v in values)
    return "\n".join(lines).strip()
