"""Metrics of a template."""

from __future__ import annotations

import re

from nbflow.lint.objects import Json, items, mapping, text
from nbflow.lint.report import Report, Where

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")


def check_metrics(report: Report, where: Where, metrics: Json, template: str) -> None:
    """Names, labels, help and values."""
    for index, metric in enumerate(items(metrics, "prometheus")):
        place, name = where.at("prometheus", index), text(metric, "name")
        said = f"templates.{template} metric"
        if not _NAME.match(name):
            problem = (
                f"{said} name '{name}' is invalid. Metric names must contain alphanumeric characters or '_'"
            )
            report.error(
                "NBF171",
                place.at("name"),
                problem,
                f"for example `{re.sub('[^a-zA-Z0-9_]', '_', name) or 'count'}`",
            )
        for number, label in enumerate(items(metric, "labels")):
            key = text(label, "key")
            if not _NAME.match(key):
                problem = (
                    f"metric label '{key}' is invalid: keys may only contain alphanumeric characters or '_'"
                )
                report.error("NBF171", place.at("labels", number, "key"), problem)
        if not text(metric, "help"):
            problem = f"{said} '{name}' must contain a help string under 'help: ' field"
            report.error("NBF171", place, problem, "add `help:`, a sentence that says what it counts")
        fault = _value_fault(metric)
        if fault:
            report.error("NBF171", place, f"{said} '{name}' error: {fault}")


def _value_fault(metric: Json) -> str:
    gauge = mapping(metric, "gauge")
    for kind in ("gauge", "counter", "histogram"):
        if isinstance(metric.get(kind), dict) and not text(mapping(metric, kind), "value"):
            return f"missing {kind}.value"
    if gauge.get("realtime") and "resourcesDuration." in text(gauge, "value"):
        return "'resourcesDuration.*' metrics cannot be used in real-time"
    return ""
