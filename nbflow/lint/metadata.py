"""What a cluster refuses when an object is created, and lint does not look at: names, labels, keys."""

from __future__ import annotations

import re
from collections.abc import Callable

from nbflow.lint.objects import Json, mapping, text
from nbflow.lint.report import Report, Where
from nbflow.spec.naming import (
    is_data_key,
    is_label_key,
    is_label_value,
    is_name,
    is_namespace,
    is_prefix,
    is_run_name,
)
from nbflow.spec.yaml import Document

_RULE = "NBF110"
_ADVICE = "NBF205"
_NEAR = 63
NAME_FIX = "lower case letters, digits, '-' and '.', for example my-workflow"
NAMESPACE_FIX = "at most 63 lower case letters, digits and '-', for example default"
LABEL_FIX = "at most 63 letters, digits, '-', '_' and '.', the first and last one no mark"
KEY_FIX = "letters, digits, '-', '_' and '.', not beginning with '..'"


def check_metadata(report: Report, document: Document) -> None:
    """Names and labels of an object that is about to be created, and the keys of its data."""
    where, metadata = Where(document, ("metadata",)), mapping(document.data, "metadata")
    _check_names(report, where, document.kind, metadata)
    namespace = text(metadata, "namespace")
    if namespace and not is_namespace(namespace):
        report.error(_RULE, where.at("namespace"), f"{namespace!r} is no name for a namespace", NAMESPACE_FIX)
    labels, annotations = mapping(metadata, "labels"), mapping(metadata, "annotations")
    _check_keys(report, where.at("labels"), labels, "a label", is_label_key)
    _check_keys(
        report, where.at("annotations"), annotations, "an annotation", lambda k: is_label_key(k.lower())
    )
    for key, value in labels.items():
        if isinstance(value, str) and not is_label_value(value):
            report.error(
                _RULE, where.at("labels", key), f"{value!r} is no value for label {key!r}", LABEL_FIX
            )
    if document.kind in ("Secret", "ConfigMap"):
        for field in ("data", "binaryData", "stringData"):
            data = mapping(document.data, field)
            _check_keys(report, Where(document, (field,)), data, "a key", is_data_key, KEY_FIX)


def advise_names(report: Report, document: Document) -> None:
    """Names that Argo's lint lets pass, and that no cluster takes."""
    where, metadata = Where(document, ("metadata",)), mapping(document.data, "metadata")
    for field, is_good in (("name", is_name), ("generateName", is_prefix)):
        name = text(metadata, field)
        if name and not is_good(name):
            said = "is no name" if field == "name" else "begins no name"
            report.warning(
                _ADVICE, where.at(field), f"{name!r} {said} that a cluster takes", _mended(name, is_good)
            )


def _mended(name: str, is_good: Callable[[str], bool]) -> str:
    """A name that is near to it, or what makes a good one."""
    near = re.sub(r"[^-a-z0-9.]+", "-", name.lower()).lstrip("-.")[:_NEAR]
    return f"for example {near}" if is_good(near) else NAME_FIX


def _check_names(report: Report, where: Where, kind: str, metadata: Json) -> None:
    name, prefix = text(metadata, "name"), text(metadata, "generateName")
    well_formed = is_run_name if kind == "Workflow" else is_name
    if name and not well_formed(name):
        report.error(_RULE, where.at("name"), f"{name!r} is no name for a {kind}", NAME_FIX)
    if kind == "Workflow":
        if prefix and not is_run_name(prefix):
            report.error(_RULE, where.at("generateName"), f"{prefix!r} begins no name for a {kind}", NAME_FIX)
        if not name and not prefix:
            fix = "add `generateName: my-workflow-` to metadata, or give --name"
            report.error(_RULE, where, "metadata.name or metadata.generateName is required", fix)
    elif not name:
        report.error(_RULE, where, f"the {kind} has no name", "add `name:` to metadata")


def _check_keys(
    report: Report, where: Where, owner: Json, said: str, good: Callable[[str], bool], fix: str = LABEL_FIX
) -> None:
    for key in owner:
        if not good(key):
            report.error(_RULE, where.at(key), f"{key!r} is no name for {said}", fix, key=True)
