from datetime import UTC, datetime, timedelta

import pytest
from simulate import Simulation, workflow

from nbflow.engine.decision import StaticWorld
from nbflow.engine.usage import resources_duration
from nbflow.spec.pod import ContainerSpec, Pod, PodOutcome
from nbflow.spec.status import Phase

AT = datetime(2024, 1, 1, tzinfo=UTC)


def pod(*resources):
    containers = tuple(
        ContainerSpec(f"c{i}", "i", extra={"resources": one} if one else {})
        for i, one in enumerate(resources)
    )
    return Pod("p", "w", "u", "n", "t", containers)


def took(seconds):
    return PodOutcome(Phase.SUCCEEDED, started_at=AT, finished_at=AT + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("resources", "seconds", "expected"),
    [
        ([{"requests": {"cpu": "2000m"}}], 60, {"cpu": 120, "memory": 60}),
        (
            [{"requests": {"cpu": "2"}, "limits": {"cpu": "4", "nvidia.com/gpu": "1"}}],
            180,
            {"cpu": 360, "memory": 180, "nvidia.com/gpu": 180},
        ),
        ([{"limits": {"memory": "1Gi"}}], 10, {"cpu": 1, "memory": 102}),
        ([None, None], 100, {"cpu": 20, "memory": 200}),
        ([None], 0, {}),
        ([None], 5, {"memory": 5}),
    ],
)
def test_seconds_times_what_the_containers_ask_for(resources, seconds, expected):
    assert resources_duration(pod(*resources), took(seconds)) == expected


def test_a_pod_that_never_ran_used_nothing():
    assert resources_duration(pod(None), PodOutcome(Phase.ERROR)) == {}


STEPS = """
entrypoint: main
templates:
- name: main
  steps:
  - - {name: a, template: pod}
    - {name: b, template: pod}
- {name: pod, container: {image: i}}
"""


def test_the_workflow_sums_up_what_its_pods_used():
    def rule(pod):
        return PodOutcome(Phase.SUCCEEDED, exit_code=0, resources={"cpu": 2, "memory": 5})

    run = Simulation(STEPS, rule, crash_every=2).run()
    assert run.node("a").extra["resourcesDuration"] == {"cpu": 2, "memory": 5}
    assert run.stored.status.extra["resourcesDuration"] == {"cpu": 4, "memory": 10}


def test_durations_are_estimated_by_the_last_run_of_the_same_template():
    label = {"workflows.argoproj.io/cron-workflow": "tick"}
    manifest = workflow(STEPS)
    manifest = manifest.model_copy(
        update={"metadata": manifest.metadata.model_copy(update={"labels": label})}
    )
    world = StaticWorld(took={"": 12.9, "[0]": 7.0, "[0].a": 3.5, "[0].b": 0.4})
    run = Simulation(manifest, world=world).run()
    assert run.stored.status.extra["estimatedDuration"] == 12
    estimates = {name: node.extra.get("estimatedDuration") for name, node in run.nodes.items()}
    assert estimates == {"wf": 12, "wf[0]": 7, "wf[0].a": 3, "wf[0].b": None}
    assert "estimatedDuration" not in Simulation(STEPS, world=world).run().stored.status.extra
