"""Which folders make up a Python environment, read from its files: no interpreter is started for it."""

from __future__ import annotations

import json
import os
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_HOPS = 16


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python and what it needs to see.

    executable: the path users know it by. folder: where it lies; goes first on PATH. folders: what must be
    visible, outermost alone. links: symlinks on the way to it, path -> target. named_python: `python` and `python3` in
    `folder` are this very interpreter. user_base: where `pip install --user` put packages, "" if that does not count.
    sites: its site-packages folders.
    """

    executable: str
    folder: str
    folders: tuple[str, ...]
    links: tuple[tuple[str, str], ...] = ()
    named_python: bool = True
    user_base: str = ""
    sites: tuple[str, ...] = ()

    def stamp(self) -> tuple[int, ...]:
        """Changes when a package is installed, which may lie in a folder of its own."""
        return tuple(os.stat(site).st_mtime_ns for site in self.sites if os.path.isdir(site))


def interpreter(executable: str) -> Interpreter | None:
    """The environment of a Python, None if there is none at that path."""
    if not os.access(executable, os.X_OK):
        return None
    folder = os.path.dirname(executable)
    prefixes, links = _prefixes(executable)
    config = _venv_config(os.path.dirname(folder))
    user_base = ""
    if config is None:
        user_base = os.path.expanduser("~/.local")
        user_base = user_base if _site_packages(user_base) else ""
    sites = [site for prefix in prefixes for site in _site_packages(prefix)]
    user_sites = _site_packages(user_base) if user_base else []
    elsewhere = [path for site in [*sites, *user_sites] for path in _added_by(site)]
    wanted = [*prefixes, *user_sites, *elsewhere]
    visible = [path for path in wanted if not _too_much(path)]
    visible += [real for path in visible if (real := os.path.realpath(path)) != path and not _too_much(real)]
    named = all(_same(os.path.join(folder, name), executable) for name in ("python", "python3"))
    return Interpreter(
        executable, folder, _outermost(visible), tuple(links), named, user_base, sites=(*sites, *user_sites)
    )


def _prefixes(executable: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Prefixes of the environment and of what it was made from, and the links between that lie in none of them."""
    prefixes: list[str] = []
    links: list[tuple[str, str]] = []
    todo = [executable]
    for _ in range(_HOPS):
        if not todo:
            break
        path = todo.pop()
        prefix = os.path.dirname(os.path.dirname(path))
        config = _venv_config(prefix)
        is_link = os.path.islink(path)
        if config is not None or _has_library(prefix):
            if prefix not in prefixes:
                prefixes.append(prefix)
        elif is_link:
            links.append((path, os.readlink(path)))
        if config:
            name = os.path.basename(os.path.realpath(path))
            base = next((p for n in (name, "python3") if os.path.exists(p := os.path.join(config, n))), "")
            todo += [base] if base else []
        if is_link:
            todo.append(os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path))))
    return prefixes, links


def _venv_config(prefix: str) -> str | None:
    """The folder of the interpreter that a virtual environment was made from; None if it is no such environment."""
    try:
        lines = Path(prefix, "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    pairs = (line.partition("=") for line in lines)
    return next((value.strip() for key, _, value in pairs if key.strip().lower() == "home"), "")


def _has_library(prefix: str) -> bool:
    return any(_libraries(prefix))


def _libraries(prefix: str) -> Iterator[str]:
    for lib in ("lib", "lib64"):
        try:
            names = os.listdir(os.path.join(prefix, lib))
        except OSError:
            continue
        yield from (
            os.path.join(prefix, lib, name) for name in names if name.startswith(("python3", "pypy3"))
        )


def _site_packages(prefix: str) -> list[str]:
    found = (os.path.join(library, "site-packages") for library in _libraries(prefix))
    return [path for path in found if os.path.isdir(path)]


def _added_by(site: str) -> Iterator[str]:
    """Folders outside that a site-packages makes importable: .pth files, editable installs."""
    for name in os.listdir(site):
        path = Path(site, name)
        if name.endswith(".pth"):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            added = (os.path.normpath(os.path.join(site, line.strip())) for line in lines if _is_folder(line))
            yield from (folder for folder in added if os.path.isdir(folder))
        elif name.endswith(".dist-info") and (path / "direct_url.json").is_file():
            yield from _editable(path / "direct_url.json")


def _is_folder(line: str) -> bool:
    return bool(line.strip()) and not line.startswith(("#", "import ", "import\t"))


def _editable(path: Path) -> Iterator[str]:
    try:
        origin = json.loads(path.read_text(encoding="utf-8"))
        url = urllib.parse.urlsplit(origin["url"])
        if url.scheme == "file" and origin.get("dir_info", {}).get("editable"):
            yield urllib.parse.unquote(url.path)
    except (ValueError, KeyError, OSError, AttributeError):
        return


def _too_much(path: str) -> bool:
    """A home folder, or what holds one, is never shown for the sake of a package."""
    home = os.path.expanduser("~")
    return path == "/" or not os.path.isdir(path) or home == path or home.startswith(path.rstrip("/") + "/")


def _outermost(paths: list[str]) -> tuple[str, ...]:
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not kept or not path.startswith(kept[-1] + "/"):
            kept.append(path)
    return tuple(kept)


def _same(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False
