"""Whatever the workflow: finished nodes stay finished, no pod starts twice, and a restart changes nothing."""

import json
import os

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simulate import Simulation, fail, finished, outputs, succeed, workflow

from nbflow.engine.names import fnv32a
from nbflow.spec.status import NodeType

EXAMPLES = int(os.environ.get("NBFLOW_EXAMPLES", "40"))

POD = {"name": "pod", "container": {"image": "i", "command": ["true"]}}
VALUE = {
    "name": "value",
    "inputs": {"parameters": [{"name": "p", "default": "none"}]},
    "container": {"image": "i", "args": ["{{inputs.parameters.p}}"]},
    "outputs": {"parameters": [{"name": "o", "valueFrom": {"path": "/tmp/o", "default": "d"}}]},
}
PAUSE = {"name": "pause", "suspend": {"duration": "3"}}
RETRIED = {**POD, "name": "retried", "retryStrategy": {"limit": 2}}
LEAVES = ["pod", "value", "pause", "retried"]

loops = st.sampled_from(
    [{}, {}, {}, {"withItems": ["a", "b", "c"]}, {"withSequence": {"count": "2"}}, {"withParam": "[]"}]
)
whens = st.sampled_from([{}, {}, {}, {"when": "1 == 2"}, {"when": "a == a"}])
continues = st.sampled_from([{}, {}, {"continueOn": {"failed": True}}])
hooks = st.sampled_from([{}, {}, {}, {"onExit": "pod"}])


@st.composite
def steps_templates(draw, name, callable_):
    groups = []
    for i in range(draw(st.integers(1, 3))):
        calls = draw(
            st.lists(st.tuples(st.sampled_from(callable_), loops, whens, continues, hooks), max_size=3)
        )
        groups.append(
            [
                {"name": f"s{i}{j}", "template": t, **a, **b, **c, **d}
                for j, (t, a, b, c, d) in enumerate(calls)
            ]
        )
    extra = draw(
        st.sampled_from([{}, {}, {"parallelism": 1}, {"retryStrategy": {"limit": 1}}, {"failFast": True}])
    )
    return {"name": name, "steps": groups, **extra}


@st.composite
def dag_templates(draw, name, callable_):
    tasks = []
    for i in range(draw(st.integers(1, 4))):
        needed = (
            draw(st.lists(st.sampled_from([f"t{j}" for j in range(i)]), max_size=2, unique=True)) if i else []
        )
        result = draw(st.sampled_from(["", "", ".Succeeded", ".Failed", ".Skipped"]))
        depends = (
            {"depends": draw(st.sampled_from([" && ", " || "])).join(n + result for n in needed)}
            if needed
            else {}
        )
        task = {"name": f"t{i}", "template": draw(st.sampled_from(callable_)), **depends}
        tasks.append({**task, **draw(loops), **draw(whens), **draw(hooks)})
    extra = draw(st.sampled_from([{}, {}, {"parallelism": 2}, {"retryStrategy": {"limit": 1}}]))
    return {
        "name": name,
        "dag": {"tasks": tasks, **draw(st.sampled_from([{}, {"failFast": False}]))},
        **extra,
    }


@st.composite
def manifests(draw):
    templates = [POD, VALUE, PAUSE, RETRIED]
    callable_ = list(LEAVES)
    for name in ("inner", "main"):
        kind = draw(st.sampled_from([steps_templates, dag_templates]))
        templates.append(draw(kind(name, list(callable_))))
        callable_.append(name)
    extra = draw(
        st.sampled_from([{}, {}, {"onExit": "pod"}, {"parallelism": 2}, {"activeDeadlineSeconds": 4}])
    )
    return {"entrypoint": "main", "templates": templates, **extra}


def rule(seed):
    """About a third of the pods fail, always the same ones."""

    def decide(pod):
        if fnv32a(f"{seed}{pod.name}") % 3 == 0:
            return fail(pod)
        return outputs(o="x") if pod.outputs else succeed(pod)

    return decide


def picture(simulation):
    """The end of a run without its times: pods of a restarted controller may start a moment later."""
    return {
        "phase": (simulation.phase, simulation.message, simulation.progress),
        "nodes": {
            name: (node.type, node.phase, node.message, node.inputs, node.outputs, set(node.outbound_nodes))
            for name, node in simulation.nodes.items()
        },
        "edges": simulation.edges(),
        "pods": set(simulation.pods),
    }


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(manifests(), st.integers(0, 5))
def test_every_workflow_ends_and_all_its_nodes_with_it(manifest, seed):
    run = Simulation(workflow(yaml.safe_dump(manifest)), rule(seed)).run(events=3000)
    assert run.phase.finished, json.dumps(manifest)
    names = {node.id for node in run.stored.nodes}
    assert all(parent in names and child in names for parent, child in run.stored.edges)
    parents = {child for _, child in run.stored.edges}
    for node in run.stored.nodes:
        assert node.id == "wf" or node.id in parents or node.name.endswith(".onExit"), node.name
        if node.type is NodeType.POD and finished(node):
            assert node.started_at <= node.finished_at


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(manifests(), st.integers(0, 5), st.integers(1, 4))
def test_a_restart_at_any_moment_changes_nothing(manifest, seed, crash_every):
    whole = Simulation(workflow(yaml.safe_dump(manifest)), rule(seed)).run(events=3000)
    broken = Simulation(workflow(yaml.safe_dump(manifest)), rule(seed), crash_every=crash_every).run(
        events=3000
    )
    assert picture(broken) == picture(whole)
