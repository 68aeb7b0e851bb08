import pytest

from nbflow.engine import names


def test_ids_and_pod_names_are_argos():
    # What Argo's controller gave the workflow `hello-world` of its documentation.
    assert names.fnv32a("") == 0x811C9DC5
    assert names.fnv32a("a") == 0xE40C292C
    assert names.node_id("wf", "wf") == "wf"
    assert names.node_id("wf", "wf[0].a") == f"wf-{names.fnv32a('wf[0].a')}"
    assert names.pod_name("wf", "wf", "main") == "wf"
    assert names.pod_name("wf", "wf[0].a", "echo") == f"wf-echo-{names.fnv32a('wf[0].a')}"
    assert names.pod_name("wf", "wf.inline", "") == f"wf-{names.fnv32a('wf.inline')}"
    assert len(names.pod_name("w" * 200, "n", "t" * 200)) <= 253


@pytest.mark.parametrize(
    ("name", "boundary", "expected"),
    [
        ("wf[0]", "wf", "[0]"),
        ("wf[0].a", "wf", "a"),
        ("wf[0].a(0:x)", "wf", "a(0:x)"),
        ("wf.A", "wf", "A"),
        ("wf.A(1)", "wf.A", "(1)"),
        ("wf.onExit", "", "wf.onExit"),
        ("wf[0].a.onExit", "wf", "a.onExit"),
    ],
)
def test_display_names(name, boundary, expected):
    assert names.display_name(name, boundary) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wf.fanout1(0:1)(0)[0]", "fanout1"),
        ("wf[0].a", "a"),
        ("wf[0].a(0:x.y)", "a"),
        ("wf", "wf"),
        ("wf.A.onExit", "onExit"),
    ],
)
def test_the_step_or_task_behind_a_name(name, expected):
    assert names.call_name(name) == expected
