"""podSpecPatch, from the manifest to the pod."""

from __future__ import annotations

from datetime import timedelta

import pytest

from nbflow.engine.failures import CallError
from nbflow.engine.pod_patch import patched
from nbflow.spec.pod import ContainerSpec, Pod

MAIN = ContainerSpec(
    "main",
    "alpine",
    ("echo",),
    ("x",),
    env=({"name": "A", "value": "1"},),
    extra={"resources": {"limits": {"cpu": "1"}}},
)
SIDE = ContainerSpec("side", "nginx")
POD = Pod("p", "wf", "uid", "id", "t", (MAIN, SIDE), sidecars=("side",), extra={"nodeSelector": {"a": "b"}})


def test_an_empty_patch_changes_nothing() -> None:
    assert patched(POD, ["{}"]) == POD
    assert patched(POD, []) == POD


def test_containers_merge_by_name_and_their_lists_by_key() -> None:
    patch = """
        containers:
        - name: main
          args: [y]
          env: [{name: B, value: "2"}, {name: A, value: "3"}]
          resources: {limits: {memory: 1Gi}}
          volumeMounts: [{name: v, mountPath: /v}]
        volumes: [{name: v, emptyDir: {}}]
        activeDeadlineSeconds: 5
        terminationGracePeriodSeconds: 1
    """
    found = patched(POD, [patch])
    main = found.containers[0]
    assert (main.command, main.args) == (("echo",), ("y",))
    assert main.env == ({"name": "A", "value": "3"}, {"name": "B", "value": "2"})
    assert main.extra == {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}
    assert main.volume_mounts == ({"name": "v", "mountPath": "/v"},)
    assert found.volumes == ({"name": "v", "emptyDir": {}},)
    assert found.deadline == timedelta(seconds=5)
    assert found.extra == {"nodeSelector": {"a": "b"}, "terminationGracePeriodSeconds": 1}
    assert found.containers[1] == SIDE


def test_the_later_patch_wins_and_json_will_do() -> None:
    patches = ['{"containers": [{"name": "main", "image": "one"}]}', "containers: [{name: main, image: two}]"]
    assert patched(POD, patches).main.image == "two"


def test_containers_that_are_added_are_sidecars_and_those_of_argo_are_left_out() -> None:
    patch = """
        containers: [{name: new, image: x, command: [a]}, {name: wait, resources: {}}]
        initContainers: [{name: i, image: y}]
    """
    found = patched(POD, [patch])
    assert [container.name for container in found.containers] == ["main", "side", "new"]
    assert found.sidecars == ("side", "new")
    assert found.containers[2] == ContainerSpec("new", "x", ("a",))
    assert found.init_containers == (ContainerSpec("i", "y"),)


@pytest.mark.parametrize(
    ("patch", "problem"),
    [
        ("[1]", 'Error applying PodSpecPatch: "[1]" is no mapping'),
        (
            "containers: [{image: x}]",
            'Error applying PodSpecPatch: containers of "containers: [{image: x}]" is a list of objects with a name',
        ),
        ("{", "Error applying PodSpecPatch: "),
        (
            '{"containers"}',
            'Error applying PodSpecPatch: containers of "{"containers"}" is a list of objects with a name',
        ),
    ],
)
def test_what_is_no_patch(patch: str, problem: str) -> None:
    with pytest.raises(CallError) as caught:
        patched(POD, [patch])
    assert str(caught.value).startswith(problem)
