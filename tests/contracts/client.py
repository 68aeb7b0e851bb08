"""What every Client does, whatever runs the workflows: derive from ClientContract and give a fixture `client`."""

from __future__ import annotations

import itertools
import threading
import time
from datetime import timedelta

import pytest

from nbflow.clients.client import Client, LogOptions, Request, Selection
from nbflow.errors import ConflictError, NbflowError, NotFoundError
from nbflow.spec.status import NodeType, Phase

IMAGE, LABELS, PATIENCE = "alpine", {}, 20.0
"""What a suite for a slow or a strange place replaces."""
_numbers = itertools.count()


def workflow(*commands: str, name: str = "", **metadata: object) -> dict[str, object]:
    """A workflow of steps in a row, each a line of sh."""
    templates = [
        {"name": f"t{i}", "container": {"image": IMAGE, "command": ["sh", "-c"], "args": [text]}}
        for i, text in enumerate(commands)
    ]
    steps = [[{"name": f"s{i}", "template": f"t{i}"}] for i in range(len(commands))]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {
            **({"name": name} if name else {"generateName": "wf-"}),
            **metadata,
            **({"labels": {**LABELS, **labels}} if (labels := metadata.get("labels", {})) or LABELS else {}),
        },
        "spec": {"entrypoint": "main", "templates": [{"name": "main", "steps": steps}, *templates]},
    }


def unique(prefix: str) -> str:
    return f"{prefix}-{next(_numbers)}"


def wait(client: Client, name: str) -> Phase | None:
    *_, last = client.watch(name)
    return last.workflow.status.phase


def node(client: Client, name: str, display_name: str):
    return next(n for n in client.get(name).status.nodes.values() if n.display_name == display_name)


def wait_until(true) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


