from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.artifacts import LocalRepository, driver_for, place_of
from nbflow.artifacts.driver import ArtifactNotFound
from nbflow.errors import NbflowError


def keyed(key: str) -> dict[str, object]:
    return {"name": "a", "s3": {"key": key}}


@pytest.fixture
def repository(tmp_path: Path) -> LocalRepository:
    return LocalRepository(tmp_path / "repository")


def test_what_is_saved_can_be_loaded(repository: LocalRepository, tmp_path: Path) -> None:
    source = tmp_path / "file"
    source.write_text("one")
    repository.save(source, keyed("wf/pod/file"), take=False)
    assert source.exists()
    found = repository.load(keyed("wf/pod/file"), tmp_path / "scratch")
    assert found.read_text() == "one"
    source.write_text("two")
    repository.save(source, keyed("wf/pod/file"), take=True)
    assert not source.exists()
    assert found.read_text() == "two"
    assert repository.list(keyed("wf/pod")) == ["wf/pod/file"]
    assert repository.list(keyed("")) == ["wf/pod/file"]
    assert repository.list(keyed("wf/pod/file")) == []
    with pytest.raises(ArtifactNotFound, match="no key found of name wf/other"):
        repository.list(keyed("wf/other"))


def test_folders_replace_folders_and_files(repository: LocalRepository, tmp_path: Path) -> None:
    for number in range(3):
        source = tmp_path / f"source{number}"
        source.mkdir()
        (source / f"file{number}").touch()
        (source / "link").symlink_to("/etc/passwd")
        repository.save(source, keyed("k"), take=number == 1)
        assert repository.list(keyed("k"))[:1] == [f"k/file{number}"]
        assert (repository.place(keyed("k")) / "link").readlink() == Path("/etc/passwd")
    source = tmp_path / "file"
    source.touch()
    repository.save(source, keyed("k"), take=False)
    assert repository.list(keyed("")) == ["k"]
    assert [path.name for path in (tmp_path / "repository").iterdir()] == ["k"]


def test_a_failed_save_leaves_the_old(repository: LocalRepository, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    repository.save(tmp_path / "file", keyed("k"), take=False)
    with pytest.raises(FileNotFoundError):
        repository.save(tmp_path / "gone", keyed("k"), take=False)
    assert repository.load(keyed("k"), tmp_path / "scratch").read_text() == "old"
    assert [path.name for path in (tmp_path / "repository").iterdir()] == ["k"]


def test_deleting_removes_empty_folders_too(repository: LocalRepository, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for key in ("wf/a/x", "wf/b/y"):
        repository.save(tmp_path / "file", keyed(key), take=False)
    repository.delete(keyed("wf/a/x"))
    repository.delete(keyed("wf/a/x"))
    assert [path.name for path in (tmp_path / "repository/wf").iterdir()] == ["b"]
    with pytest.raises(ArtifactNotFound, match="no key wf/a/x"):
        repository.load(keyed("wf/a/x"), tmp_path / "scratch")


@pytest.mark.parametrize("key", ["", "/", ".", "..", "../x", "a/../../x", "a/..", "a\0b"])
def test_keys_that_are_no_paths(repository: LocalRepository, tmp_path: Path, key: str) -> None:
    (tmp_path / "file").touch()
    for call in (
        lambda: repository.save(tmp_path / "file", keyed(key), take=False),
        lambda: repository.load(keyed(key), tmp_path / "scratch"),
        lambda: repository.delete(keyed(key)),
    ):
        with pytest.raises(NbflowError, match="which is no path"):
            call()
    assert [path.name for path in (tmp_path).iterdir()] == ["file"]


def test_raw_artifacts_are_what_they_say(tmp_path: Path) -> None:
    raw = {"name": "a", "raw": {"data": "héllo\n"}}
    driver = driver_for(raw, tmp_path)
    assert driver.load(raw, tmp_path / "scratch").read_text() == "héllo\n"
    with pytest.raises(NbflowError, match="which is for inputs only"):
        driver.save(tmp_path / "scratch", raw, take=False)


def test_places(tmp_path: Path) -> None:
    assert place_of({"name": "a"}) == ""
    assert place_of({"name": "a", "git": {"repo": "x"}}) == "git"
    half = {"name": "a", "s3": {"key": "k", "bucket": "b"}}
    assert isinstance(driver_for(half, tmp_path), LocalRepository)  # no endpoint, so no whole location
    with pytest.raises(NbflowError, match="artifact a names the place hdfs, which local runs do not reach"):
        driver_for({"name": "a", "hdfs": {"path": "x"}}, tmp_path)
