"""`watch` where there is no terminal: a line a change."""

from __future__ import annotations

import io

from nbflow.cli.console import Console
from nbflow.cli.watching import watch_workflow
from nbflow.spec.status import NodeType, Phase
from tests.notebook.fake_client import FakeClient, node
from tests.notebook.workflows import diamond


def test_a_workflow_ends_below_the_nodes_inside_it():
    client = FakeClient()
    fake = client.add(diamond("wf"))
    fake.change(
        node("wf", Phase.FAILED, type=NodeType.DAG, template="main"),
        node("wf.A", Phase.FAILED, boundary="wf", message="Error (exit code 3)"),
        phase=Phase.FAILED,
    )
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    console = Console(out, io.StringIO())
    assert watch_workflow(console, client, "wf") == 1
    out.flush()
    lines = out.buffer.getvalue().decode().splitlines()
    assert lines[:3] == ["✖ A Failed: Error (exit code 3)", "✖ wf Failed", ""]
