from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

import pytest

from nbflow.runtimes.machine import PROGRAMS


def run(program: str, *args: str, text: str = "") -> tuple[int, str]:
    done = subprocess.run(
        [PROGRAMS / program, *args], input=text, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def bubble(*args: str, text: str = "") -> list[str]:
    code, said = run("cowsay", *args, text=text)
    assert code == 0
    lines = said.splitlines()
    return lines[: next(n for n, line in enumerate(lines) if line.startswith(" -")) + 1]


def test_cowsay_says_a_line() -> None:
    assert bubble("hello", "world") == [" _____________", "< hello world >", " -------------"]


def test_cowsay_reads_and_wraps() -> None:
    text = "the quick brown fox jumps over the lazy dog and runs\nend"
    assert bubble(text=text) == [
        " " + "_" * 41,
        "/ the quick brown fox jumps over the lazy \\",
        "| dog and runs                            |",
        "\\ end                                     /",
        " " + "-" * 41,
    ]


def test_cowsay_takes_options_and_nothing() -> None:
    assert bubble("-f", "tux", "-W", "5", "abcdefgh") == [" _______", "/ abcde \\", "\\ fgh   /", " -------"]
    assert bubble("") == [" __", "<  >", " --"]


def test_argosay(tmp_path: Path) -> None:
    file = tmp_path / "deep/file"
    assert run("argosay") == (0, "hello argo\n")
    assert run("argosay", "echo", "-n") == (0, "-n\n")
    assert run("argosay", "echo", "text", str(file)) == (0, "")
    assert file.read_text() == "text"
    assert run("argosay", "cat", str(file)) == (0, "text")
    assert run("argosay", "assert_contains", str(file), "ex") == (0, "")
    assert run("argosay", "assert_contains", str(file), "e.t")[0] == 1
    assert run("argosay", "exit", "3") == (3, "")
    assert run("argosay", "sleep", "0.01s") == (0, "")


@pytest.mark.parametrize("args", [["dance"], ["sleep", "soon"], ["sleep"], ["exit 1"], ["sleep", "5 years"]])
def test_argosay_refuses(args: list[str]) -> None:
    assert run("argosay", *args)[0] == 1


def test_apk_adds_what_is_there() -> None:
    assert run("apk", "update")[0] == 0
    assert run("apk", "add", "--no-cache", "python3", "bash>5")[0] == 0
    done = subprocess.run([PROGRAMS / "apk", "add", "bash", "nowhere-1"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "ERROR: unable to select packages:\n"
        "  nowhere-1 (no such package): this machine does not have it, and nothing is installed into a sandbox\n"
    )
    assert run("apk", "dance")[0] == 1


def test_netcat_listens_and_calls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
    with subprocess.Popen([PROGRAMS / "nc", "-lk", "-p", port, "-e", "/bin/cat"]) as server:
        try:
            end = time.monotonic() + 20
            while run("nc", "-z", "127.0.0.1", port)[0] and time.monotonic() < end:
                time.sleep(0.05)
            assert run("nc", "127.0.0.1", port, text="hello\n") == (0, "hello\n")
            assert run("nc", "127.0.0.1", port, text="again\n") == (0, "again\n")
        finally:
            server.kill()
    assert run("nc", "-z", "-w", "1", "127.0.0.1", port)[0] == 1
    assert run("nc")[0] == 1
