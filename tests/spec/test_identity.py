"""Load, dump, load is identity: for every field that a type has, whatever is in it."""

from __future__ import annotations

from random import Random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nbflow.spec.fields import KINDS, table
from nbflow.spec.workflow import CronWorkflow, Workflow, WorkflowTemplate
from nbflow.spec.yaml import load_documents

MODELS = {
    "Workflow": Workflow,
    "WorkflowTemplate": WorkflowTemplate,
    "ClusterWorkflowTemplate": WorkflowTemplate,
    "CronWorkflow": CronWorkflow,
}
SCALARS = {
    "string": ["", "x", "{{inputs.parameters.a}}", "5", "true", 'é\n"', "  - a: b"],
    "any-string": ["x", "1.50", ""],
    "boolean": [True, False],
    "integer": [0, 5, -1],
    "int32": [0, 7],
    "bytes": ["", "YQ=="],
    "number": [1.5, 2],
    "int-or-string": [5, "50%", "{{x}}"],
    "quantity": ["64Mi", "500m", "1"],
    "time": ["2026-01-31T12:00:00Z"],
    "any": [1, "x", [1, None], {"a": None, "b": [{}]}],
}


def value_of(type_name: str, chance: Random, depth: int = 0) -> object:
    """Something that is of that type: some of its fields, or all."""
    if type_name.startswith("[]"):
        count = chance.choice([0, 1, 2] if depth < 6 else [0])
        return [value_of(type_name[2:], chance, depth + 1) for _ in range(count)]
    if type_name.startswith("map "):
        keys = chance.sample(["a", "b/c", "d.e", "true"], chance.choice([0, 1, 2]))
        return {key: value_of(type_name[4:], chance, depth + 1) for key in keys}
    if type_name in SCALARS:
        return chance.choice(SCALARS[type_name])
    fields = list(table()[type_name])
    chance.shuffle(fields)
    count = 0 if depth > 7 else chance.choice([0, 1, 2, 4, len(fields) if depth < 3 else 3])
    return {name: value_of(table()[type_name][name], chance, depth + 1) for name in fields[:count]}


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.sampled_from(sorted(KINDS)))
def test_any_manifest_survives(seed: int, kind: str) -> None:
    manifest = {**value_of(kind, Random(seed)), "kind": kind, "apiVersion": "argoproj.io/v1alpha1"}
    (loaded,) = load_documents(yaml.dump(manifest, sort_keys=False, allow_unicode=True), "a.yaml")
    assert [finding.problem for finding in loaded.findings] == []
    assert loaded.data == manifest
    (again,) = load_documents(yaml.dump(loaded.data, sort_keys=False, allow_unicode=True), "a.yaml")
    assert again.data == manifest
    if kind in MODELS:
        assert MODELS[kind].from_dict(loaded.data).to_dict() == manifest


@pytest.mark.parametrize("type_name", sorted(table()))
def test_every_field_is_kept(type_name: str) -> None:
    """In a Workflow whose template has it, by a path of fields that leads there."""
    path = _path_to(type_name)
    if path is None:
        return  # it belongs to a kind that no Workflow holds
    inner: object = {name: _one(kind) for name, kind in table()[type_name].items()}
    for name, is_list in reversed(path):
        inner = {name: [inner] if is_list else inner}
    (loaded,) = load_documents(yaml.dump({"kind": "Workflow", **inner}, sort_keys=False), "a.yaml")
    assert [finding.problem for finding in loaded.findings] == []
    assert Workflow.from_dict(loaded.data).to_dict() == {"kind": "Workflow", **inner}


def _one(kind: str) -> object:
    return value_of(kind, Random(1), depth=8)


def _path_to(type_name: str) -> list[tuple[str, bool]] | None:
    """(field, whether it is a list) from a Workflow to a type; None if there is no way by plain lists and fields."""
    todo: list[tuple[str, list[tuple[str, bool]]]] = [("Workflow", [])]
    seen = {"Workflow"}
    while todo:
        name, path = todo.pop(0)
        if name == type_name:
            return path
        for field, kind in table()[name].items():
            inner = kind.removeprefix("[]")
            if inner in table() and inner not in seen and not inner.startswith("[]"):
                seen.add(inner)
                todo.append((inner, [*path, (field, kind.startswith("[]"))]))
    return None
