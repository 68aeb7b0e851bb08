"""Which kind of file system a folder is on: SQLite's WAL is unsafe on a shared one."""

from __future__ import annotations

import os
from pathlib import Path

_NETWORK = frozenset(
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "afs",
        "ceph",
        "glusterfs",
        "lustre",
        "gpfs",
        "beegfs",
        "ocfs2",
        "gfs2",
        "orangefs",
        "pvfs2",
        "davfs",
        "virtiofs",
        "fuse.sshfs",
        "fuse.s3fs",
        "fuse.gcsfuse",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.blobfuse",
        "fuse.goofys",
        "fuse.ceph",
        "fuse.juicefs",
        "fuse.mfs",
        "fuse.quobyte",
    ]
)


def is_network(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> bool:
    """Whether other machines may write to the folder too. False where the system does not tell."""
    return file_system(folder, mounts) in _NETWORK


def file_system(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """The type of the file system that holds the folder, "" if unknown."""
    try:
        status = folder.stat()
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    device = f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}"
    by_device = {fields[2]: kind for fields, kind in map(_mount, lines)}
    return by_device.get(device) or _by_path(folder, lines)


def _mount(line: str) -> tuple[list[str], str]:
    """The fields before " - " and the type after it (proc(5))."""
    before, _, after = line.partition(" - ")
    return before.split(), after.partition(" ")[0]


def _by_path(folder: Path, lines: list[str]) -> str:
    """By the longest mount point: subvolumes have device numbers of their own."""
    path = os.path.realpath(folder)
    found = [
        (len(point), kind)
        for fields, kind in map(_mount, lines)
        if (point := fields[4].rstrip("/") or "") == "" or path == point or path.startswith(point + "/")
    ]
    return max(found)[1] if found else ""
