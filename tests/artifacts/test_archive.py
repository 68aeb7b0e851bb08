from __future__ import annotations

import io
import os
import socket
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbflow.artifacts.archive import ArchiveError, is_tar, pack_tar, pack_zip, unpack_tar, unpack_zip


def tree(folder: Path) -> dict[str, object]:
    """Everything in a folder: path -> content, link target or None for a folder."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        else:
            found[name] = None if path.is_dir() else (path.read_bytes(), path.stat().st_mode & 0o777)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    (folder / "deep/er").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "deep/er/file").write_bytes(b"\0content")
    (folder / "tool").write_text("#!/bin/sh\n")
    (folder / "tool").chmod(0o755)
    (folder / ".hidden").write_text("")
    (folder / "ünï cöde").write_text("x")
    (folder / ("long" * 40)).write_text("y")
    (folder / "link").symlink_to("deep/er/file")
    os.link(folder / "tool", folder / "deep/same")
    return folder


def test_a_folder_survives_tar(folder: Path, tmp_path: Path) -> None:
    pack_tar(folder, tmp_path / "a.tgz")
    unpack_tar(tmp_path / "a.tgz", tmp_path / "out/there")
    assert tree(tmp_path / "out/there") == tree(folder)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["there"]


def test_packing_is_reproducible_and_names_nobody(folder: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        pack_tar(folder, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with tarfile.open(tmp_path / "a") as tar:
        assert {(m.uid, m.gid, m.uname, m.gname) for m in tar} == {(0, 0, "", "")}


def test_a_file_survives_tar_and_zip(tmp_path: Path) -> None:
    source = tmp_path / "file"
    source.write_bytes(b"x" * 100_000)
    pack_tar(source, tmp_path / "a.tgz")
    pack_tar(source, tmp_path / "0.tgz", level=0)
    pack_zip(source, tmp_path / "a.zip")
    assert (tmp_path / "0.tgz").stat().st_size > 100_000 > (tmp_path / "a.tgz").stat().st_size
    unpack_tar(tmp_path / "a.tgz", tmp_path / "t")
    unpack_zip(tmp_path / "a.zip", tmp_path / "z")
    assert (tmp_path / "t").read_bytes() == (tmp_path / "z").read_bytes() == source.read_bytes()


def test_zip_holds_the_files_of_a_folder(folder: Path, tmp_path: Path) -> None:
    pack_zip(folder, tmp_path / "a.zip")
    unpack_zip(tmp_path / "a.zip", tmp_path / "out")
    files = {name: content for name, content in tree(folder).items() if isinstance(content, tuple)}
    assert {n: c for n, c in tree(tmp_path / "out").items() if c is not None} == files


def test_sockets_and_pipes_are_left_out(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(folder)
    os.mkfifo(folder / "pipe")
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind("socket")
        pack_tar(folder, tmp_path / "a.tgz")
    unpack_tar(tmp_path / "a.tgz", tmp_path / "out")
    assert tree(tmp_path / "out") == before


def test_what_is_a_tarball(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no")
    pack_tar(tmp_path / "file", tmp_path / "a.tgz")
    assert is_tar(tmp_path / "a.tgz")
    import gzip

    (tmp_path / "text.gz").write_bytes(gzip.compress(b"text" * 1000))
    (tmp_path / "empty").touch()
    assert not any(is_tar(tmp_path / name) for name in ("file", "text.gz", "empty"))


def _tar(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member, data in members:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ([_member("../evil")], "illegal file path: ../evil"),
        ([_member("a/../../evil")], "illegal file path: a/../../evil"),
        ([_member("/evil")], "illegal file path: /evil"),
        ([_member("l", tarfile.SYMTYPE, "/etc")], "illegal symlink target: l -> /etc"),
        ([_member("a/l", tarfile.SYMTYPE, "../../x")], "illegal symlink target: a/l -> ../../x"),
        ([_member("l", tarfile.SYMTYPE, "a"), _member("l/evil")], "the archive cannot be unpacked"),
        ([_member("h", tarfile.LNKTYPE, "../evil")], "illegal file path: ../evil"),
        ([_member("d", tarfile.CHRTYPE)], "illegal file type in the archive: d"),
        ([_member("f", tarfile.FIFOTYPE)], "illegal file type in the archive: f"),
        ([_member("twice"), _member("twice")], "the archive cannot be unpacked"),
    ],
)
def test_archives_that_mean_harm(tmp_path: Path, members: list[tarfile.TarInfo], problem: str) -> None:
    archive = _tar(tmp_path / "a.tgz", *((member, b"") for member in members))
    with pytest.raises(ArchiveError) as caught:
        unpack_tar(archive, tmp_path / "in/out")
    assert caught.value.problem.startswith(problem)
    assert list((tmp_path / "in").iterdir()) == []
    assert not (tmp_path / "evil").exists()


def test_zips_that_mean_harm(tmp_path: Path) -> None:
    for number, name in enumerate(("../evil", "/evil")):
        with zipfile.ZipFile(tmp_path / f"{number}.zip", "w") as archive:
            archive.writestr(name, "x")
        with pytest.raises(ArchiveError, match="illegal file path"):
            unpack_zip(tmp_path / f"{number}.zip", tmp_path / "in/out")
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "l.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ArchiveError, match="illegal file type"):
        unpack_zip(tmp_path / "l.zip", tmp_path / "in/out")
    assert list((tmp_path / "in").iterdir()) == []


def test_broken_archives_say_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(os.urandom(50_000))
    pack_tar(tmp_path / "file", tmp_path / "a.tgz")
    (tmp_path / "cut").write_bytes((tmp_path / "a.tgz").read_bytes()[:20_000])
    (tmp_path / "text").write_text("no archive at all")
    for name in ("cut", "text"):
        with pytest.raises(ArchiveError, match="the archive cannot be unpacked"):
            unpack_tar(tmp_path / name, tmp_path / "out")
        with pytest.raises(ArchiveError, match="the archive cannot be unpacked"):
            unpack_zip(tmp_path / name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


_names = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)), min_size=1, max_size=20
).filter(lambda name: name not in {".", ".."} and len(name.encode()) < 200)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(files=st.dictionaries(_names, st.binary(max_size=2000), min_size=1, max_size=5))
def test_any_names_and_contents_survive(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    base = tmp_path_factory.mktemp("any")
    (base / "in").mkdir()
    for name, content in files.items():
        (base / "in" / name).write_bytes(content)
    pack_tar(base / "in", base / "a.tgz")
    unpack_tar(base / "a.tgz", base / "out")
    assert {path.name: path.read_bytes() for path in (base / "out").iterdir()} == files
