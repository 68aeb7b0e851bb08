"""Where a home keeps what: the one place that knows the paths under NBFLOW_HOME."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from nbflow.errors import NbflowError


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that holds all state: readable by its owner alone.

    root: absolute. Nothing is created by looking at it; `store.open_store` does that.
    """

    root: Path

    @classmethod
    def default(cls) -> Home:
        """NBFLOW_HOME, or the platform's data folder."""
        named = os.environ.get("NBFLOW_HOME")
        if named:
            return cls(Path(named).expanduser().absolute())
        from platformdirs import user_data_path

        return cls(user_data_path("nbflow", appauthor=False))

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.root / "nbflow.sqlite"

    @property
    def controller_lock(self) -> Path:
        """Locked by the running controller; holds its pid and version."""
        return self.root / "controller.lock"

    @property
    def controller_bell(self) -> Path:
        """A named pipe that wakes the running controller; SQLite stays the truth."""
        return self.root / "controller.bell"

    @property
    def controller_log(self) -> Path:
        """What the controller has to say; no secrets."""
        return self.root / "controller.log"

    def workflow(self, uid: str) -> Path:
        """All files of one workflow. Raises NbflowError if a name here or below is no single step."""
        return self.root / "workflows" / component(uid)

    def pod(self, uid: str, pod: str) -> Path:
        """All files of one pod: its root, its logs, its exit code."""
        return _pod(self, uid, pod)

    def log(self, uid: str, pod: str, container: str) -> Path:
        """Stdout and stderr of a container, in the order written."""
        return self.pod(uid, pod) / f"{component(container)}.log"

    def log_marks(self, uid: str, pod: str, container: str) -> Path:
        """When the log had which size, a line each: "seconds-since-the-epoch size"."""
        return self.pod(uid, pod) / f"{component(container)}.log.marks"

    def peers(self, uid: str) -> Path:
        """What the daemons of a workflow offer to its other pods (supervisor/peers.py)."""
        return self.workflow(uid) / ".peers"

    def claims(self, uid: str) -> Path:
        """The claims that were made for one workflow: they go with it."""
        return self.workflow(uid) / ".claims"

    def claim(self, name: str) -> Path:
        """The files of a claim that outlives workflows."""
        return self.root / "volumes" / name

    @property
    def settings(self) -> Path:
        """What the user set: TOML, may be absent."""
        return self.root / "settings.toml"

    @property
    def artifacts(self) -> Path:
        """The local artifact repository: keys are paths below it."""
        return self.root / "artifacts"


@lru_cache(maxsize=1024)
def _pod(home: Home, uid: str, pod: str) -> Path:
    """Asked for many times in the life of a pod, and paths are dear to make."""
    return home.workflow(uid) / component(pod)


def component(name: str) -> str:
    """The name, if it is one step of a path: whatever else was stored, nothing leaves its folder.

    Raises NbflowError if it is none.
    """
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise NbflowError(
            f"{name!r} cannot be the name of a file", fix="give it a name that Kubernetes takes"
        )
    return name
