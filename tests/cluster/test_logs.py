"""Logs of many pods at once: followed over fewer connections than there are pods."""

from __future__ import annotations

from collections import defaultdict

from nbflow.clients import argo_readers
from nbflow.clients.client import LogOptions
from tests.cluster.conftest import sh, workflow


def test_more_pods_than_connections_are_followed_in_turns(client, monkeypatch):
    """Each line once and in order, whether its pod is followed, asked in turns, or over before anybody asked."""
    monkeypatch.setattr(argo_readers, "FOLLOWED", 2)
    each = sh("each", "for i in 1 2 3 4; do echo $i; sleep 1; done; printf end")
    loop = {"name": "each", "template": "each", "withSequence": {"count": "5"}}
    name = client.submit(workflow({"name": "main", "steps": [[loop]]}, each)).name
    lines = defaultdict(list)
    for line in client.logs(name, LogOptions(follow=True)):
        lines[line.pod].append(line.text)
    assert list(lines.values()) == [["1", "2", "3", "4", "end"]] * 5
    again = defaultdict(list)
    for line in client.logs(name):
        again[line.pod].append(line.text)
    assert again == lines
