"""Values of secrets written in a manifest, where everybody can read them. No message repeats one."""

from __future__ import annotations

import re
from dataclasses import replace

from nbflow.lint.advice.containers import containers
from nbflow.lint.objects import Holder, Json, Template, items, mapping, text
from nbflow.lint.report import Report, Where

_NAME = re.compile(
    r"(?:^|[-_])(?:password|passwd|pwd|secret|token|credentials?|api[-_]?key|access[-_]?key|private[-_]?key)$",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[0-9A-Za-z]{36}|\bgithub_pat_\w{22}|\bxox[abprs]-[0-9A-Za-z-]{10}"
    r"|\bglpat-[-\w]{20}|\bsk_live_[0-9A-Za-z]{16}|\bAIza[-\w]{35}|-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"
)
_NO_SECRET = re.compile(r"(?i)|true|false|yes|no|none|null|changeme|\d|[/~.].*|[<$].*|\*+|x+")
"""Values of which nobody could make use: empty ones, flags, paths, placeholders."""


def advise_secrets(report: Report, holder: Holder, templates: list[Template]) -> None:
    """Environment variables and parameters with telling names, and values that look like keys."""
    given = items(mapping(holder.spec, "arguments"), "parameters")
    if given:
        _advise_values(report, holder.where.at("arguments", "parameters"), given, "parameter")
    for template in templates:
        inputs = template.parameters("inputs")
        if inputs:
            _advise_values(report, template.where.at("inputs", "parameters"), inputs, "parameter")
        for where, container in containers(template):
            env = items(container, "env")
            if env:
                _advise_values(report, where.at("env"), env, "environment variable")
            for field in ("source", "command", "args"):
                if field in container:
                    _advise_texts(report, where, field, container[field])


def _advise_values(report: Report, where: Where, things: list[Json], kind: str) -> None:
    for index, thing in enumerate(things):
        name = text(thing, "name")
        for field in ("value", "default"):
            value = thing.get(field)
            if not isinstance(value, str) or "{{" in value:
                continue
            if (_NAME.search(name) and not _NO_SECRET.fullmatch(value)) or _VALUE.search(value):
                problem = f"the value of the {kind} '{name}' looks like a secret"
                _tell(report, where.at(index, field), problem, kind)


def _advise_texts(report: Report, where: Where, field: str, value: object) -> None:
    for index, part in enumerate(value if isinstance(value, list) else [value]):
        if isinstance(part, str) and _VALUE.search(part):
            place = where.at(field, index) if isinstance(value, list) else where.at(field)
            _tell(report, place, "this looks like a secret", "text")


def _tell(report: Report, where: Where, problem: str, kind: str) -> None:
    """The line of the manifest is not shown: it would carry the secret on."""
    ways = {
        "parameter": "keep it in a Secret, and give it to the container by `env[].valueFrom.secretKeyRef`",
        "environment variable": "keep it in a Secret, and refer to it by `valueFrom.secretKeyRef`",
    }
    before = len(report.findings)
    report.warning("NBF228", where, problem, ways.get(kind, ways["parameter"]))
    if len(report.findings) > before:
        report.findings[-1] = replace(report.findings[-1], source_line="")
