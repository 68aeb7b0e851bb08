"""SIGKILL for the controller at random moments: no finished step runs twice, no running one is lost."""

import os
import random
import signal
import time
from collections import Counter

import pytest

from nbflow.clients.local import LocalClient
from nbflow.spec.status import Phase
from nbflow.store import Home
from nbflow.store.presence import controller_of
from tests.clients.conftest import end_controller
from tests.contracts.client import wait


def twenty_nodes(diary) -> dict[str, object]:
    """A DAG of 19 tasks in two lanes that cross; 18 of them note their start and their end."""
    tasks = []
    for number in range(18):
        needs = [f"t{n}" for n in (number - 2, number - 3) if n >= 0 and number > 2]
        task = {
            "name": f"t{number}",
            "template": "note",
            "arguments": {"parameters": [{"name": "n", "value": str(number)}]},
        }
        tasks.append({**task, "dependencies": needs} if needs else task)
    script = (
        f"echo start {{{{inputs.parameters.n}}}} >> {diary}; sleep 0.02; "
        f"echo end {{{{inputs.parameters.n}}}} >> {diary}; echo {{{{inputs.parameters.n}}}} > /tmp/made"
    )
    note = {
        "name": "note",
        "inputs": {"parameters": [{"name": "n"}]},
        "outputs": {"parameters": [{"name": "made", "valueFrom": {"path": "/tmp/made"}}]},
        "container": {"image": "alpine", "command": ["sh", "-c"], "args": [script]},
    }
    last = {"name": "last", "container": {"image": "alpine", "command": ["true"]}}
    tasks.append({"name": "last", "template": "last", "dependencies": ["t17", "t16"]})
    return {
        "metadata": {"generateName": "twenty-"},
        "spec": {"entrypoint": "main", "templates": [{"name": "main", "dag": {"tasks": tasks}}, note, last]},
    }


def kill(home: Home) -> None:
    running = controller_of(home)
    if running is not None and running.pid:
        os.kill(running.pid, signal.SIGKILL)


def run_once(home: Home, diary, moments: list[float]) -> None:
    client = LocalClient("host", home)
    name = client.submit(twenty_nodes(diary)).name
    for moment in moments:
        time.sleep(moment)
        kill(home)
        client.list()  # touching any verb starts another controller
    assert wait(client, name) is Phase.SUCCEEDED
    nodes = client.get(name).status.nodes.values()
    assert len(nodes) == 20
    assert {node.phase for node in nodes} == {Phase.SUCCEEDED}
    made = {
        node.display_name: node.outputs["parameters"][0]["value"]
        for node in nodes
        if node.display_name[0] == "t" and node.display_name[1:].isdigit()
    }
    assert made == {f"t{number}": str(number) for number in range(18)}
    noted = Counter(diary.read_text().splitlines())
    assert noted == Counter({f"{word} {number}": 1 for word in ("start", "end") for number in range(18)})


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path / "home")
    yield made
    end_controller(made)


def test_killed_twice(home, tmp_path, monkeypatch):
    monkeypatch.setattr("nbflow.clients.starting._MOST_STARTS", 1000)
    run_once(home, tmp_path / "diary", [0.1, 0.3])


@pytest.mark.slow
def test_killed_at_thirty_random_moments(home, tmp_path, monkeypatch):
    monkeypatch.setattr("nbflow.clients.starting._MOST_STARTS", 1000)
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")  # noqa: T201 - pytest shows it when a run ends wrong
    chance = random.Random(seed)
    for number in range(30):
        run_once(home, tmp_path / f"diary-{number}", [chance.uniform(0, 0.5)])
