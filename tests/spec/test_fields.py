"""The tables of fields, and that the models agree with them."""

import importlib.util
import inspect
from pathlib import Path

import pytest

from nbflow.spec import arguments, artifacts, template, workflow
from nbflow.spec.fields import table
from nbflow.spec.leaves import SCALARS
from nbflow.spec.model import Model

ROOT = Path(__file__).parents[2]
NAMES = {
    "ObjectMeta": "V1ObjectMeta",
    "ConfigMapKeyRef": "V1ConfigMapKeySelector",
    "SecretKeyRef": "V1SecretKeySelector",
    "Container": "V1Container",
    "HTTPHeader": "Header",
    "HTTPTemplate": "HTTP",
    "SyncRef": None,  # a Mutex or a SemaphoreRef
    "TemplateCall": None,  # what steps and tasks have in common
    "Manifest": None,  # what all kinds have in common
    "Model": None,
}


def models():
    found = {}
    for module in (arguments, artifacts, template, workflow):
        for name, thing in inspect.getmembers(module, inspect.isclass):
            if issubclass(thing, Model) and NAMES.get(name, name):
                found[NAMES.get(name, name)] = thing
    return found


@pytest.mark.parametrize("type_name", sorted(models()))
def test_a_model_has_only_fields_that_argo_knows(type_name):
    model = models()[type_name]
    aliases = {field.alias or name for name, field in model.model_fields.items()}
    assert aliases - set(table()[type_name]) == set()


@pytest.mark.parametrize(
    "type_name",
    [
        "WorkflowSpec",
        "Template",
        "WorkflowStep",
        "DAGTask",
        "Artifact",
        "Parameter",
        "RetryStrategy",
        "Memoize",
    ],
)
def test_a_model_of_what_the_engine_reads_has_all_fields(type_name):
    model = models()[type_name]
    aliases = {field.alias or name for name, field in model.model_fields.items()}
    assert set(table()[type_name]) - aliases == set()


def test_every_type_named_is_there():
    known = set(table()) | set(SCALARS)
    named = {
        kind.replace("[]", "").replace("map ", "") for fields in table().values() for kind in fields.values()
    }
    assert named - known == set()


def test_the_table_of_kubernetes_is_what_the_script_writes():
    spec = importlib.util.spec_from_file_location(
        "kubernetes_fields", ROOT / "scripts" / "kubernetes_fields.py"
    )
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    roots = script.named_types((ROOT / "nbflow/spec/argo.json").read_text()) | set(script.CORE_KINDS)
    ours = {name: set(fields) for name, fields in table().items() if name in roots}
    theirs = {name: set(fields) for name, fields in script.closure(roots).items() if name in roots}
    assert {name: ours[name] - theirs[name] for name in ours if ours[name] - theirs[name]} == {}
