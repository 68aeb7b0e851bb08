"""What of this machine a sandbox shows, read-only: its programs, their settings, one Python environment.

Everything here is found once; a pod adds only its own root, environment and command.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbflow.runtimes.interpreter import Interpreter, interpreter
from nbflow.runtimes.progress import ARGO_FOLDER

STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
OWN = "/run/nbflow"
"""Where a pod finds what is ours: `bin` (python, if its own folder has none) and `programs` (stand-ins)."""

PYTHON_ANNOTATION = "nbflow.dev/python"
"""The annotation of a pod that names its Python."""

PROGRAMS = Path(__file__).parent / "programs"

_SYSTEM = ("usr", "etc", "opt", "nix", "gnu", "snap", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
_FOLDERS = {
    "tmp": 0o1777,
    "root": 0o700,
    "run": 0o755,
    "var": 0o755,
    "var/tmp": 0o1777,
    ARGO_FOLDER.lstrip("/"): 0o777,
    "mnt": 0o755,
    "home": 0o755,
}
_GPU = ("/dev/nvidiactl", "/dev/kfd", "/dev/dri")


@dataclass(frozen=True, slots=True)
class Machine:
    """mounts: path in the pod -> source, read-only, in the order to mount. links: symlinks of the root.
    folders: path in the root -> mode, parents first. devices: devices handed through. search_path: PATH.
    hidden: a folder of the machine that pods do not see, even if it lies in one of the mounts.
    shadowed: the path that is bash instead of what it is outside, and bash; None if `sh` is bash anyway.
    """

    mounts: Mapping[str, str]
    links: Mapping[str, str]
    folders: Mapping[str, int]
    search_path: str
    devices: tuple[str, ...] = ()
    hidden: str = ""
    python: Interpreter | None = None
    shadowed: tuple[str, str] | None = None
    env: Mapping[str, str] = field(default_factory=dict)


def machine(python: str, hidden: str) -> Machine:
    """The machine as a pod with this Python sees it ("" for the machine's own).

    hidden: a folder that stays out of sight even if it lies in one that is shown (the home of nbflow).
    """
    mounts = {f"/{name}": f"/{name}" for name in _SYSTEM if _is_system(f"/{name}")}
    links = {f"/{name}": os.readlink(f"/{name}") for name in _SYSTEM if os.path.islink(f"/{name}")}
    own = shutil.which("python3", path=STANDARD_PATH) or ""
    found = interpreter(python) or interpreter(own) or interpreter(sys.executable)
    path = STANDARD_PATH
    env: dict[str, str] = {}
    if found:
        path = _show(found, mounts, links)
        env = {"PYTHONUSERBASE": found.user_base} if found.user_base else {}
    _show_resolver(mounts)
    mounts[f"{OWN}/programs"] = os.fspath(PROGRAMS)
    return Machine(
        mounts=mounts,
        links=links,
        folders=_folders(mounts, links),
        search_path=f"{path}:{OWN}/programs",
        devices=_devices(),
        hidden=hidden,
        python=found,
        shadowed=bash_for_sh(),
        env=env,
    )


def hidden_paths(hidden: str, mounts: Mapping[str, str]) -> list[str]:
    """Where a folder of the machine would be seen through mounts."""
    shown = ((path, source) for path, source in mounts.items() if hidden and _below(hidden, source))
    return [path + hidden[len(source.rstrip("/")) :] for path, source in shown]


def _is_system(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path) and bool(os.listdir(path))


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _show(python: Interpreter, mounts: dict[str, str], links: dict[str, str]) -> str:
    """Add a Python environment; returns PATH."""
    for folder in python.folders:
        if not any(_below(folder, shown) for shown in mounts):
            mounts[folder] = folder
    links |= {path: to for path, to in python.links if not any(_below(path, shown) for shown in mounts)}
    if python.named_python:
        first = python.folder
    else:
        first = f"{OWN}/bin"
        links |= {f"{first}/python": python.executable, f"{first}/python3": python.executable}
    standard = shutil.which("python", path=STANDARD_PATH)
    if python.named_python and standard and os.path.dirname(standard) == first:
        return STANDARD_PATH
    return f"{first}:{STANDARD_PATH}"


def _show_resolver(mounts: dict[str, str]) -> None:
    """Name resolution: /etc/resolv.conf is often a link into /run, which is the pod's own."""
    real = os.path.realpath("/etc/resolv.conf")
    if os.path.isfile(real) and not any(_below(real, shown) for shown in mounts):
        mounts[real] = real


def _folders(mounts: Mapping[str, str], links: Mapping[str, str]) -> dict[str, int]:
    """All folders of a fresh root, parents first: the usual ones and those that mounts and links need."""
    modes = {f"/{name}": mode for name, mode in _FOLDERS.items()}
    needed = ["/proc", "/dev", *(path for path, source in mounts.items() if os.path.isdir(source)), *modes]
    needed += [os.path.dirname(path) for path in (*links, *mounts)]
    for path in needed:
        parts = [part for part in path.split("/") if part]
        for depth in range(1, len(parts) + 1):
            modes.setdefault("/" + "/".join(parts[:depth]), 0o755)
    return dict(sorted(modes.items()))


def _devices() -> tuple[str, ...]:
    if not any(os.path.exists(device) for device in _GPU):
        return ()
    names = (name for name in os.listdir("/dev") if name.startswith("nvidia") or name in {"kfd", "dri"})
    return tuple(f"/dev/{name}" for name in sorted(names))


def bash_for_sh() -> tuple[str, str] | None:
    """Manifests are written for the shells of images, busybox or bash; Debian's dash refuses some of what they hold."""
    bash = shutil.which("bash", path=STANDARD_PATH)
    shell = os.path.realpath("/bin/sh")
    if bash is None or not os.path.exists(shell) or os.path.realpath(bash) == shell:
        return None
    if os.path.basename(shell) != "dash":
        return None
    return shell, os.path.realpath(bash)
