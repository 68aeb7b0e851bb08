"""Explain: fields by path or by a part of it, types, variables, near misses."""

from __future__ import annotations

import pytest

from nbflow.commands.explaining import explain, field_meaning, fields_of, known_names
from nbflow.errors import NbflowError
from nbflow.spec.fields import table
from nbflow.spec.meanings import VALUES, meaning_of_field, meaning_of_type
from nbflow.templating.catalogue import VARIABLES

WRITTEN_BY_CONTROLLERS = {
    "ArtGCStatus", "ArtifactRepositoryRefStatus", "Condition", "CronWorkflowStatus", "MemoizationStatus",
    "MutexHolding", "MutexStatus", "NodeFlag", "NodeStatus", "NodeSynchronizationStatus", "SemaphoreHolding",
    "SemaphoreStatus", "SynchronizationStatus", "WorkflowStatus",
}  # fmt: skip


def said(name: str) -> list[tuple[str, str, str]]:
    return [(one.what, one.path, one.meaning) for one in explain(name)]


@pytest.mark.parametrize(
    "name",
    [
        "workflow.spec.templates.retryStrategy.backoff",
        "Workflow.Spec.Templates[0].RetryStrategy.backoff",
        "wf.spec.templates.retrystrategy.backoff",
        "workflow.spec.templates[].retryStrategy.backoff",
    ],
)
def test_a_path(name):
    (found,) = explain(name)
    assert found.path == "workflow.spec.templates.retryStrategy.backoff"
    assert (found.kind, found.meaning) == ("Backoff", "how long to wait between attempts")
    assert [field.name for field in found.fields] == ["cap", "duration", "factor", "maxDuration"]


def test_a_bare_name_means_all_fields_of_that_name():
    assert said("retryStrategy") == [
        ("FIELD", "workflow.spec.retryStrategy", "how often and when its templates are tried again"),
        ("FIELD", "workflow.spec.templates.retryStrategy", "how often and when to try again"),
        (
            "FIELD", "workflow.spec.templates.containerSet.retryStrategy", "how often each container is tried again",
        ),
    ]  # fmt: skip
    assert said("backoff.maxDuration")[0][1:] == (
        "workflow.spec.retryStrategy.backoff.maxDuration",
        "how long to go on trying, all in all",
    )


def test_a_field_of_kubernetes_has_the_words_of_its_client():
    (found,) = explain("workflow.spec.templates.container.imagePullPolicy")
    assert (found.kind, found.values) == ("text", ("IfNotPresent", "Always", "Never"))
    assert found.meaning == "Image pull policy"
    assert "liveness" in field_meaning("V1Container", "livenessProbe").lower() or field_meaning(
        "V1Container", "livenessProbe"
    ).startswith("Probe describes")
    told = [field.name for field in fields_of("V1Container") if not field.meaning]
    assert told == []


@pytest.mark.parametrize(
    "name", ["inputs.parameters.text", "{{inputs.parameters.text}}", "{{ inputs.parameters.x }}"]
)
def test_a_variable(name):
    assert said(name) == [
        ("VARIABLE", "{{inputs.parameters.<parameter>}}", "an input parameter of the template")
    ]


def test_the_beginning_of_variables_means_them_all():
    assert [path for _, path, _ in said("lastRetry")] == [
        "{{lastRetry.exitCode}}", "{{lastRetry.status}}", "{{lastRetry.duration}}", "{{lastRetry.message}}",
    ]  # fmt: skip
    assert explain("lastRetry.message")[0].notes == (
        "known in a template with a retryStrategy",
        "since Argo Workflows v3.5",
    )


def test_what_is_both_is_told_as_both():
    assert [(what, path) for what, path, _ in said("workflow.status")] == [
        ("VARIABLE", "{{workflow.status}}"),
        ("FIELD", "workflow.status"),
    ]


def test_a_type():
    (found,) = explain("Backoff")
    assert (found.what, found.path) == ("FIELD", "workflow.spec.retryStrategy.backoff")
    (found,) = explain("ContainerSetTemplate")
    assert (found.what, found.meaning) == (
        "TYPE",
        "several containers in one pod, one after another or side by side",
    )


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("retryStrategi", "did you mean `retryStrategy`?"),
        ("workflow.spec.templatez", "did you mean `workflow.spec.templates`?"),
        ("workflow.nam", "did you mean `workflow.name`?"),
        ("lastRetry.exitcod", "did you mean `lastRetry.exitCode`?"),
        ("workflow.spec.ttlSecondsAfterFinished", "use `ttlStrategy.secondsAfterCompletion`, since v3"),
        ("xyzzy", "a field is workflow.spec.entrypoint, a variable workflow.name"),
    ],
)
def test_near_misses_are_suggested(name, fix):
    with pytest.raises(NbflowError) as caught:
        explain(name)
    assert caught.value.problem == f"there is no field and no variable {name!r}"
    assert caught.value.fix == fix


def test_every_field_that_a_person_writes_has_a_meaning():
    missing = [
        f"{owner}.{name}"
        for owner, fields in table().items()
        if not owner.startswith(("V1", "Core")) and owner not in WRITTEN_BY_CONTROLLERS
        for name in fields
        if not field_meaning(owner, name)
    ]
    assert missing == []
    types = [t for t in table() if not t.startswith(("V1", "Core")) and t not in WRITTEN_BY_CONTROLLERS]
    assert [name for name in types if not meaning_of_type(name) and name not in WITHOUT_WORDS] == []


WITHOUT_WORDS = {name for name in table() if name.endswith(("Artifact", "ArtifactRepository"))}


def test_meanings_and_values_are_of_fields_that_there_are():
    assert [pair for pair in VALUES if pair[1] not in table()[pair[0]]] == []
    assert meaning_of_field("Template", "nothing") == ""


def test_all_names_can_be_explained():
    for name, _ in known_names():
        assert explain(name), name
    assert {variable.name for variable in VARIABLES} <= {name for name, _ in known_names()}
