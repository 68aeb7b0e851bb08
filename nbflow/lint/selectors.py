"""Label selectors, as Kubernetes takes them."""

from __future__ import annotations

import re

from nbflow.lint.objects import Json, items, mapping, text

_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\Z")
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?\Z")


def selector_fault(selector: Json) -> str:
    """What is wrong with it, "" if nothing is."""
    for name, value in mapping(selector, "matchLabels").items():
        if not _KEY.match(name) or not _VALUE.match(str(value)):
            return f'"{name}: {value}" is not a valid label'
    for expression in items(selector, "matchExpressions"):
        operator, values = text(expression, "operator"), expression.get("values")
        if operator not in {"In", "NotIn", "Exists", "DoesNotExist"}:
            return f'"{operator}" is not a valid label selector operator'
        if operator in {"In", "NotIn"} and not values:
            return "values: for 'in', 'notin' operators, values set can't be empty"
        if operator in {"Exists", "DoesNotExist"} and values:
            return "values: values set must be empty for exists and does not exist"
        if not _KEY.match(text(expression, "key")):
            return f'key: "{text(expression, "key")}" is not a valid label'
    return ""
