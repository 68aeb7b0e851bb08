from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.errors import NbflowError
from nbflow.runtimes.images import KNOWN, Image, command_line, known_images, repository
from nbflow.runtimes.runtime import PodRejected


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("python", "python"),
        ("python:3.12-slim", "python"),
        ("docker.io/library/python:3.12", "python"),
        ("alpine@sha256:0123", "alpine"),
        ("localhost:5000/team/tool:v1", "localhost:5000/team/tool"),
        ("docker/whalesay:latest", "docker/whalesay"),
        ("", ""),
    ],
)
def test_the_name_of_an_image(image: str, name: str) -> None:
    assert repository(image) == name


@pytest.mark.parametrize(
    ("image", "command", "args", "line"),
    [
        ("whatever:1", ("run",), ("a",), ("run", "a")),
        ("python:3.12", (), (), ("python3",)),
        ("python:3.12", (), ("pip", "list"), ("pip", "list")),
        ("alpine", (), (), ("sh",)),
        ("argoproj/argosay:v2", (), ("echo", "x"), ("argosay", "echo", "x")),
        ("curlimages/curl", (), ("-s", "http://x"), ("curl", "-s", "http://x")),
        ("curlimages/curl", (), ("curl", "-s"), ("curl", "-s")),
        ("node:20", (), ("server.js",), ("node", "server.js")),
        ("node:20", (), ("npm", "ci"), ("npm", "ci")),
        ("nginx:1.13", (), (), ("run-nginx",)),
        ("influxdb:1.2", (), (), ("run-influxdb",)),
        ("nginx:1.13", ("nginx", "-g", "daemon off;"), (), ("run-nginx", "-g", "daemon off;")),
        ("nginx:1.13", ("sh", "-c"), ("nginx",), ("sh", "-c", "nginx")),
        ("argoproj/argosay:v2", ("/argosay",), ("echo",), ("argosay", "echo")),
        ("stedolan/jq:latest", (), (".a",), ("jq", ".a")),
    ],
)
def test_what_images_run(
    image: str, command: tuple[str, ...], args: tuple[str, ...], line: tuple[str, ...]
) -> None:
    assert command_line(image, command, args, KNOWN) == line


def test_a_script_is_no_program_name() -> None:
    assert command_line("node:20", (), ("/argo/staging/script",), KNOWN, script=True) == (
        "node",
        "/argo/staging/script",
    )


def test_an_unknown_image_is_refused_with_the_ways_out() -> None:
    with pytest.raises(PodRejected) as caught:
        command_line("my/own:1", (), ("x",), KNOWN)
    assert caught.value.problem == "nobody knows what image 'my/own:1' runs"
    assert "`command:`" in caught.value.fix
    assert "my/own to images.yaml" in caught.value.fix


def test_users_add_to_the_table(tmp_path: Path) -> None:
    assert known_images(tmp_path) is KNOWN
    (tmp_path / "images.yaml").write_text(
        "my/own:1:\n  command: [own, -v]\n  args: [x, 1]\npython: {command: [pypy]}\n"
    )
    known = known_images(tmp_path)
    assert known["my/own"] == Image(("own", "-v"), ("x", "1"))
    assert command_line("my/own:7", (), (), known) == ("own", "-v", "x", "1")
    assert command_line("python:3", (), ("a.py",), known) == ("pypy", "a.py")
    assert known["alpine"] == KNOWN["alpine"]


@pytest.mark.parametrize("text", ["[a, b]", "a: b", "{"])
def test_a_table_that_cannot_be_read_says_where(tmp_path: Path, text: str) -> None:
    (tmp_path / "images.yaml").write_text(text)
    with pytest.raises(NbflowError) as caught:
        known_images(tmp_path)
    assert caught.value.where == str(tmp_path / "images.yaml")
