"""Python values as input artifacts."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from nbflow.artifacts.local import LocalRepository
from nbflow.commands.handing import handed_over, write_value
from nbflow.commands.manifests import load
from nbflow.commands.submission import submit
from nbflow.errors import NbflowError
from nbflow.spec.workflow import Workflow
from tests.notebook.fake_client import FakeClient

pandas = pytest.importorskip("pandas")
numpy = pytest.importorskip("numpy")
FRAME = pandas.DataFrame({"x": [1, 2], "y": ["a", "b"]})


class Storing(FakeClient):
    """A client with a repository in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.repository = LocalRepository(folder)

    def store_artifact(self, source, artifact, workflow):
        self.repository.save(source, artifact, take=False)

    def stored(self, artifact):
        return self.repository.place(artifact)


def manifest(path: str = "/tmp/data.csv", **arguments) -> dict[str, object]:
    takes = {"artifacts": [{"name": "data", "path": path}]}
    main = {"name": "main", "inputs": takes, "container": {"image": "busybox", "command": ["true"]}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "takes"},
        "spec": {
            "entrypoint": "main",
            "templates": [main],
            **({"arguments": arguments} if arguments else {}),
        },
    }


def written(value, wanted, tmp_path) -> bytes:
    return write_value("data", value, tmp_path, wanted).read_bytes()


@pytest.mark.parametrize(
    ("value", "wanted", "content"),
    [
        (FRAME, "/tmp/d.csv", b"x,y\n1,a\n2,b\n"),
        (FRAME, "/tmp/d.tsv", b"x\ty\n1\ta\n2\tb\n"),
        (FRAME, "/tmp/no-ending", b"x,y\n1,a\n2,b\n"),
        (FRAME.set_index("y"), "/tmp/d.csv", b"y,x\na,1\nb,2\n"),
        (FRAME, "/tmp/d.json", b'[{"x":1,"y":"a"},{"x":2,"y":"b"}]'),
        (FRAME, "/tmp/d.jsonl", b'{"x":1,"y":"a"}\n{"x":2,"y":"b"}\n'),
        (b"\x00\x01", "/tmp/d.bin", b"\x00\x01"),
        (bytearray(b"x"), "/tmp/d.bin", b"x"),
        ("two\nlines", "/tmp/d.txt", b"two\nlines"),
    ],
)
def test_a_value_becomes_the_file_that_the_path_asks_for(value, wanted, content, tmp_path):
    assert written(value, wanted, tmp_path) == content


def test_other_forms(tmp_path):
    assert json.loads(written({"a": numpy.int64(1)}, "/tmp/d.json", tmp_path)) == {"a": 1}
    assert pickle.loads(written({1, 2}, "/tmp/d.pkl", tmp_path)) == {1, 2}
    path = write_value("data", numpy.array([1, 2]), tmp_path, "/tmp/d.npy")
    assert list(numpy.load(path)) == [1, 2]
    pytest.importorskip("pyarrow")
    path = write_value("data", FRAME, tmp_path, "/tmp/d.parquet")
    assert pandas.read_parquet(path).equals(FRAME)


def test_a_path_is_the_file_or_folder_itself(tmp_path):
    source, target = tmp_path / "src", tmp_path / "to"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "a.txt").write_text("a")
    target.mkdir()
    assert (write_value("data", source, target, "/tmp/x") / "deep" / "a.txt").read_text() == "a"
    assert write_value("data", str(source / "deep" / "a.txt"), target, "/tmp/x").name == "a.txt"


@pytest.mark.parametrize(
    ("value", "problem", "fix"),
    [
        ("nothing.csv", "artifact data: no such file 'nothing.csv'",
         "check the path; data=b'nothing.csv' passes a text itself"),
        (Path("/nonexistent"), "artifact data cannot be read: No such file or directory", ""),
        (object(), "artifact data is a object, which cannot be a file: object is not JSON",
         "pass a DataFrame, bytes, a path, or plain data; a path that ends in .pkl takes any object"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_file_is_refused(value, problem, fix, tmp_path):
    with pytest.raises(NbflowError) as caught:
        write_value("data", value, tmp_path, "/tmp/d.json")
    assert (caught.value.problem, caught.value.fix) == (problem, fix)


def test_it_is_stored_by_its_content_and_named_in_the_manifest(tmp_path):
    client = Storing(tmp_path / "repository")
    for name in ("one", "two"):
        given = manifest() | {"metadata": {"name": name}}
        submit(given, artifacts={"data": FRAME}, client=client)
    first, second = (client.get(name).spec["arguments"]["artifacts"] for name in ("one", "two"))
    assert first == second
    assert first[0]["archive"] == {"none": {}}
    assert client.stored(first[0]).read_bytes() == b"x,y\n1,a\n2,b\n"
    assert client.stored(first[0]).name == "data.csv"


def test_it_takes_the_place_of_the_manifests_own(tmp_path):
    client = Storing(tmp_path / "repository")
    own = [{"name": "data", "raw": {"data": "own"}}, {"name": "other", "raw": {"data": "kept"}}]
    with handed_over({"data": b"new"}, load(manifest(artifacts=own)), client) as (documents, _):
        found = documents[0].data["spec"]["arguments"]["artifacts"]
    assert [(one["name"], "raw" in one) for one in found] == [("other", True), ("data", False)]


def test_nothing_is_stored_if_the_manifest_is_refused(tmp_path):
    client = Storing(tmp_path / "repository")
    broken = manifest()
    broken["spec"]["entrypoint"] = "nothing"
    with pytest.raises(NbflowError):
        submit(broken, artifacts={"data": b"x"}, client=client)
    assert not (tmp_path / "repository").exists()


def test_a_name_that_nothing_takes_is_refused(tmp_path):
    client = Storing(tmp_path / "repository")
    with pytest.raises(NbflowError) as caught:
        submit(manifest(), artifacts={"date": b"x"}, client=client)
    assert str(caught.value) == "the workflow takes no artifact 'date'\n  fix: did you mean `data`?"


def test_a_client_that_cannot_store_says_so():
    with pytest.raises(NbflowError, match="an artifact cannot be stored on fake from here"):
        submit(manifest(), artifacts={"data": b"x"}, client=FakeClient())


# --- manifests that are objects


def test_what_has_to_dict_is_a_manifest():
    class Mine:
        def to_dict(self):
            return manifest()

    assert load(Mine())[0].name == "takes"
    assert load(load(Mine())[0])[0].name == "takes"
    assert load(Workflow.from_dict(manifest()))[0].data == manifest()


def test_a_workflow_that_ran_is_the_manifest_of_the_next_one():
    client = FakeClient()
    first = client.submit(manifest() | {"metadata": {"generateName": "a-", "labels": {"x": "y"}}})
    (document,) = load(first)
    assert document.data["metadata"] == {"generateName": "a-", "labels": {"x": "y"}}
    assert "status" not in document.data


def test_a_workflow_of_hera_is_a_manifest():
    hera = pytest.importorskip("hera.workflows")
    with hera.Workflow(generate_name="h-", entrypoint="main") as made:
        hera.Container(name="main", image="busybox", command=["echo", "hi"])
    client = FakeClient()
    assert submit(made, client=client).workflow.name.startswith("h-")
    (document,) = load(made)
    assert document.data["spec"]["templates"] == [
        {"name": "main", "container": {"image": "busybox", "command": ["echo", "hi"]}}
    ]
