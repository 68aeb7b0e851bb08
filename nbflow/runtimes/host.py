"""Pods as plain processes: where namespaces are forbidden, and on macOS.

Nothing shuts such a pod in. The paths that its manifest declares (inputs, outputs, mounts, working folder, script) are
still its own, because they are rewritten to paths in its folder: in command, args, source and env values, and nowhere
else. A path that is not declared is the machine's.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from functools import lru_cache, partial

from nbflow.runtimes.commands import SCRIPT, check_text, find_program
from nbflow.runtimes.folder import PodFolder
from nbflow.runtimes.interpreter import Interpreter, interpreter
from nbflow.runtimes.machine import PROGRAMS, PYTHON_ANNOTATION, STANDARD_PATH, bash_for_sh
from nbflow.runtimes.paths import clean, resolve
from nbflow.runtimes.progress import PROGRESS_FILE
from nbflow.runtimes.roots import Roots
from nbflow.runtimes.runtime import PodRejected
from nbflow.runtimes.spawn import Launch
from nbflow.runtimes.termination import termination_log
from nbflow.runtimes.volumes import declared_paths, mounts_of
from nbflow.spec.pod import Pod
from nbflow.store.home import Home

_BEFORE, _AFTER = r"(?<![\w.\-/])", r"(?![\w\-]|\.\w)"

_SIGNAL_WAIT = 1.0


class Host:
    """An Enclosure, see processes.py, that encloses nothing."""

    name = "host"

    def __init__(self, home: Home, notice: str = "") -> None:
        self.notice = notice
        self._home = home
        self._links = os.fspath(home.root / "programs")
        self._bash = bash_for_sh()
        self._roots = Roots(os.fspath(home.root / "roots"), {"/root": 0o700}, {}, {})

    def prepare(self, pod: Pod, folder: PodFolder) -> Mapping[str, str]:
        mounts = mounts_of(pod, self._home)
        self._roots.take(folder.root)
        for path in (*map(os.path.dirname, _declared(pod)), clean(pod.main.working_dir or "/")):
            if not any(path == mount or path.startswith(f"{mount}/") for mount in mounts):
                os.makedirs(folder.root + path, exist_ok=True)
        for path, source in mounts.items():
            self._link(folder.root, path, source)
        return mounts

    @staticmethod
    def _link(root: str, path: str, source: str) -> None:
        """A volume is a link to its folder; below another volume it would be seen by others."""
        place = root + path
        if os.path.realpath(os.path.dirname(place)) != os.path.realpath(root) + os.path.dirname(path).rstrip(
            "/"
        ):
            raise PodRejected("a volume inside of another one needs the sandbox", fix="use --on sandbox")
        if os.path.isdir(place) and not os.path.islink(place):
            shutil.rmtree(place)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.symlink(source, place)

    def launch(self, pod: Pod, folder: PodFolder, mounts: Mapping[str, str]) -> Launch:  # noqa: ARG002
        declared = tuple(sorted({path for path in _declared(pod) if path != "/"}, key=len, reverse=True))
        main = pod.main
        env = {"PATH": self._search_path(pod), "HOME": f"{folder.root}/root", "LANG": "C.UTF-8"}
        moved = partial(rewrite, declared=declared, root=folder.root)
        env |= {str(item["name"]): moved(str(item.get("value", ""))) for item in main.env}
        argv = [moved(word) for word in (*main.command, *main.args)]
        check_text(*argv, *env, *env.values())
        if main.source is not None:
            script = folder.root + SCRIPT
            with open(script, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(moved(main.source))
        working_dir = folder.root + clean(main.working_dir or "/").rstrip("/")
        if self._bash and argv[0] in {"/bin/sh", "/usr/bin/sh"}:
            argv[0] = "sh"
        argv[0] = find_program(argv[0], env["PATH"], working_dir, lambda path: path)
        return Launch(argv=argv, env=env, working_dir=working_dir, moved=moved)

    def _search_path(self, pod: Pod) -> str:
        """PATH of a pod: its Python and `sh`, the machine's programs, stand-ins."""
        python = _interpreter(pod.annotations.get(PYTHON_ANNOTATION, "") or sys.executable)
        own = os.environ.get("PATH", STANDARD_PATH) if sys.platform == "darwin" else STANDARD_PATH
        first = [python.folder] if python else []
        if python and not python.named_python:
            first = [self._linked({"python": python.executable, "python3": python.executable})]
        if self._bash:
            first.append(self._linked({"sh": self._bash[1]}))
        return ":".join([*first, own, os.fspath(PROGRAMS)])

    def _linked(self, links: Mapping[str, str]) -> str:
        """A folder with these links, made once."""
        name = hashlib.sha256(repr(sorted(links.items())).encode()).hexdigest()[:16]
        folder = os.path.join(self._links, name)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for link, target in links.items():
            with contextlib.suppress(FileExistsError):
                os.symlink(target, os.path.join(folder, link))
        return folder

    def locate(self, folder: PodFolder, path: str, mounts: Mapping[str, str], *, own: bool) -> str:  # noqa: ARG002
        return resolve(path, folder.root, mounts)[0]

    def signal(self, folder: PodFolder, pid: int, signum: int) -> None:
        end = time.monotonic() + _SIGNAL_WAIT
        while (record := folder.read()) is not None and record.main is None:
            if not record.alive or time.monotonic() > end:
                break
            time.sleep(0.002)  # the wrapper is about to start main
        with contextlib.suppress(ProcessLookupError):
            if signum == signal.SIGKILL and record is not None and record.main is not None:
                os.kill(record.main, signum)  # the wrapper tells the exit code, and kills the rest
            else:
                os.killpg(pid, signum)

    def discard(self, folder: PodFolder) -> None:
        self._roots.give_back(folder.root)


def _declared(pod: Pod) -> list[str]:
    said = termination_log(pod)
    return [*declared_paths(pod), PROGRESS_FILE, *([said] if said else [])]


def rewrite(text: str, declared: tuple[str, ...], root: str) -> str:
    """`text` with declared paths, and what is below them, moved into `root`; longest first."""
    if "/" not in text or not declared:
        return text
    return _pattern(declared).sub(lambda found: root + found[0], text)


@lru_cache(maxsize=256)
def _pattern(declared: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(f"{_BEFORE}(?:{'|'.join(map(re.escape, declared))}){_AFTER}")


@lru_cache(maxsize=64)
def _interpreter(executable: str) -> Interpreter | None:
    return interpreter(executable)
