from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbflow.artifacts import driver_for
from nbflow.artifacts.driver import ArtifactUnavailable
from nbflow.artifacts.git import GitDriver, _ssh
from nbflow.errors import NbflowError
from tests.artifacts.servers import WebServer, commit, git, repository, web_server

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")

PASSWORD = "s3cr3t-w0rd"
SECRETS = {"login": {"user": b"anna", "password": PASSWORD.encode()}}
LOGIN = {
    "usernameSecret": {"name": "login", "key": "user"},
    "passwordSecret": {"name": "login", "key": "password"},
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WebServer]:
    with web_server() as running:
        running.repositories = tmp_path / "served"
        running.repositories.mkdir()
        yield running


def check_out(folder: Path, repo: str, **settings: object) -> Path:
    folder.mkdir(exist_ok=True)
    artifact = {"name": "code", "path": "/src", "git": {"repo": repo, **settings}}
    place = driver_for(artifact, folder, SECRETS.get).load(artifact, folder / "src")
    assert [path.name for path in folder.iterdir()] == ["src"]
    return place


def history(root: Path) -> tuple[Path, str]:
    """Three commits on master, a branch, a tag; the first commit."""
    work = repository(root, "app", file="1\n")
    first = git(work, "rev-parse", "HEAD")
    git(work, "tag", "-m", "one", "v1")
    commit(work, "second", file="2\n")
    git(work, "checkout", "-q", "-b", "topic")
    commit(work, "topic", file="topic\n")
    git(work, "checkout", "-q", "master")
    commit(work, "third", file="3\n")
    git(work, "push", "-q", "--all")
    git(work, "push", "-q", "--tags")
    return work, first


def test_revisions(server: WebServer, tmp_path: Path) -> None:
    assert server.repositories is not None
    _, first = history(server.repositories)
    url = server.url("/app.git")
    wanted = {"": "3\n", "master": "3\n", "topic": "topic\n", "v1": "1\n", first: "1\n", first[:9]: "1\n"}
    for number, (revision, text) in enumerate(wanted.items()):
        place = check_out(tmp_path / str(number), url, revision=revision)
        assert (place / "file").read_text() == text
        assert git(place, "config", "remote.origin.url") == url
        assert git(place, "for-each-ref", "--format=%(refname)", "refs/heads") == "\n".join(
            ["refs/heads/master"] + (["refs/heads/topic"] if revision else [])
        )
    with pytest.raises(NbflowError, match="has no revision nothing"):
        check_out(tmp_path / "x", url, revision="nothing")


def test_depth_branch_and_fetch(server: WebServer, tmp_path: Path) -> None:
    assert server.repositories is not None
    _, first = history(server.repositories)
    url = server.url("/app.git")
    shallow = check_out(tmp_path / "a", url, depth=1)
    assert git(shallow, "rev-list", "--count", "HEAD") == "1"
    assert (check_out(tmp_path / "b", url, depth=1, revision=first) / "file").read_text() == "1\n"
    single = check_out(tmp_path / "c", url, singleBranch=True, branch="topic")
    assert (single / "file").read_text() == "topic\n"
    assert git(single, "branch", "--remotes") == "origin/topic"
    fetched = check_out(tmp_path / "d", url, fetch=["+refs/heads/topic:refs/pull/1"], revision="refs/pull/1")
    assert (fetched / "file").read_text() == "topic\n"
    with pytest.raises(NbflowError, match="single branch mode without a branch specified"):
        check_out(tmp_path / "e", url, singleBranch=True)


def test_an_empty_repository(server: WebServer, tmp_path: Path) -> None:
    assert server.repositories is not None
    git(server.repositories, "init", "-q", "--bare", "empty.git")
    place = check_out(tmp_path / "a", server.url("/empty.git"), revision="main")
    assert git(place, "symbolic-ref", "HEAD") == "refs/heads/main"


def test_submodules_unless_they_are_not_wanted(server: WebServer, tmp_path: Path) -> None:
    assert server.repositories is not None
    server.want("anna", PASSWORD)
    repository(server.repositories, "lib", code="lib\n")
    work = repository(server.repositories, "app")
    git(work, "submodule", "--quiet", "add", str(server.repositories / "lib.git"), "lib")
    git(work, "config", "-f", ".gitmodules", "submodule.lib.url", "../lib.git")
    commit(work, "with a submodule")
    git(work, "push", "-q", "--all")
    url = server.url("/app.git")
    assert (check_out(tmp_path / "a", url, **LOGIN) / "lib" / "code").read_text() == "lib\n"
    bare = check_out(tmp_path / "b", url, disableSubmodules=True, **LOGIN)
    assert list((bare / "lib").iterdir()) == []


