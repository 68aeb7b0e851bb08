"""Doctor: whether workflows can run on this machine, and what to do if not."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from nbflow.errors import NbflowError
from nbflow.store.home import Home


class Verdict(StrEnum):
    """ok; warn: it works, but less well; fail: it does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. fix: what to do, "" if all is well."""

    name: str
    verdict: Verdict
    text: str
    fix: str = ""


def doctor(home: Home | None = None) -> list[Check]:
    """Look at everything. Changes nothing but a trial file in the home, which it removes again."""
    place = home or Home.default()
    return [check for look in _LOOKS for check in _guarded(look, place)]


def _guarded(look: Callable[[Home], Iterator[Check]], home: Home) -> list[Check]:
    """A check that breaks is a finding, too."""
    try:
        return list(look(home))
    except Exception as error:  # noqa: BLE001  # the doctor never dies of a disease
        return [Check(look.__name__.strip("_"), Verdict.FAIL, f"{type(error).__name__}: {error}")]


def _python(_: Home) -> Iterator[Check]:
    yield Check(
        "python",
        Verdict.OK,
        f"{platform.python_version()} at {sys.executable}, on {platform.system()} {platform.release()}",
    )


def _drawing(_: Home) -> Iterator[Check]:
    from nbflow.render import available

    found = available()
    if Path(found).name == "dot":
        yield Check("graphs", Verdict.OK, f"drawn by {found}")
    elif found:
        fix = "apt-get install graphviz, for labels in all scripts"
        yield Check("graphs", Verdict.OK, f"drawn by {found} ({fix})")
    else:
        yield Check("graphs", Verdict.WARN, "nothing here draws graphs", "apt-get install graphviz")


def _sandbox(_: Home) -> Iterator[Check]:
    if platform.system() != "Linux":
        fix = "steps run as plain processes (--on host)"
        yield Check("sandbox", Verdict.WARN, f"there are no namespaces on {platform.system()}", fix)
        return
    program = shutil.which("bwrap")
    if program:
        yield Check("bubblewrap", Verdict.OK, f"{_first_line([program, '--version'])} at {program}")
    else:
        yield Check("bubblewrap", Verdict.WARN, "bwrap is not installed", "apt-get install bubblewrap")
    yield _namespaces()
    yield _network()


def _network() -> Check:
    """How pods of their own network, those with sidecars and daemons, reach the world."""
    from nbflow.runtimes.addresses import no_way_out, way_out

    program = way_out()
    if program:
        return Check(
            "network", Verdict.OK, f"pods with sidecars or daemons reach the world through {program}"
        )
    return Check("network", Verdict.WARN, *no_way_out())


def _namespaces() -> Check:
    """Try what the sandbox needs."""
    program = shutil.which("unshare")
    if program is None:
        return Check("namespaces", Verdict.WARN, "unshare is not installed", "apt-get install util-linux")
    tried = subprocess.run(
        [program, "--user", "--map-root-user", "--mount", "--pid", "--fork", "true"],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    if tried.returncode == 0:
        return Check("namespaces", Verdict.OK, "user, mount and pid namespaces are allowed")
    reason = " ".join(tried.stderr.split()) or f"exit code {tried.returncode}"
    return Check("namespaces", Verdict.WARN, f"not allowed: {reason}", _allow_namespaces())


def _allow_namespaces() -> str:
    fallback = "steps run as plain processes until then (--on host)"
    switch = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    if switch.exists() and switch.read_text(encoding="ascii").strip() == "1":
        return f"sysctl kernel.apparmor_restrict_unprivileged_userns=0; {fallback}"
    switch = Path("/proc/sys/kernel/unprivileged_userns_clone")
    if switch.exists() and switch.read_text(encoding="ascii").strip() == "0":
        return f"sysctl kernel.unprivileged_userns_clone=1; {fallback}"
    return f"in a container, allow it to create user namespaces; {fallback}"


def _home(home: Home) -> Iterator[Check]:
    existing = next(path for path in (home.root, *home.root.parents) if path.exists())
    where = f"{home.root} (NBFLOW_HOME)" if os.environ.get("NBFLOW_HOME") else str(home.root)
    try:
        with tempfile.NamedTemporaryFile(dir=existing, prefix=".nbflow-doctor-"):
            pass
    except OSError as error:
        fix = "set NBFLOW_HOME to a folder that you may write to"
        yield Check("home", Verdict.FAIL, f"{where} is not writable: {error.strerror}", fix)
        return
    yield Check("home", Verdict.OK, where)
    yield from _privacy(home)
    yield _file_system(existing)
    yield _space(home, existing)


def _privacy(home: Home) -> Iterator[Check]:
    if home.root.exists() and home.root.stat().st_mode & 0o077:
        yield Check("privacy", Verdict.WARN, f"others may look into {home.root}", f"chmod 700 {home.root}")


def _file_system(existing: Path) -> Check:
    from nbflow.store.filesystem import file_system, is_network

    kind = file_system(existing) or "unknown"
    if is_network(existing):
        fix = "set NBFLOW_HOME to a folder on a disk of this machine: it is quicker, and safe from other machines"
        return Check("file system", Verdict.WARN, f"{kind}: other machines may write to it, too", fix)
    return Check("file system", Verdict.OK, kind)


def _space(home: Home, existing: Path) -> Check:
    used = sum(path.lstat().st_size for path in _files(home.root))
    free = shutil.disk_usage(existing).free
    text = f"{_size(used)} used, {_size(free)} free"
    if free < 256 * 1024**2:
        return Check("space", Verdict.WARN, text, "nbflow delete --completed, or make room on the disk")
    return Check("space", Verdict.OK, text)


def _files(folder: Path) -> Iterator[Path]:
    for directory, _, names in os.walk(folder):
        yield from (path for name in names if (path := Path(directory, name)).is_symlink() or path.is_file())


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def _controller(home: Home) -> Iterator[Check]:
    from nbflow import __version__
    from nbflow.commands.background import describe, status

    running = status(home)
    if running is None:
        yield Check("controller", Verdict.OK, "not running; the next submit starts it")
    elif running.version not in ("", __version__):
        text = f"{describe(running)}; this is nbflow {__version__}"
        yield Check(
            "controller", Verdict.WARN, text, "nbflow controller stop; the next submit starts the new one"
        )
    else:
        yield Check("controller", Verdict.OK, describe(running))


def _store(home: Home) -> Iterator[Check]:
    from nbflow.store.connection import VERSION, examine, is_made

    try:
        if not is_made(home):
            return
        version, faults = examine(home)
    except NbflowError as error:
        yield Check("store", Verdict.FAIL, error.problem, error.fix)
        return
    aside = f"move {home.database} away (its workflows are lost), or use another NBFLOW_HOME"
    if faults:
        yield Check("store", Verdict.FAIL, f"damaged: {'; '.join(faults)}", aside)
    elif version > VERSION:
        yield Check("store", Verdict.FAIL, f"of a newer nbflow (version {version})", "upgrade nbflow")
    elif version < VERSION:
        yield Check("store", Verdict.WARN, f"version {version}, the next verb brings it to {VERSION}")
    else:
        yield Check("store", Verdict.OK, f"version {version}, undamaged")
        yield from _held_up(home)


def _held_up(home: Home) -> Iterator[Check]:
    """Workflows that nobody moves forward."""
    from nbflow.clients.local import LocalClient
    from nbflow.commands.connecting import trouble_of

    if trouble := trouble_of(LocalClient(home=home)):
        yield Check(
            "workflows", Verdict.WARN, trouble, "`nbflow list` starts a controller; make room on the disk"
        )


def _settings(home: Home) -> Iterator[Check]:
    from nbflow.store.settings import read_settings

    try:
        settings = read_settings(home)
    except NbflowError as error:
        yield Check(
            "settings", Verdict.FAIL, f"{error.where}: {error.problem}", error.fix or "mend or remove it"
        )
        return
    yield Check(
        "settings", Verdict.OK, f"target {settings.target}, at most {settings.pod_slots} pods at once"
    )


def _kubernetes(_: Home) -> Iterator[Check]:
    named = os.environ.get("KUBECONFIG")
    paths = (
        [Path(part) for part in named.split(os.pathsep)] if named else [Path("~/.kube/config").expanduser()]
    )
    found = [str(path) for path in paths if path.is_file()]
    if found:
        yield Check("kubernetes", Verdict.OK, f"configured by {', '.join(found)}")
    elif named:
        yield Check(
            "kubernetes", Verdict.WARN, f"KUBECONFIG names no file: {named}", "not needed to run here"
        )
    else:
        yield Check("kubernetes", Verdict.OK, "not configured; not needed to run here")


_LOOKS = (_python, _drawing, _sandbox, _home, _settings, _store, _controller, _kubernetes)


def _first_line(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    return (done.stdout.splitlines() or [Path(command[0]).name])[0]
