"""Artifacts: read, load as a table, save, look at."""

from __future__ import annotations

import base64
import builtins
import io
import json
import tarfile
import zipfile

import pytest

from nbflow.errors import NbflowError
from nbflow.notebook.artifacts import Artifact, Artifacts, NoSuchArtifactError
from nbflow.notebook.preview import COLUMNS, PAGE, ROWS, TEXT, preview

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
EVIL = '<img src=x onerror=alert(1)><script>alert(2)</script>"\x1b[31m'


def artifact(content: bytes, path: str = "/tmp/data.csv", **more) -> Artifact:
    return Artifact({"name": "data", "path": path, **more}, lambda target: target.write_bytes(content))


def tar(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for name, content in files.items():
            member = tarfile.TarInfo(name.replace("_", "/"))
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def shown(content: bytes, name: str, tmp_path, **options) -> dict[str, str]:
    path = tmp_path / "file"
    path.write_bytes(content)
    return preview(path, name, **options)._repr_mimebundle_()


def test_what_argo_packed_is_unpacked():
    packed = artifact(tar(data=b"a,b\n1,2\n"))
    assert packed.read_text() == "a,b\n1,2\n"
    assert packed.read_bytes() == b"a,b\n1,2\n"
    assert packed.files == ["data.csv"]
    with packed.open(mode="r") as file:
        assert file.readline() == "a,b\n"
    with packed.open() as file:
        assert file.read(3) == b"a,b"


def test_what_was_not_packed_stays_as_it_is():
    inside = tar(data=b"mine")
    assert artifact(inside, "/tmp/my.tgz", archive={"none": {}}).read_bytes() == inside
    assert artifact(b"plain").read_text() == "plain"


def test_a_zip_is_unpacked():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("data.json", '{"a": 1}')
    assert artifact(buffer.getvalue(), "/tmp/data.json", archive={"zip": {}}).json() == {"a": 1}


def test_a_folder_has_files():
    folder = artifact(tar(out_one=b"1", out_two=b"2"), "/tmp/out")
    assert folder.files == ["one", "two"]
    assert folder.read_text("two") == "2"
    with pytest.raises(NoSuchArtifactError) as caught:
        folder.read_text()
    assert str(caught.value) == "artifact data is a folder\n  fix: name a file of it: there are one, two"
    with pytest.raises(NoSuchArtifactError, match="did you mean 'two'"):
        folder.read_text("tow")


def test_a_name_that_leads_out_of_the_archive_is_refused():
    with pytest.raises(NbflowError, match="illegal file path"):
        artifact(_escaping(), "/tmp/x").read_bytes()


def _escaping() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        packed.addfile(tarfile.TarInfo("../../evil"))
    return buffer.getvalue()


def test_it_is_fetched_once_and_the_copy_goes_with_the_object():
    fetched = []

    def fetch(target):
        fetched.append(target)
        target.write_bytes(b"x")

    one = Artifact({"name": "a", "path": "/a"}, fetch)
    assert (one.read_bytes(), one.read_text(), len(fetched)) == (b"x", "x", 1)
    place = one.local
    assert place.is_file()
    del one
    assert not place.exists()


def test_wrong_use_is_one_clear_message(tmp_path):
    with pytest.raises(NbflowError, match="is no text in utf-8"):
        artifact(b"\xff\xfe\x00").read_text()
    with pytest.raises(NbflowError, match="is no JSON"):
        artifact(b"{", "/tmp/a.json").json()
    with pytest.raises(NbflowError, match="read only"):
        artifact(b"x").open(mode="w")
    with pytest.raises(NbflowError, match="cannot be saved"):
        artifact(b"x").save(tmp_path / "no" / "such" / "folder")
    with pytest.raises(NoSuchArtifactError, match="did you mean 'model'"):
        Artifacts({"model": artifact(b"")}, "node 'train'")["modell"]


def test_save(tmp_path):
    assert artifact(b"x").save(tmp_path) == tmp_path / "data.csv"
    assert (tmp_path / "data.csv").read_bytes() == b"x"
    folder = artifact(tar(out_one=b"1", out_two=b"2"), "/tmp/out").save(tmp_path / "copy")
    assert sorted(path.name for path in folder.iterdir()) == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"x,y\n1,2\n3,4\n"),
        ("a.tsv", b"x\ty\n1\t2\n3\t4\n"),
        ("a.json", b'[{"x": 1, "y": 2}, {"x": 3, "y": 4}]'),
        ("a.jsonl", b'{"x": 1, "y": 2}\n{"x": 3, "y": 4}\n'),
    ],
)
def test_a_table_is_a_frame(name, content):
    frame = artifact(content, f"/tmp/{name}").to_frame()
    assert frame.to_dict("list") == {"x": [1, 3], "y": [2, 4]}


def test_parquet_is_a_frame_by_its_content():
    pandas = pytest.importorskip("pandas")
    buffer = io.BytesIO()
    pandas.DataFrame({"x": [1, 3]}).to_parquet(buffer)
    assert artifact(buffer.getvalue(), "/tmp/no-ending").to_frame().to_dict("list") == {"x": [1, 3]}


def test_options_go_to_pandas():
    assert list(artifact(b"1;2\n").to_frame(sep=";", header=None).iloc[0]) == [1, 2]


def test_what_is_no_table_says_so():
    with pytest.raises(NbflowError, match="does not tell by its name what kind of table it is"):
        artifact(b"x", "/tmp/model.bin").to_frame()
    with pytest.raises(NbflowError, match="cannot be read as a table"):
        artifact(b"{", "/tmp/a.json").to_frame()


