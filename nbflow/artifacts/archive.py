"""Packs and unpacks artifacts as Argo does: tar with gzip, or zip; one file or one folder each.

Unpacking trusts nothing: no name may lead out of its folder, no link may point out of it, nothing is written through
a link, and neither devices nor pipes are made. Memory stays flat, however large the files are.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from nbflow.errors import NbflowError

_CHUNK = 1024 * 1024
_UNREADABLE = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, gzip.BadGzipFile, RuntimeError)


class ArchiveError(NbflowError):
    """An archive is broken, or holds what must not be unpacked."""


def pack_tar(source: Path, target: Path, *, level: int = -1) -> None:
    """Pack a file or a folder under its own name. level: 0 to 9 of gzip, -1 its default."""
    compression = 6 if level < 0 else level
    with (
        target.open("xb") as file,
        gzip.GzipFile("", "wb", compression, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT, dereference=False) as tar,
    ):
        for path, name in _walk(source):
            kind = stat.S_IFMT(path.lstat().st_mode)
            if kind not in {stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK}:
                continue  # sockets, pipes, devices
            member = tar.gettarinfo(path, name)
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mtime = int(member.mtime)  # Go keeps no parts of a second either
            if member.isreg():
                with path.open("rb") as content:
                    tar.addfile(member, content)
            else:
                tar.addfile(member)


def pack_zip(source: Path, target: Path) -> None:
    """Pack a file or the files of a folder."""
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for path, name in _walk(source):
            if path.is_file() and not path.is_symlink():
                archive.write(path, name)


def _walk(source: Path) -> Iterator[tuple[Path, str]]:
    """All that is to be packed, parents first: path, name in the archive."""
    yield source, source.name
    if not source.is_dir() or source.is_symlink():
        return
    for path in sorted(source.rglob("*")):
        yield path, path.relative_to(source.parent).as_posix()


def is_tar(path: Path) -> bool:
    """Whether a file is a tar in a gzip: Argo looks when nothing is said."""
    with contextlib.suppress(*_UNREADABLE, OSError), gzip.open(path) as file:
        return tarfile.TarInfo.frombuf(file.read(512), "utf-8", "surrogateescape") is not None
    return False


def unpack_tar(source: Path, target: Path) -> None:
    """Unpack to `target`, which must not exist: what the archive holds if that is one thing, else a folder of it all.

    Raises ArchiveError.
    """
    with _unpacking(target) as fresh, tarfile.open(source, "r|gz") as tar:
        links: list[tarfile.TarInfo] = []
        for member in tar:
            place = _inside(fresh, member.name)
            if member.issym():
                _check_link(fresh, place, member)
                links.append(member)
            elif member.isdir():
                place.mkdir(parents=True, exist_ok=True)
            elif member.islnk():
                place.parent.mkdir(parents=True, exist_ok=True)
                os.link(_inside(fresh, member.linkname), place, follow_symlinks=False)
            elif member.isreg():
                content = tar.extractfile(member)
                assert content is not None
                _write(content, place, member.mode)
            else:
                raise ArchiveError(f"illegal file type in the archive: {member.name}")
        for link in links:  # last, so that nothing can be written through one
            place = _inside(fresh, link.name)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(link.linkname)


def unpack_zip(source: Path, target: Path) -> None:
    """Unpack to `target`, which must not exist. Raises ArchiveError."""
    with _unpacking(target) as fresh, zipfile.ZipFile(source) as archive:
        for member in archive.infolist():
            place = _inside(fresh, member.filename)
            mode = member.external_attr >> 16
            if member.is_dir():
                place.mkdir(parents=True, exist_ok=True)
            elif mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode):
                raise ArchiveError(f"illegal file type in the archive: {member.filename}")
            else:
                with archive.open(member) as content:
                    _write(content, place, stat.S_IMODE(mode) or 0o644)


@contextlib.contextmanager
def _unpacking(target: Path) -> Iterator[Path]:
    """A folder to unpack into; afterwards its content, or itself, is moved to `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name[:100]}.unpacking")
    fresh.mkdir()
    try:
        yield fresh
        unpacked = list(fresh.iterdir())
        if len(unpacked) == 1:
            unpacked[0].rename(target)
        else:
            fresh.rename(target)
    except (*_UNREADABLE, FileExistsError, NotADirectoryError) as error:
        raise ArchiveError(f"the archive cannot be unpacked: {error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _inside(folder: Path, name: str) -> Path:
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if not parts or ".." in parts or name.startswith("/"):
        if parts or name.startswith("/"):
            raise ArchiveError(f"illegal file path: {name}")
        return folder
    return folder.joinpath(*parts)


def _check_link(folder: Path, place: Path, member: tarfile.TarInfo) -> None:
    reached = os.path.normpath(place.parent / member.linkname)
    if member.linkname.startswith("/") or not (reached + "/").startswith(f"{folder}/"):
        raise ArchiveError(f"illegal symlink target: {member.name} -> {member.linkname}")


def _write(content: IO[bytes], place: Path, mode: int) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("xb") as file:
        shutil.copyfileobj(content, file, _CHUNK)
    place.chmod(stat.S_IMODE(mode) & 0o777 | 0o600)
