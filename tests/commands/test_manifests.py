import pytest

from nbflow import commands
from nbflow.commands.manifests import expand, load
from nbflow.errors import NbflowError

TEXT = "kind: Workflow\nmetadata: {name: a}\n---\nkind: Secret\nmetadata: {name: b}\n"


def test_a_path_a_text_and_an_object_are_read_alike(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text(TEXT)
    for manifest in (path, str(path), TEXT):
        assert [(d.kind, d.name) for d in load(manifest)] == [("Workflow", "a"), ("Secret", "b")]
    assert load({"kind": "Workflow", "metadata": {"name": "é"}})[0].name == "é"
    assert load('{"kind": "Workflow"}')[0].kind == "Workflow"


def test_sources_name_where_it_came_from(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text(TEXT)
    assert [load(m)[0].source for m in (path, TEXT, {"kind": "x"})] == [str(path), "<text>", "<object>"]


def test_what_is_no_data_is_refused():
    with pytest.raises(NbflowError, match="the object is no plain data"):
        load({"kind": object()})


def test_a_directory_stands_for_its_manifests(tmp_path):
    for name in ("b.yaml", "a.json", "c.txt", "sub/d.yml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    found = [path.removeprefix(f"{tmp_path}/") for path in expand([str(tmp_path), "-", "x"])]
    assert found == ["a.json", "b.yaml", "sub/d.yml", "-", "x"]


def test_lint_is_a_function_that_prints_nothing(capsys):
    text = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: a}\nspec: {entrypoint: nope}\n"
    findings = commands.lint(text)
    assert findings
    assert all(finding.position and finding.position.file == "<text>" for finding in findings)
    assert capsys.readouterr() == ("", "")


def test_lint_of_nothing():
    with pytest.raises(NbflowError, match="found nothing to lint"):
        commands.lint("kind: Service\n")
