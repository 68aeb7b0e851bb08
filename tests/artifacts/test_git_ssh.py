"""Git artifacts over ssh: a real server on loopback, a key in a Secret."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbflow.artifacts import driver_for
from nbflow.errors import NbflowError
from tests.artifacts.servers import repository

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
pytestmark = [
    pytest.mark.skipif(not shutil.which("git"), reason="git is not installed"),
    pytest.mark.skipif(not (SSHD and shutil.which("ssh-keygen")), reason="openssh-server is not installed"),
]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a folder of repositories; `app.git` is in it. `key` in tmp_path lets in."""
    repository(tmp_path / "served", "app")
    for name in ("key", "other", "host"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    port = free_port()
    settings = {
        "ListenAddress": f"127.0.0.1:{port}", "HostKey": tmp_path / "host", "PidFile": "none", "UsePAM": "no",
        "AuthorizedKeysFile": tmp_path / "key.pub", "StrictModes": "no", "PermitRootLogin": "yes",
    }  # fmt: skip
    (tmp_path / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    log = (tmp_path / "log").open("w")
    sshd = subprocess.Popen([str(SSHD), "-D", "-e", "-f", tmp_path / "config"], stderr=log)
    end = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert sshd.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < end
            time.sleep(0.05)
    yield f"ssh://{getpass.getuser()}@127.0.0.1:{port}{tmp_path}/served"
    sshd.terminate()
    sshd.wait()
    log.close()


def load(tmp_path: Path, repo: str, key: str, **settings: object) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir(exist_ok=True)
    secrets = {"ssh": {"key": (tmp_path / key).read_bytes()}}
    own = {"repo": repo, "sshPrivateKeySecret": {"name": "ssh", "key": "key"}, **settings}
    artifact = {"name": "code", "path": "/src", "git": own}
    try:
        return driver_for(artifact, folder, secrets.get).load(artifact, folder / "src")
    finally:
        assert {path.name for path in folder.iterdir()} <= {"src"}


def test_a_key_of_a_secret_opens_the_repository(server: str, tmp_path: Path) -> None:
    place = load(tmp_path, f"{server}/app.git", "key", insecureIgnoreHostKey=True, depth=1)
    assert (place / "README").read_text() == "hello\n"


def test_an_unknown_host_and_a_wrong_key_are_refused(server: str, tmp_path: Path) -> None:
    with pytest.raises(NbflowError) as unknown:
        load(tmp_path, f"{server}/app.git", "key")
    assert unknown.value.fix == (
        "add the host to ~/.ssh/known_hosts (ssh-keyscan HOST), or set insecureIgnoreHostKey"
    )
    with pytest.raises(NbflowError, match="Permission denied") as wrong:
        load(tmp_path, f"{server}/app.git", "other", insecureIgnoreHostKey=True)
    assert wrong.value.fix == "check usernameSecret and passwordSecret, or sshPrivateKeySecret"
    assert "PRIVATE KEY" not in str(wrong.value)
