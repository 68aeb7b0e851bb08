"""Artifacts that are a checkout: fetched by the machine's `git`, which sees neither the user's settings nor their keys.

Credentials travel in files of a private folder: no process shows them in its command line or its environment.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbflow.artifacts.credentials import Secrets, private_folder, read_key, write_private
from nbflow.artifacts.driver import Artifact, ArtifactUnavailable, location, said
from nbflow.errors import NbflowError

_KEPT = (
    "PATH",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
)
_SSH = re.compile(r"(?:[\w.+-]+@)?[\w.-]+:(?!//)(?!\\).+")
_PASSING = re.compile(
    r"could not resolve|connection (?:refused|reset|timed out)|couldn't connect|failed to connect|timed out"
    r"|unexpected disconnect|early eof|remote end hung up unexpectedly|returned error: (?:429|5\d\d)"
    r"|network is unreachable|no route to host|too slow",
    re.IGNORECASE,
)
_IDLE = ("Cloning into", "Please make sure you have the correct access rights", "and the repository exists.")
"""Lines of git that say nothing of the reason."""
_SLOW = ("http.lowSpeedLimit=1000", "http.lowSpeedTime=60")


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a manifest asks of git."""

    url: str
    revision: str
    branch: str
    depth: int
    fetch: tuple[str, ...]
    single_branch: bool
    submodules: bool


