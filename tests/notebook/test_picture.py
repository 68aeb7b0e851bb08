from __future__ import annotations

import re

import pytest

from nbflow.notebook import picture as module
from nbflow.notebook.picture import Picture
from nbflow.spec.status import NodeType, Phase
from tests.notebook.fake_client import FakeClient, node, node_id
from tests.notebook.workflows import diamond, end, start


@pytest.fixture
def fake():
    return FakeClient().add(diamond())


@pytest.fixture
def drawn(monkeypatch):
    """The drawings that were made."""
    made, whole = [], module._svg
    monkeypatch.setattr(module, "_svg", lambda scene: made.append(scene) or whole(scene))
    return made


def standing(picture):
    """Shape -> the node that stands there."""
    return {key: mark["node"] for key, mark in picture.marks.items() if mark["node"]}


def look(picture, fake):
    picture.due = True
    return picture.update(fake.workflow, final=True)


def test_nodes_take_the_places_of_their_templates_without_a_new_drawing(fake, drawn):
    picture = Picture()
    assert look(picture, fake)
    assert re.findall(r'id="(plan:[^"]*)" class="node', picture.svg) == [
        "plan:.A",
        "plan:.B",
        "plan:.C",
        "plan:.D",
    ]
    start(fake)
    assert look(picture, fake)
    assert standing(picture) == {"plan:.A": node_id("diamond.A")}
    end(fake)
    assert look(picture, fake)
    assert standing(picture) == {f"plan:.{letter}": node_id(f"diamond.{letter}") for letter in "ABCD"}
    assert not look(picture, fake)
    assert len(drawn) == 1


def test_what_moves_is_drawn_again(fake, drawn):
    tasks = fake.workflow.spec["templates"][0]["dag"]["tasks"]
    tasks[1]["withParam"] = "{{tasks.A.outputs.result}}"
    picture = Picture()
    look(picture, fake)
    start(fake)
    items = [node(f"diamond.B({i}:{i})", Phase.RUNNING, boundary="diamond") for i in range(3)]
    fake.change(node("diamond.B", Phase.RUNNING, type=NodeType.TASK_GROUP, boundary="diamond"), *items)
    assert look(picture, fake)
    assert len(drawn) == 2
    assert list(picture.marks)[1] == "stack:.B"
    assert picture.svg.count("● B(") == 3


def test_a_stack_counts_its_nodes_anew_where_it_stands(fake, drawn):
    fake.workflow.spec["templates"][0]["dag"]["tasks"][1]["withParam"] = "[]"
    names = [f"diamond.B({i}:{i})" for i in range(30)]
    start(fake)
    fake.change(*(node(name, Phase.RUNNING, boundary="diamond") for name in names))
    picture = Picture()
    look(picture, fake)
    assert "● 30" in picture.svg
    fake.change(node(names[0], Phase.SUCCEEDED, boundary="diamond"))
    assert look(picture, fake)
    assert picture.marks["stack:.B"]["note"] == "● 29  ✔ 1"
    assert len(drawn) == 1


def test_between_two_looks_passes_some_time(fake):
    picture = Picture()
    assert picture.update(fake.workflow)
    start(fake)
    picture.due = True
    assert not picture.update(fake.workflow)
    assert picture.due
