import pytest

from nbflow import topology

DIAMOND = {"A": (), "B": ("A",), "C": ("A",), "D": ("B", "C")}
RING = {"a": ("c",), "b": ("a",), "c": ("b",), "d": ()}


@pytest.mark.parametrize(
    ("depends", "names", "expected"),
    [
        ("", ("A", "B"), ("A", "B")),
        ("", ("A", "A"), ("A",)),
        ("A", (), ("A",)),
        ("A.Succeeded && (B.Failed || A.Errored)", (), ("A", "B")),
        ("task-1.AnySucceeded || !task-2", (), ("task-1", "task-2")),
        ("1a && 2b.AllFailed", ("C",), ("1a", "2b")),
    ],
)
def test_dependencies(depends, names, expected):
    assert topology.dependencies(depends, names) == expected


def test_dependents():
    assert topology.dependents(DIAMOND) == {"A": ("B", "C"), "B": ("D",), "C": ("D",), "D": ()}


def test_ancestors_are_those_that_a_task_waits_for_directly_or_not():
    assert topology.ancestors(DIAMOND) == {"A": 0, "B": 0b1, "C": 0b1, "D": 0b111}


def test_sort_puts_a_task_after_those_it_waits_for():
    assert topology.sort({"D": ("B", "C"), "C": ("A",), "B": ("A",), "A": ()}) == ("A", "B", "C", "D")
    assert set(topology.sort(RING)) == set(RING)


def test_leaves_are_sorted_by_name():
    assert topology.leaves({"z": (), "y": (), "x": ("w",), "w": ()}) == ("x", "y", "z")


def test_cycle():
    assert topology.cycle(DIAMOND) is None
    ring = topology.cycle(RING)
    assert ring is not None
    assert ring[0] == ring[-1]
    assert set(ring) == {"a", "b", "c"}
    assert topology.cycle({"a": ("a",)}) == ("a", "a")


def test_cycle_is_not_fooled_by_a_task_that_is_needed_twice():
    assert topology.cycle({"a": (), "b": ("a",), "c": ("b", "a")}) is None


def test_a_chain_of_thousands_needs_no_recursion():
    chain = {str(i): (str(i - 1),) if i else () for i in range(5000)}
    assert topology.cycle(chain) is None
    assert topology.ancestors(chain)["4999"].bit_count() == 4999