class GitDriver:
    """`git: {repo, revision, depth, fetch, branch, singleBranch, ...}`. It can only be read."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def load(self, artifact: Artifact, scratch: Path) -> Path:
        settings = location(artifact, "git")
        wish, user, password = _wish(settings, artifact)
        user = read_key(settings.get("usernameSecret"), self._secrets) or user
        password = read_key(settings.get("passwordSecret"), self._secrets) or password
        key = read_key(settings.get("sshPrivateKeySecret"), self._secrets)
        with private_folder(scratch) as home:
            git = _Git(home, scratch, wish.url, hidden=(password, key))
            git.settle(settings, key)
            if user or password:
                git.credentials(user, password)
            _check_out(git, wish, scratch)
        return scratch

    def save(self, source: Path, artifact: Artifact, *, take: bool) -> None:  # noqa: ARG002
        raise NbflowError(f"{said(artifact)}: git output artifacts are unsupported")

    def delete(self, artifact: Artifact) -> None:
        raise NbflowError(f"{said(artifact)} is in git: deleting is not supported there")

    def list(self, artifact: Artifact) -> Sequence[str]:
        raise NbflowError(f"{said(artifact)} is in git: there is nothing to list")


def _wish(settings: Mapping[str, object], artifact: Artifact) -> tuple[_Wish, str, str]:
    """The wish, and the user and password that its URL holds."""
    url, user, password = _without_password(str(settings.get("repo", "")), said(artifact))
    depth, fetch = settings.get("depth"), settings.get("fetch")
    wish = _Wish(
        url=url,
        revision=str(settings.get("revision") or ""),
        branch=str(settings.get("branch") or ""),
        depth=depth if isinstance(depth, int) else 0,
        fetch=tuple(map(str, fetch)) if isinstance(fetch, list | tuple) else (),
        single_branch=bool(settings.get("singleBranch")),
        submodules=not settings.get("disableSubmodules"),
    )
    if wish.single_branch and not wish.branch:
        raise NbflowError("single branch mode without a branch specified", fix="set git.branch")
    for word in (wish.revision, wish.branch, *wish.fetch):
        if word.startswith("-") or "\0" in word or "\n" in word:
            raise NbflowError(f"git has no revision, branch or refspec {word!r}")
    return wish, user, password


def _without_password(repo: str, name: str) -> tuple[str, str, str]:
    """A URL that git may show, and what it held. Raises NbflowError for what is no address of a server."""
    if any(ord(letter) <= 32 for letter in repo) or repo.startswith("-"):
        raise NbflowError(f"{name}: git.repo is no address")
    parts = urllib.parse.urlsplit(repo)
    if parts.scheme in {"http", "https"} and parts.hostname:
        host = parts.netloc.rpartition("@")[2]
        clean = urllib.parse.urlunsplit((parts.scheme, host, *parts[2:]))
        return clean, urllib.parse.unquote(parts.username or ""), urllib.parse.unquote(parts.password or "")
    if (parts.scheme in {"git", "ssh"} and parts.hostname and parts.password is None) or (
        "://" not in repo and _SSH.fullmatch(repo)
    ):
        return repo, "", ""
    raise NbflowError(
        f"{name}: git.repo is no address of a server",
        fix="write https://HOST/PATH, git://HOST/PATH or git@HOST:PATH",
    )


def _check_out(git: _Git, wish: _Wish, place: Path) -> None:
    depth = [f"--depth={wish.depth}"] if wish.depth else []
    only = ["--single-branch", f"--branch={wish.branch}"] if wish.single_branch else ["--no-single-branch"]
    git.run(
        "clone", "--quiet", "--no-checkout", "--template=", *depth, *only, "--", wish.url, os.fspath(place)
    )
    if git.run("for-each-ref", "--count=1", at=place) == "":
        if wish.revision:
            git.run("symbolic-ref", "HEAD", f"refs/heads/{wish.revision}", at=place)
        return
    if wish.fetch:
        git.run("fetch", "--quiet", "--update-head-ok", *depth, "origin", *wish.fetch, at=place)
    if wish.revision:
        _check_out_revision(git, wish, place, depth)
    else:
        git.run("checkout", "--quiet", "--force", at=place)
    if wish.submodules and (place / ".gitmodules").is_file():
        git.run("submodule", "--quiet", "update", "--init", "--recursive", at=place)


def _check_out_revision(git: _Git, wish: _Wish, place: Path, depth: list[str]) -> None:
    """At the commit itself, on no branch. All branches, or the one wanted, are local branches too."""
    branch = wish.branch if wish.single_branch else "*"
    refs = f"+refs/heads/{branch}:refs/heads/{branch}"
    git.run("fetch", "--quiet", "--update-head-ok", *depth, "origin", refs, at=place)
    commit = git.resolve(wish.revision, place)
    if not commit and re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", wish.revision):
        git.run("fetch", "--quiet", *depth, "origin", wish.revision, at=place)
        commit = git.resolve(wish.revision, place)
    elif not commit and depth:
        git.run("fetch", "--quiet", "--unshallow", "--tags", "origin", at=place)
        commit = git.resolve(wish.revision, place)
    if not commit:
        raise NbflowError(f"git: {wish.url} has no revision {wish.revision}")
    git.run("checkout", "--quiet", "--force", "--detach", commit, at=place)


class _Git:
    """The git command with a home of its own. hidden: what no error may show."""

    def __init__(self, home: Path, place: Path, url: str, hidden: tuple[str, ...]) -> None:
        program = shutil.which("git")
        if program is None:
            raise NbflowError("git is not installed, and an artifact is in git", fix="install git")
        self._program, self._home, self._url, self._hidden = program, home, url, hidden
        self._place = place
        self._env = {name: os.environ[name] for name in _KEPT if name in os.environ}

    def settle(self, settings: Mapping[str, object], key: str) -> None:
        """The environment of all its calls."""
        self._env |= {
            "HOME": os.fspath(self._home),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.fspath(self._home / "config"),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "/bin/false",
            "GIT_ALLOW_PROTOCOL": "http:https:git:ssh",
            "GIT_SSH_COMMAND": _ssh(self._home, key, any_host=bool(settings.get("insecureIgnoreHostKey"))),
            "GIT_SSH_VARIANT": "ssh",
        }
        if settings.get("insecureSkipTLS"):
            self._env["GIT_SSL_NO_VERIFY"] = "1"
        write_private(self._home / "config", "[gc]\n\tauto = 0\n[advice]\n\tdetachedHead = false\n")

    def credentials(self, user: str, password: str) -> None:
        """For this server alone: git gives them to no other, submodules and redirects included."""
        parts = urllib.parse.urlsplit(self._url)
        if parts.scheme not in {"http", "https"}:
            return
        words = (urllib.parse.quote(word, safe="", errors="surrogateescape") for word in (user, password))
        file = write_private(
            self._home / "credentials", f"{parts.scheme}://{':'.join(words)}@{parts.netloc}\n"
        )
        helper = f'store --file="{file}"'.replace('"', '\\"')
        section = f'[credential "{parts.scheme}://{parts.netloc}"]'
        with (self._home / "config").open("a") as config:
            config.write(f'{section}\n\thelper = "{helper}"\n')

    def resolve(self, revision: str, place: Path) -> str:
        """The commit of a revision, "" if there is none."""
        for name in (revision, f"origin/{revision}"):
            done = self._call(["rev-parse", "--quiet", "--verify", f"{name}^{{commit}}"], place)
            if done.returncode == 0:
                return done.stdout.strip()
        return ""

    def run(self, *words: str, at: Path | None = None) -> str:
        """What it prints. Raises ArtifactUnavailable if the server does not answer, NbflowError otherwise."""
        done = self._call(list(words), at)
        if done.returncode == 0:
            return done.stdout
        lines = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith(_IDLE)]
        text = self._clean("; ".join(lines[-3:]))
        error = ArtifactUnavailable if _PASSING.search(done.stderr) else NbflowError
        raise error(f"git {words[0]} of {self._url} failed: {text}", fix=_advice(done.stderr))

    def _call(self, words: list[str], at: Path | None) -> subprocess.CompletedProcess[str]:
        settings = [word for setting in _SLOW for word in ("-c", setting)]
        return subprocess.run(
            [self._program, *settings, *words],
            cwd=at or self._home,
            env=self._env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )

    def _clean(self, text: str) -> str:
        for word in self._hidden:
            if word:
                text = text.replace(word, "***")
        return text.replace(f"{self._home}/", "").replace(f"{self._place}/", "")


def _ssh(home: Path, key: str, *, any_host: bool) -> str:
    """The ssh command, with the manifest's key and no other; the hosts that this machine knows, unless any will do."""
    words = [
        "ssh",
        "-F",
        "none",
        "-o",
        "BatchMode=yes",
        "-o",
        "IdentitiesOnly=yes",
        "-o",
        "IdentityAgent=none",
    ]
    words += ["-o", "ConnectTimeout=30", "-o", "ServerAliveInterval=20"]
    if key:
        file = write_private(home / "key", key.rstrip("\n") + "\n")
        words += ["-i", os.fspath(file)]
    else:
        words += ["-o", "IdentityFile=none"]
    if any_host:
        words += [
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "LogLevel=ERROR",
        ]
    else:
        words += ["-o", "StrictHostKeyChecking=yes"]
    return shlex.join(words)


def _advice(stderr: str) -> str:
    if "Host key verification failed" in stderr:
        return "add the host to ~/.ssh/known_hosts (ssh-keyscan HOST), or set insecureIgnoreHostKey"
    if (
        "could not read Username" in stderr
        or "Authentication failed" in stderr
        or "Permission denied" in stderr
    ):
        return "check usernameSecret and passwordSecret, or sshPrivateKeySecret"
    return ""