@pytest.mark.parametrize("missing", ["pandas", "pyarrow"])
def test_a_missing_library_says_what_to_install(missing, monkeypatch, tmp_path):
    pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.partition(".")[0] == missing:
            raise ImportError(f"No module named {name!r}")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setattr("nbflow.notebook.frames.import_module", without)
    if missing == "pandas":
        with pytest.raises(NbflowError) as caught:
            artifact(b"x\n1\n").to_frame()
        assert (
            str(caught.value)
            == "a DataFrame needs pandas: No module named 'pandas'\n  fix: pip install pandas"
        )
    else:
        assert "pip install pyarrow" in shown(b"PAR1....PAR1", "a.parquet", tmp_path)["text/plain"]


def test_an_image_comes_as_data(tmp_path):
    found = shown(PNG, "plot.png", tmp_path)
    assert found["text/plain"] == "plot.png: image/png, 70 B"
    assert f"data:image/png;base64,{base64.b64encode(PNG).decode()}" in found["text/html"]
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    found = shown(drawing, "a.svg", tmp_path)
    assert set(found) == {"text/plain", "text/html"}
    assert "<script" not in found["text/html"]
    assert found["text/html"].startswith("<img ")


def test_a_page_is_in_a_frame_without_rights(tmp_path):
    found = shown(b'<script>parent.x=1</script><img src="http://example.com/a">', "a.html", tmp_path)[
        "text/html"
    ]
    assert found.startswith('<iframe sandbox="" ')
    assert "default-src &apos;none&apos;" in found.replace("'", "&apos;")
    assert found.count("<") == 2  # the frame, and nothing of the page outside of its attribute
    assert 'sandbox="allow-scripts"' in shown(b"<p>", "a.html", tmp_path, scripts=True)["text/html"]


def test_an_empty_file_says_so(tmp_path):
    assert shown(b"", "a.csv", tmp_path) == {"text/plain": "a.csv is empty"}


def test_a_table_shows_its_first_rows(tmp_path):
    rows = "".join(f"{n},{EVIL if n == 1 else 'x'}\n" for n in range(100))
    found = shown(f"n,text\n{rows}".encode(), "a.csv", tmp_path)
    assert found["text/plain"].splitlines()[-1] == "[100 rows × 2 columns]"
    assert len(found["text/plain"].splitlines()) == ROWS + 2
    assert "<script" not in found["text/html"]
    assert "\x1b" not in found["text/plain"]
    wide = shown((",".join(f"c{n}" for n in range(500)) + "\n").encode(), "a.csv", tmp_path)
    assert wide["text/plain"].splitlines()[-1] == "[0 rows × 500 columns]"
    assert f"c{COLUMNS}" not in wide["text/plain"]


def test_parquet_shows_its_first_rows(tmp_path):
    pandas = pytest.importorskip("pandas")
    buffer = io.BytesIO()
    pandas.DataFrame({"x": range(1000), "text": EVIL}).to_parquet(buffer)
    found = shown(buffer.getvalue(), "a.parquet", tmp_path)
    assert found["text/plain"].splitlines()[-1] == "[1000 rows × 2 columns]"
    assert len(found["text/plain"].splitlines()) == ROWS + 2
    assert "<script" not in found["text/html"]


def test_json_is_laid_out_and_text_is_cut(tmp_path):
    assert (
        shown(json.dumps({"a": [1]}).encode(), "a.json", tmp_path)["text/plain"]
        == '{\n  "a": [\n    1\n  ]\n}'
    )
    assert shown(b"{not json", "a.json", tmp_path)["text/plain"] == "{not json"
    found = shown(b"x" * (TEXT * 3), "long.log", tmp_path)
    assert found["text/plain"].splitlines()[1] == "… long.log goes on: 58.6 KiB in all"
    assert len(found["text/plain"]) < TEXT + 100
    assert shown(EVIL.encode(), "a.txt", tmp_path)["text/html"].count("<") == 2
    many = shown(b"line\n" * 10_000, "many.txt", tmp_path)
    assert len(many["text/plain"].splitlines()) < 300


def test_bytes_are_told_of_and_what_is_too_large_is_left_out(tmp_path):
    found = shown(bytes(range(256)), "a.bin", tmp_path)
    assert found == {"text/plain": "a.bin: 256 B of no kind that can be shown; read_bytes(), save(PATH)"}
    assert "too large" in shown(b"<p>" + b"x" * PAGE, "a.html", tmp_path)["text/plain"]


def test_a_folder_lists_its_files(tmp_path):
    (tmp_path / "d" / "sub").mkdir(parents=True)
    (tmp_path / "d" / "sub" / "a<b>.txt").write_text("xx")
    found = preview(tmp_path / "d", "d")._repr_mimebundle_()
    assert found["text/plain"] == "d/\nsub/a<b>.txt  2 B"
    assert "a&lt;b&gt;.txt" in found["text/html"]


def test_hostile_names_are_text_everywhere():
    one = Artifact(
        {"name": EVIL, "path": f"/tmp/{EVIL}", "s3": {"key": EVIL}}, lambda target: target.write_text("x")
    )
    all_of_them = Artifacts({EVIL: one}, f"node {EVIL}")
    for text in (repr(one), repr(all_of_them)):
        assert "\x1b" not in text
    for markup in (all_of_them._repr_html_(), Artifacts({}, EVIL)._repr_html_()):
        assert "<script" not in markup
        assert "<img" not in markup


def test_an_artifact_that_cannot_be_had_says_why():
    def fetch(target):
        raise NbflowError("artifact data is stored in gcs, which is not reached")

    found = Artifact({"name": "data", "path": "/tmp/x"}, fetch)._repr_mimebundle_()
    assert found == {
        "text/plain": "<artifact data (/tmp/x)>\nartifact data is stored in gcs, which is not reached"
    }
