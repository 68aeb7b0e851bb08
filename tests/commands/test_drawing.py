import pytest

from nbflow.commands.drawing import find_drawable, graph, object_of, render
from nbflow.errors import NbflowError, NotFoundError

TEXT = "kind: Workflow\nmetadata: {name: a}\nspec: {entrypoint: m, templates: [{name: m, container: {}}]}\n"


class Empty:
    def get(self, name):
        raise NotFoundError(name)


def test_a_file_is_drawn_without_a_run(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text(TEXT)
    drawing = graph(Empty(), str(path))
    assert 'id="plan:"' in drawing
    assert render(drawing, "svg").startswith(b"<svg")
    assert render(drawing, "png").startswith(b"\x89PNG")
    assert render(drawing, "dot").decode() == drawing


def test_a_run_that_somebody_saved_keeps_its_phases():
    status = (
        "status: {nodes: {a: {id: a, name: a, displayName: a, type: Pod, templateName: m, phase: Failed}}}\n"
    )
    assert object_of(TEXT + status).status.nodes["a"].phase == "Failed"


def test_a_cron_workflow_is_drawn_by_its_workflow():
    text = "kind: CronWorkflow\nmetadata: {name: c}\nspec: {schedules: ['* * * * *'], workflowSpec: {entrypoint: m}}\n"
    assert object_of(text).spec == {"entrypoint": "m"}


def test_nothing_to_draw():
    with pytest.raises(NbflowError, match="there is no workflow in it to draw"):
        object_of("kind: Service\n")
    with pytest.raises(NotFoundError, match="there is no file and no workflow 'x'"):
        find_drawable(Empty(), "x")
