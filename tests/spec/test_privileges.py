"""What asks for more than a process of the user may do."""

from __future__ import annotations

import pytest

from nbflow.spec.privileges import privilege_of, refused_containers

PRIVILEGED = {"name": "p", "image": "x", "securityContext": {"privileged": True}}


@pytest.mark.parametrize(
    ("container", "why"),
    [
        (PRIVILEGED, "asks to be privileged"),
        ({"image": "docker:19.03.13-dind"}, "is Docker in Docker"),
        ({"image": "reg.io/x", "command": ["/usr/bin/dockerd"]}, "is Docker in Docker"),
        ({"image": "docker:19.03.13", "command": ["docker", "ps"]}, ""),
        ({"image": "x", "securityContext": {"privileged": False}}, ""),
        ({}, ""),
    ],
)
def test_privileges(container: dict[str, object], why: str) -> None:
    assert privilege_of(container) == why


def test_only_what_is_sure_to_run_counts() -> None:
    strong = {"sidecars": [PRIVILEGED]}
    templates = [
        {"name": "main", "steps": [[{"template": "a"}], [{"template": "b", "when": "false"}]]},
        {"name": "a", "dag": {"tasks": [{"template": "c"}, {"template": "d", "depends": "x.Failed"}]}},
        *({"name": name, **strong} for name in "bcde"),
    ]
    found = list(refused_containers({"entrypoint": "main", "templates": templates}))
    assert found == [("c", "p", "asks to be privileged")]
