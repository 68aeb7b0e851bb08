import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbflow.spec.status import NodeStatus, NodeType
from nbflow.spec.sums import EXECUTABLE, RESOURCES, parse_progress, with_sums


def node(key, kind, *children, progress="", **resources):
    extra = {RESOURCES: resources} if resources else {}
    return NodeStatus(key, key, key, kind, progress=progress, children=children, extra=extra)


def by_id(*nodes):
    return {one.id: one for one in nodes}


def test_a_group_sums_up_all_that_comes_after_it_and_each_only_once():
    nodes = by_id(
        node("steps", NodeType.STEPS, "[0]"),
        node("[0]", NodeType.STEP_GROUP, "a", "b"),
        node("a", NodeType.POD, "[1]", progress="1/1", cpu=3, memory=10),
        node("b", NodeType.POD, "[1]", progress="0/1", memory=5),
        node("[1]", NodeType.STEP_GROUP, "c"),
        node("c", NodeType.POD, progress="40/100", cpu=1),
        node("alone", NodeType.SKIPPED),
    )
    found = with_sums(nodes)
    assert {key: one.progress for key, one in found.items()} == {
        "steps": "41/102",
        "[0]": "41/102",
        "a": "1/1",
        "b": "0/1",
        "[1]": "40/100",
        "c": "40/100",
        "alone": "",
    }
    assert found["steps"].extra == {RESOURCES: {"cpu": 4, "memory": 15}}
    assert found["[1]"].extra == {RESOURCES: {"cpu": 1}}
    assert found["a"] is nodes["a"]


def test_what_argo_wrote_stays():
    nodes = by_id(
        node("g", NodeType.STEPS, "p", progress="9/9", cpu=7), node("p", NodeType.POD, progress="1/1", cpu=1)
    )
    assert with_sums(nodes) == nodes


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 300), st.sets(st.integers(0, 40))), max_size=40))
def test_it_is_what_argo_computes_node_by_node(shape):
    nodes = {}
    for index, (worker, amount, later) in enumerate(shape):
        children = tuple(str(i) for i in sorted(later) if index < i < len(shape))
        kind = NodeType.POD if worker else NodeType.DAG
        progress = f"{amount}/300" if worker else ""
        resources = {"cpu": amount} if worker and amount else {}
        nodes[str(index)] = node(str(index), kind, *children, progress=progress, **resources)

    def below(key, seen):
        for child in nodes[key].children:
            if child not in seen:
                seen.add(child)
                below(child, seen)
        return seen

    for key, one in with_sums(nodes).items():
        if one.type in EXECUTABLE:
            continue
        workers = [nodes[k] for k in below(key, set()) if nodes[k].type in EXECUTABLE]
        assert parse_progress(one.progress) == (
            sum(parse_progress(w.progress)[0] for w in workers),
            300 * len(workers),
        )
        used = sum(w.extra.get(RESOURCES, {}).get("cpu", 0) for w in workers)
        assert one.extra == ({RESOURCES: {"cpu": used}} if used else {})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3/7", (3, 7)),
        ("7/7", (7, 7)),
        ("8/7", (0, 0)),
        ("-1/7", (0, 0)),
        ("1", (0, 0)),
        ("", (0, 0)),
        ("0/" + "9" * 5000, (0, 0)),
        (f"0/{2**63}", (0, 0)),
    ],
)
def test_what_is_no_progress_counts_for_nothing(text, found):
    assert parse_progress(text) == found