def test_the_password_is_seen_nowhere(server: WebServer, tmp_path: Path) -> None:
    assert server.repositories is not None
    repository(server.repositories, "app")
    server.want("anna", PASSWORD)
    seen: list[bytes] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.001):
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        seen.append((process / name).read_bytes())
                    except OSError:
                        continue

    watcher = threading.Thread(target=look)
    watcher.start()
    place = check_out(tmp_path / "a", server.url("/app.git"), revision="master", **LOGIN)
    by_url = check_out(tmp_path / "b", server.url("/app.git").replace("//", f"//anna:{PASSWORD}@"))
    done.set()
    watcher.join()
    assert any(b"clone" in text for text in seen)
    assert not [text for text in seen if PASSWORD.encode() in text]
    for checkout in (place, by_url):
        files = [path.read_bytes() for path in checkout.rglob("*") if path.is_file()]
        assert not [text for text in files if PASSWORD.encode() in text]


def test_the_password_goes_to_no_other_server(server: WebServer, tmp_path: Path) -> None:
    assert server.repositories is not None
    repository(server.repositories, "app")
    with web_server() as other:
        other.want("nobody", "knows")
        other.repositories = server.repositories
        work = server.repositories / "app-work"
        git(work, "submodule", "--quiet", "add", str(server.repositories / "app.git"), "lib")
        git(work, "config", "-f", ".gitmodules", "submodule.lib.url", other.url("/app.git"))
        commit_id = commit(work, "a submodule elsewhere")
        git(work, "push", "-q", "--all")
        with pytest.raises(NbflowError, match="git submodule of") as caught:
            check_out(tmp_path / "a", server.url("/app.git"), revision=commit_id, **LOGIN)
        assert not isinstance(caught.value, ArtifactUnavailable)
        assert {sent.get("authorization") for _, _, sent in other.asked} == {None}


def test_errors_say_what_and_no_password(server: WebServer, tmp_path: Path) -> None:
    assert server.repositories is not None
    repository(server.repositories, "app")
    server.want("anna", "another")
    with pytest.raises(NbflowError, match="Authentication failed") as caught:
        check_out(tmp_path / "a", server.url("/app.git"), **LOGIN)
    assert PASSWORD not in str(caught.value)
    assert caught.value.fix == "check usernameSecret and passwordSecret, or sshPrivateKeySecret"
    server.authorization = ""
    with pytest.raises(NbflowError, match=r"git clone of http://127.0.0.1:.*/none.git failed: .*not found"):
        check_out(tmp_path / "b", server.url("/none.git"))
    with web_server() as gone:
        url = gone.url("/app.git")
    with pytest.raises(ArtifactUnavailable, match=r"Failed to connect|Couldn't connect"):
        check_out(tmp_path / "c", url)


@pytest.mark.parametrize(
    "repo",
    ["", "/etc", "./here", "file:///etc", "ext::sh -c id", "--upload-pack=id", "http://", "https://a b/c"],
)
def test_what_is_no_address_of_a_server(repo: str, tmp_path: Path) -> None:
    with pytest.raises(NbflowError, match=r"artifact code: git.repo is no address"):
        check_out(tmp_path / "a", repo)


@pytest.mark.parametrize("field", ["revision", "branch"])
def test_options_are_no_revisions(field: str, tmp_path: Path) -> None:
    with pytest.raises(NbflowError, match="git has no revision, branch or refspec '--x=y'"):
        check_out(tmp_path / "a", "http://127.0.0.1/x", **{field: "--x=y"})


def test_it_can_only_be_read(tmp_path: Path) -> None:
    driver = GitDriver(SECRETS.get)
    with pytest.raises(NbflowError, match="git output artifacts are unsupported"):
        driver.save(tmp_path, {"name": "a", "git": {}}, take=False)


def test_the_key_of_ssh_is_in_a_private_file(tmp_path: Path) -> None:
    words = _ssh(tmp_path, "KEY\n\n", any_host=False)
    assert "KEY" not in words
    assert "StrictHostKeyChecking=yes" in words
    assert (tmp_path / "key").read_text() == "KEY\n"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert "UserKnownHostsFile=/dev/null" in _ssh(tmp_path, "", any_host=True)
    if shutil.which("ssh"):
        assert subprocess.run(["sh", "-c", f"{words} -G somewhere"], capture_output=True).returncode == 0
