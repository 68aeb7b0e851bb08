from __future__ import annotations

import re

from nbflow.errors import Finding, Position, Severity
from nbflow.notebook.failure import DetachedError, RefusedError, WorkflowFailedError, culprits
from nbflow.spec.status import NodeType, Phase
from tests.notebook.fake_client import FakeClient, node
from tests.notebook.workflows import diamond, end

ANSI = re.compile(r"\x1b\[[0-9;]*m")
CELL = "\nkind: Workflow\nspec:\n  entrypont: main\n  templates: []\n"


def shown(error):
    return [ANSI.sub("", line) for line in error._render_traceback_()]


def test_a_refused_manifest_is_shown_over_the_lines_of_its_cell():
    finding = Finding(
        "NBF201",
        "unknown field 'entrypont'",
        position=Position("cell", 4, 3),
        source_line="  entrypont: main",
        fix="did you mean 'entrypoint'?",
    )
    warning = Finding("NBF900", "odd \x1b[2J", Severity.WARNING, Position("cell", 1, 1))
    assert shown(RefusedError([finding, warning], CELL)) == [
        "The manifest was refused: 1 error, nothing was created",
        "",
        "cell:4:3: error: unknown field 'entrypont'",
        "   3 │ spec:",
        "   4 │   entrypont: main",
        "     │   ^^^^^^^^^",
        "   5 │   templates: []",
        "  fix: did you mean 'entrypoint'?",
        "",
        "cell:1:1: warning: odd \\x1b[2J",
        "   1 │ ",
        "     │ ^",
        "   2 │ kind: Workflow",
    ]


def test_a_finding_without_a_place_is_one_line():
    assert shown(RefusedError([Finding("NBF101", "no workflow")]))[1:] == ["", "error: no workflow"]


def test_a_failed_workflow_names_what_failed_and_what_it_said_last():
    client = FakeClient()
    fake = client.add(diamond())
    end(fake, C=Phase.FAILED, D=Phase.OMITTED)
    workflow = fake.workflow
    (bad,) = culprits(workflow)
    error = WorkflowFailedError(workflow, [bad] * 5, {bad.id: ["one", "\x1b[31mtwo\x1b[0m"]})
    told = ["✖ C: Error (exit code 3)", "  | one", "  | two"]
    assert shown(error) == ["workflow diamond ended in phase Failed", *told * 3, "  and 2 more nodes"]


def test_the_culprits_are_where_the_failure_began():
    client = FakeClient()
    fake = client.add(diamond())
    fake.change(
        node("diamond", Phase.FAILED, type=NodeType.DAG),
        node("diamond.A", Phase.FAILED, type=NodeType.RETRY),
        node("diamond.A(0)", Phase.FAILED),
        node("diamond.B", Phase.SUCCEEDED),
    )
    assert [one.name for one in culprits(fake.workflow)] == ["diamond.A(0)"]
    fake.change(node("diamond.A(0)", Phase.SUCCEEDED))
    assert [one.name for one in culprits(fake.workflow)] == ["diamond"]


def test_who_interrupts_the_waiting_learns_how_to_stop_the_workflow():
    assert str(DetachedError("wf")) == (
        "stopped waiting; workflow wf goes on\n  fix: %workflow stop wf ends it, %workflow watch wf shows it again"
    )
