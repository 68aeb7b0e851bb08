"""A run as one HTML file."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

from nbflow.documents.report import Log, report
from nbflow.spec.status import Phase
from tests.notebook.fake_client import FakeClient, node
from tests.notebook.workflows import diamond, end

NOW = datetime(2024, 5, 1, 12, 1, tzinfo=UTC)
EVIL = '<img src=x onerror=alert(1)></pre><script>alert(2)</script>"\x1b[31m'


def finished(**outcomes):
    run = FakeClient().add(diamond())
    end(run, **outcomes)
    return run.workflow


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.attributes, self.text = set(), [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data):
        self.text += data


def test_a_report_tells_all_of_a_run():
    workflow = finished(C=Phase.FAILED, D=Phase.OMITTED)
    logs = [Log(workflow.status.nodes[node("diamond.C").id], ["one", "ValueError: no data"])]
    text = report(workflow, logs, "kind: Workflow\n", NOW)
    titles = re.findall("<h2>(.*?)</h2>", text)
    assert titles == ["Graph", "Nodes", "Timeline", "Logs", "Manifest"]
    told = Tags(text).text
    for part in (
        "✖ diamond",
        "4/4 pods",
        "✔ B",
        "✖ C",
        "Error (exit code 3)",
        "ValueError: no data",
        "kind: Workflow",
    ):
        assert part in told, part
    assert "<details open><summary>C</summary>" in text


def test_outputs_and_parameters_are_in_it():
    text = report(finished(), [], "", NOW)
    assert "<h2>Outputs</h2>" in text
    assert "total" in Tags(text).text


def test_it_needs_nothing_else_and_nothing_in_it_runs():
    workflow = finished()
    workflow.status.nodes[node("diamond.B").id].extra  # noqa: B018
    logs = [Log(node("diamond.x", Phase.FAILED, message=EVIL), [EVIL])]
    text = report(workflow, logs, EVIL, NOW)
    parsed = Tags(text)
    assert "script" not in parsed.found
    assert "img" not in parsed.found
    assert not any(name.startswith("on") for name in parsed.attributes)
    assert re.findall(r'(?:src|href)="([^"#]*)"', text) == []
    assert "default-src 'none'" in text
    assert "\x1b" not in text
