"""Claims made for a workflow: in its status, in its folder, and gone when volumeClaimGC says so."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbflow.clients.local import LocalClient
from nbflow.spec.status import Phase
from nbflow.store import Home
from nbflow.store.presence import controller_of

TEMPLATE = {"metadata": {"name": "work"}, "spec": {"resources": {"requests": {"storage": "1Mi"}}}}
VOLUME = {"name": "work", "persistentVolumeClaim": {"claimName": "wf-work"}}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalClient]:
    home = Home(tmp_path_factory.mktemp("claims") / "home")
    yield LocalClient("host", home)
    running = controller_of(home)
    if running is not None:
        os.kill(running.pid, signal.SIGTERM)


@pytest.mark.parametrize(
    ("strategy", "script", "phase", "left"),
    [
        (None, "true", Phase.SUCCEEDED, False),
        (None, "false", Phase.FAILED, True),
        ("OnWorkflowSuccess", "true", Phase.SUCCEEDED, False),
        ("OnWorkflowSuccess", "false", Phase.FAILED, True),
        ("OnWorkflowCompletion", "true", Phase.SUCCEEDED, False),
        ("OnWorkflowCompletion", "false", Phase.FAILED, False),
    ],
)
def test_when_claims_go(
    client: LocalClient, strategy: str | None, script: str, phase: Phase, left: bool
) -> None:
    mounts = [{"name": "work", "mountPath": "/mnt/work"}]
    command = ["sh", "-c", f"echo x > /mnt/work/x; sleep 0.3; {script}"]
    main = {"name": "main", "container": {"image": "alpine", "command": command, "volumeMounts": mounts}}
    spec = {"entrypoint": "main", "templates": [main], "volumeClaimTemplates": [TEMPLATE]}
    if strategy:
        spec["volumeClaimGC"] = {"strategy": strategy}
    made = client.submit({"metadata": {"name": "wf"}, "spec": spec})
    place = client.home.claims(made.uid) / "wf-work/x"
    seen = wait(lambda: place.exists() and client.get("wf").status.extra.get("persistentVolumeClaims"))
    assert seen == [VOLUME]
    wait(lambda: client.get("wf").status.finished_at)
    status = client.get("wf").status
    assert (status.phase, status.extra.get("persistentVolumeClaims", [])) == (phase, [VOLUME] if left else [])
    if left:
        assert place.read_text() == "x\n"
    else:
        wait(lambda: not place.parent.parent.exists())
    client.delete("wf")
    assert not Path(client.home.workflow(made.uid)).exists()


def wait(true: object) -> object:
    end = time.monotonic() + 30
    while not (found := true()):  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.02)
    return found
