"""Values of secrets written in a manifest, where everybody can read them. No message repeats one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from nbflow.errors import Finding
from nbflow.lint.advice.containers import Held, containers
from nbflow.lint.objects import Holder, Json, Template, holder_of, items, mapping, text
from nbflow.lint.report import Report, Where
from nbflow.spec.yaml import Document

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


_WAYS = {
    "parameter": "keep it in a Secret, and give it to the container by `env[].valueFrom.secretKeyRef`",
    "environment variable": "keep it in a Secret, and refer to it by `valueFrom.secretKeyRef`",
}


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that should not be in a manifest. kind: of what it is the value."""

    where: Where
    value: str
    kind: str = "parameter"
    name: str = ""

    @property
    def problem(self) -> str:
        """What is said of it."""
        return (
            f"the value of the {self.kind} '{self.name}' looks like a secret"
            if self.name
            else "this looks like a secret"
        )


def advise_secrets(report: Report, holder: Holder, templates: list[Template], held: Held) -> None:
    """Environment variables and parameters with telling names, and values that look like keys."""
    for secret in secrets(holder, templates, held):
        report.warning("NBF228", secret.where, secret.problem, _WAYS[secret.kind])


def without_secrets(findings: list[Finding], documents: Iterable[Document]) -> list[Finding]:
    """The findings without the lines of the manifest that would carry a secret on."""
    faulty = {finding.position.file for finding in findings if finding.position is not None}
    values: set[str] = set()
    places: set[tuple[str, int]] = set()
    for document in documents:
        if document.source in faulty and document.data:
            holder = holder_of(document.data, document)
            templates = [holder.template_at(index) for index in range(len(items(holder.spec, "templates")))]
            held = [list(containers(template)) for template in templates]
            for secret in secrets(holder, templates, held):
                values.update(line.strip() for line in secret.value.split("\n"))
                places.add((document.source, document.position(secret.where.path).line))
    values.discard("")
    telling = {
        line: any(value in line for value in values) or _VALUE.search(line) is not None
        for line in {finding.source_line for finding in findings}
    }
    return [
        replace(finding, source_line="")
        if telling[finding.source_line]
        or (finding.position and (finding.position.file, finding.position.line) in places)
        else finding
        for finding in findings
    ]


def secrets(holder: Holder, templates: list[Template], held: Held) -> Iterator[Secret]:
    """The secrets in an object."""
    given = items(mapping(holder.spec, "arguments"), "parameters")
    if given:
        yield from _named(holder.where.at("arguments", "parameters"), given, "parameter")
    for template, found in zip(templates, held, strict=True):
        inputs = template.parameters("inputs")
        if inputs:
            yield from _named(template.where.at("inputs", "parameters"), inputs, "parameter")
        for where, container in found:
            env = items(container, "env")
            if env:
                yield from _named(where.at("env"), env, "environment variable")
            for field in ("source", "command", "args"):
                if field in container:
                    yield from _in_texts(where, field, container[field])


def _named(where: Where, things: list[Json], kind: str) -> Iterator[Secret]:
    for index, thing in enumerate(things):
        name = text(thing, "name")
        for field in ("value", "default"):
            value = thing.get(field)
            if not isinstance(value, str) or "{{" in value:
                continue
            if (_NAME.search(name) and not _NO_SECRET.fullmatch(value)) or _VALUE.search(value):
                yield Secret(where.at(index, field), value, kind, name)


def _in_texts(where: Where, field: str, value: object) -> Iterator[Secret]:
    for index, part in enumerate(value if isinstance(value, list) else [value]):
        found = _VALUE.search(part) if isinstance(part, str) else None
        if found:
            yield Secret(
                where.at(field, index) if isinstance(value, list) else where.at(field), found.group()
            )