class ClientContract:
    """Derive, and give a fixture `client`.

    moment: seconds in which a pod that was asked for has started. apart: what to do between two submits, so that one is
    seen to be the older.
    """

    moment = 0.3

    def apart(self) -> None:
        pass

    def test_submit_names_and_runs_it(self, client):
        submitted = client.submit(workflow("echo hello"))
        assert len(submitted.name) == len("wf-") + 5
        assert set(submitted.name[3:]) <= set("bcdfghjklmnpqrstvwxz2456789")
        assert len(submitted.uid) == 36
        assert submitted.metadata["creationTimestamp"]
        assert wait(client, submitted.name) is Phase.SUCCEEDED
        whole = client.get(submitted.name)
        assert {(n.display_name, n.type, n.phase) for n in whole.status.nodes.values()} == {
            (submitted.name, NodeType.STEPS, Phase.SUCCEEDED),
            ("[0]", NodeType.STEP_GROUP, Phase.SUCCEEDED),
            ("s0", NodeType.POD, Phase.SUCCEEDED),
        }
        assert whole.status.nodes[submitted.name].children

    def test_a_name_is_taken_once(self, client):
        name = unique("taken")
        client.submit(workflow("true", name=name))
        with pytest.raises(ConflictError, match=f'"{name}" already exists'):
            client.submit(workflow("true", name=name))

    def test_without_a_name_it_is_refused(self, client):
        manifest = workflow("true")
        manifest["metadata"] = {}
        with pytest.raises(NbflowError, match="name or generateName is required"):
            client.submit(manifest)

    def test_unknown_workflows_are_not_found(self, client):
        for call in (
            lambda: client.get("nobody"),
            lambda: list(client.watch("nobody")),
            lambda: list(client.logs("nobody")),
            lambda: client.ask("nobody", Request("stop")),
            lambda: client.delete("nobody"),
            lambda: client.artifact("nobody", "x", "y"),
        ):
            with pytest.raises(NotFoundError, match='"nobody" not found'):
                call()

    def test_latest_is_the_newest(self, client):
        name = client.submit(workflow("true")).name
        assert client.get("@latest").name == name
        assert wait(client, "@latest") is Phase.SUCCEEDED

    def test_watch_gives_a_snapshot_and_then_the_changes(self, client):
        name = client.submit(workflow("sleep 0.2", "false")).name
        first, *later = client.watch(name)
        assert [update.sequence for update in (first, *later)] == list(range(len(later) + 1))
        nodes = dict(first.workflow.status.nodes)
        for update in later:
            assert not update.workflow.status.nodes
            assert update.workflow.spec["entrypoint"] == first.workflow.spec["entrypoint"]
            nodes.update({changed.id: changed for changed in update.nodes})
        whole = client.get(name)
        assert nodes == whole.status.nodes
        assert later[-1].workflow.status.phase is whole.status.phase is Phase.FAILED

    def test_watch_of_a_finished_workflow_is_one_update(self, client):
        name = client.submit(workflow("true")).name
        wait(client, name)
        (only,) = client.watch(name)
        assert only.workflow == client.get(name)

    def test_a_watch_can_be_closed_at_once(self, client):
        name = client.submit(workflow("sleep 30")).name
        updates = client.watch(name)
        next(updates)
        updates.close()
        client.delete(name)

    def test_list_selects(self, client):
        group = unique("group")
        good = client.submit(workflow("true", labels={"group": group, "n": "1"})).name
        self.apart()
        bad = client.submit(workflow("false", name=unique("bad"), labels={"group": group, "n": "2"})).name
        self.apart()
        long = client.submit(workflow("sleep 30", labels={"group": group, "n": "3"})).name
        wait(client, good)
        wait(client, bad)

        def names(**selection):
            selection["labels"] = ",".join(filter(None, (f"group={group}", selection.get("labels"))))
            return [found.name for found in client.list(Selection(**selection))]

        assert names() == [long, bad, good]
        assert names(limit=2) == [long, bad]
        assert names(running=True) == [long]
        assert names(completed=True) == [bad, good]
        assert names(phases=("Succeeded",)) == [good]
        assert names(prefix="bad-") == [bad]
        assert names(labels="n in (1, 2),n!=2") == [good]
        assert names(labels="workflows.argoproj.io/completed=true") == [bad, good]
        assert all(not found.status.nodes for found in client.list())
        client.delete(long)

    def test_logs(self, client):
        name = client.submit(
            workflow("echo one; sleep 0.1; echo two >&2; sleep 0.1; printf 'a\\377b'", "seq 5")
        ).name
        wait(client, name)
        assert [line.text for line in client.logs(name)] == [
            "one",
            "two",
            "a\ufffdb",
            "1",
            "2",
            "3",
            "4",
            "5",
        ]
        assert {line.container for line in client.logs(name)} == {"main"}
        assert [line.text for line in client.logs(name, LogOptions(tail=1))] == ["a\ufffdb", "5"]
        assert [line.text for line in client.logs(name, LogOptions(grep="^[ot35]"))] == [
            "one",
            "two",
            "3",
            "5",
        ]
        second = node(client, name, "s1")
        chosen = list(client.logs(name, LogOptions(pods=(second.id,))))
        assert [line.text for line in chosen] == ["1", "2", "3", "4", "5"]
        assert list(client.logs(name, LogOptions(pods=(chosen[0].pod,)))) == chosen
        with pytest.raises(NotFoundError, match='pod "who" not found'):
            list(client.logs(name, LogOptions(pods=("who",))))
        with pytest.raises(NbflowError, match="is no regular expression"):
            list(client.logs(name, LogOptions(grep="(")))
        assert list(client.logs(name, LogOptions(since=timedelta(0)))) == []
        assert len(list(client.logs(name, LogOptions(since=timedelta(hours=1))))) == 8

    def test_following_logs_gives_lines_as_they_come_and_ends_with_the_workflow(self, client):
        name = client.submit(workflow("echo one; sleep 0.4; echo two", "printf three")).name
        lines = client.logs(name, LogOptions(follow=True))
        came = [(line.text, client.get(name).status.phase) for line in lines]
        assert [text for text, _ in came] == ["one", "two", "three"]
        assert came[0][1] is Phase.RUNNING

    def test_stop_and_what_a_finished_workflow_refuses(self, client):
        name = client.submit(workflow("sleep 30", "true")).name
        wait_until(lambda: any(n.phase is Phase.RUNNING for n in client.get(name).status.nodes.values()))
        client.ask(name, Request("terminate"))
        assert wait(client, name) is Phase.FAILED
        assert "s1" not in {n.display_name for n in client.get(name).status.nodes.values()}
        with pytest.raises(ConflictError, match="cannot shutdown a completed workflow"):
            client.ask(name, Request("terminate"))

    def test_suspend_and_resume(self, client):
        name = client.submit(workflow(f"sleep {self.moment}", "true")).name
        wait_until(lambda: "s0" in {n.display_name for n in client.get(name).status.nodes.values()})
        assert client.ask(name, Request("suspend")).spec["suspend"] is True
        wait_until(lambda: node(client, name, "s0").phase is Phase.SUCCEEDED)
        time.sleep(0.1)
        assert "s1" not in {n.display_name for n in client.get(name).status.nodes.values()}
        assert "suspend" not in client.ask(name, Request("resume")).spec
        assert wait(client, name) is Phase.SUCCEEDED

    def test_delete_leaves_nothing(self, client):
        name = client.submit(workflow("true")).name
        wait(client, name)
        client.delete(name)
        with pytest.raises(NotFoundError):
            client.get(name)
        assert name not in {found.name for found in client.list()}
        again = client.submit(workflow("echo fresh", name=name))
        assert wait(client, again.name) is Phase.SUCCEEDED
        assert [line.text for line in client.logs(name)] == ["fresh"]

    def test_whoever_watches_a_deleted_workflow_is_told(self, client):
        name = client.submit(workflow("sleep 30")).name
        updates = client.watch(name)
        next(updates)
        deleting = threading.Thread(target=client.delete, args=(name,))
        deleting.start()
        with pytest.raises(NotFoundError, match="was deleted"):
            list(updates)
        deleting.join()

    def test_objects(self, client):
        name = unique("object")
        manifest = {"kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": "v"}}
        stored = client.create(manifest)
        assert (stored.kind, stored.name, stored.existed) == ("ConfigMap", name, False)
        assert client.create({**manifest, "data": {}}).existed
        (found,) = [item for item in client.objects("ConfigMap") if item["metadata"]["name"] == name]
        assert found["data"] == {"k": "v"}
        assert found["metadata"]["creationTimestamp"]
        client.delete_object("ConfigMap", name)
        with pytest.raises(NotFoundError):
            client.delete_object("ConfigMap", name)

    def test_secrets_reach_pods_and_nothing_else(self, client):
        name = unique("secret")
        stored = client.create(
            {"kind": "Secret", "metadata": {"name": name}, "stringData": {"word": "open-sesame"}}
        )
        assert "open-sesame" not in str(stored)
        assert "open-sesame" not in str(client.objects("Secret"))
        manifest = workflow("test ${#WORD} = 11")
        ref = {"name": "WORD", "valueFrom": {"secretKeyRef": {"name": name, "key": "word"}}}
        manifest["spec"]["templates"][1]["container"]["env"] = [ref]
        submitted = client.submit(manifest).name
        assert wait(client, submitted) is Phase.SUCCEEDED
        assert "open-sesame" not in str(client.get(submitted))

    def test_a_missing_secret_ends_in_error_at_once_and_is_named(self, client):
        manifest = workflow("true")
        ref = {"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "no-such", "key": "word"}}}
        manifest["spec"]["templates"][1]["container"]["env"] = [ref]
        name = client.submit(manifest).name
        assert wait(client, name) in (Phase.FAILED, Phase.ERROR)
        failed = node(client, name, "s0")
        assert failed.phase is Phase.ERROR
        assert "no-such" in failed.message

    def test_artifacts(self, client):
        manifest = workflow("mkdir -p /tmp/out && echo hello > /tmp/out/file")
        plain = {"name": "plain", "path": "/tmp/out/file", "archive": {"none": {}}}
        manifest["spec"]["templates"][1]["outputs"] = {
            "artifacts": [plain, {"name": "packed", "path": "/tmp/out"}]
        }
        name = client.submit(manifest).name
        assert wait(client, name) is Phase.SUCCEEDED
        made = node(client, name, "s0").id
        assert client.artifact(name, made, "plain") == b"hello\n"
        assert client.artifact(name, made, "packed")[:2] == b"\x1f\x8b"
        with pytest.raises(NotFoundError, match='artifact "other" not found'):
            client.artifact(name, made, "other")
