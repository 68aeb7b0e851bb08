"""How bubblewrap is called: its flags, whether it works here, and the processes it starts."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping

from nbflow.runtimes.machine import STANDARD_PATH, Machine, hidden_paths
from nbflow.runtimes.runtime import PodRejected, RuntimeUnavailable
from nbflow.runtimes.security import Security

_CAPABILITIES = (  # what a container has by default, less what makes devices or raw packets
    "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "SETFCAP", "NET_BIND_SERVICE",
    "SYS_CHROOT",
)  # fmt: skip
_FIX = "allow user namespaces (sysctl kernel.unprivileged_userns_clone, an AppArmor profile for bwrap)"


def namespaces(user_namespace: int, security: Security = Security()) -> list[str]:
    """Flags for a pod's namespaces and rights; the descriptor of a user namespace to enter, -1 for a new one."""
    # To wait on the descriptor has bubblewrap close it before the pod's program could see it.
    entered = ["--userns", str(user_namespace), "--block-fd", str(user_namespace)]
    user = ["--unshare-user"] if user_namespace < 0 else entered
    flags = [*user, "--unshare-pid", "--unshare-uts", "--new-session", "--die-with-parent", "--clearenv"]
    if os.geteuid() == 0:
        flags += ["--cap-drop", "ALL"]
        flags += [word for name in _kept(security) for word in ("--cap-add", f"CAP_{name}")]
    elif security.user is not None and user_namespace < 0:
        flags += ["--uid", str(security.user), "--gid", str(security.group or 0)]
    return flags


def _kept(security: Security) -> list[str]:
    """Capabilities: no more than a container has by default, less what the manifest drops."""
    everything = "ALL" in security.dropped
    kept = [name for name in _CAPABILITIES if not everything and name not in security.dropped]
    kept += [name for name in _CAPABILITIES if name not in kept and security.added & {name, "ALL"}]
    if security.user:  # to become that user takes both; they are gone afterwards
        kept += [name for name in ("SETUID", "SETGID") if name not in kept]
    return kept


def switch_user(security: Security) -> list[str]:
    """What goes before the program to become another user. Raises PodRejected if nothing here can."""
    if security.user is None or os.geteuid() != 0:
        return []
    program = shutil.which("setpriv", path=STANDARD_PATH)
    if program is None:
        raise PodRejected(
            f"nothing here can run a pod as user {security.user}", fix="apt-get install util-linux"
        )
    ids = [f"--reuid={security.user}", f"--regid={security.group or 0}", "--clear-groups"]
    return [program, *ids, "--"]


def view(machine: Machine, mounts: Mapping[str, str], sh: str) -> list[str]:
    """Flags for what a pod sees. mounts: path -> source, read-only. sh: the path of /bin/sh after all links."""
    flags: list[str] = []
    for path, source in mounts.items():
        flags += ["--ro-bind", source, path]
    if machine.shadowed:
        flags += ["--ro-bind", machine.shadowed[1], sh]
    for path in hidden_paths(machine.hidden, mounts):
        flags += ["--tmpfs", path]
    flags += ["--proc", "/proc"]
    if os.geteuid() == 0:  # root may write to /proc/sys whatever its namespace
        flags += ["--ro-bind", "/proc/sys", "/proc/sys"]
    flags += ["--dev", "/dev"]
    for device in machine.devices:
        flags += ["--dev-bind-try", device, device]
    return [*flags, "--ro-bind-try", "/sys", "/sys"] if machine.devices else flags


def user_namespace() -> int:
    """Root's pods share one user namespace with all ids in it, so that `chown` and `tar` work as in a container.

    A descriptor of it; -1 if it is not to be had: each pod then gets one with our own id alone.
    """
    if os.geteuid() != 0:
        return -1
    with contextlib.suppress(OSError, ValueError), _holder() as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        for kind in ("uid_map", "gid_map"):
            with open(f"/proc/self/{kind}", encoding="ascii") as own:
                lines = [f"{first} {first} {count}\n" for first, _, count in map(str.split, own)]
            with open(f"/proc/{holder.pid}/{kind}", "w", encoding="ascii") as theirs:
                theirs.write("".join(lines))
        return os.open(f"/proc/{holder.pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    return -1


@contextlib.contextmanager
def _holder() -> Iterator[subprocess.Popen[str]]:
    """A process in a new user namespace, which has written a line; it ends with the block."""
    argv = ["unshare", "--user", "sh", "-c", "echo; read -r _"]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as holder:
        yield holder


def probe(bwrap: str, namespace: int) -> None:
    """Raises RuntimeUnavailable, with the reason, if pods cannot be sandboxed here."""
    flags = [*namespaces(namespace), "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    fds = (namespace,) if namespace >= 0 else ()
    try:
        done = subprocess.run(
            [bwrap, *flags, "true"], capture_output=True, text=True, check=False, pass_fds=fds, timeout=20
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise RuntimeUnavailable(f"bubblewrap does not run: {error}", fix=_FIX) from error
    if done.returncode:
        said = done.stderr.strip().partition(" See <")[0]  # where its own manual is
        raise RuntimeUnavailable(f"namespaces are forbidden here ({said[:200]})", fix=_FIX)


def children(pid: int) -> list[int]:
    """The child processes of a process, oldest first."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except ProcessLookupError:
        return []
    except FileNotFoundError:
        return _scan(pid) if os.path.exists(f"/proc/{pid}") else []


def _scan(pid: int) -> list[int]:
    """The same where the kernel keeps no list."""
    found = []
    for name in os.listdir("/proc"):
        with (
            contextlib.suppress(OSError),
            open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file,
        ):
            if name.isdigit() and int(file.read().rpartition(")")[2].split()[1]) == pid:
                found.append(int(name))
    return sorted(found)
