"""The magic in a real kernel: with a person in front, and without."""

from __future__ import annotations

import pytest

from tests.browser.fake import DIAMOND
from tests.notebook.kernel import kernel

LOAD = "%load_ext nbflow\nfrom tests.browser import fake\nfrom tests.notebook import workflows\n"
HTML = {"text/plain", "text/html"}
LIVE = {"text/plain", "application/vnd.jupyter.widget-view+json"}


@pytest.fixture(scope="module")
def started():
    with kernel() as one:
        yield one


@pytest.fixture
def cells(started):
    """A kernel whose client plays a script: `cells(script)`."""

    def ready(script: str = "None"):
        started.run("%reset -f")
        answer = started.run(LOAD + f"fake.client.runs.clear(); fake.client.script = {script}")
        assert answer.traceback == ""
        return started

    return ready


def test_without_a_person_the_cell_waits_and_leaves_one_picture(cells):
    answer = cells("workflows.at_once").run(DIAMOND)
    assert (answer.status, answer.kinds) == ("ok", [HTML])
    assert "✔ D" in answer.outputs[0]["data"]["text/plain"]
    assert "hello from A" in answer.outputs[0]["data"]["text/html"]


def test_without_a_person_a_failed_workflow_fails_its_cell(cells):
    answer = cells("workflows.fails").run(DIAMOND)
    assert answer.status == "error"
    assert "workflow diamond ended in phase Failed" in answer.traceback
    assert "ValueError: no data" in answer.traceback
    assert "Traceback" not in answer.traceback
    assert answer.kinds == [HTML]
    assert "✖ C" in answer.outputs[0]["data"]["text/plain"]


def test_no_wait_opts_out(cells):
    kernel = cells("workflows.until_stopped")
    answer = kernel.run(DIAMOND.replace("%%workflow run", "%%workflow run --no-wait"))
    assert (answer.status, answer.kinds) == ("ok", [HTML])
    assert kernel.run("print(run.phase)").text in ("Pending\n", "Running\n")
    assert kernel.run("run.stop().wait(check=False).phase").outputs[0]["data"]["text/plain"] == "'Failed'"


def test_with_a_person_the_cell_returns_at_once_and_shows_both(cells):
    kernel = cells("workflows.until_stopped")
    answer = kernel.run(DIAMOND, person=True)
    assert (answer.status, answer.kinds) == ("ok", [HTML, LIVE])
    assert answer.outputs[1]["data"]["text/plain"] == "(live view: run this cell to interact)"
    kernel.run("run.stop().wait(check=False)")


def test_the_value_of_the_cell_is_the_run(cells):
    kernel = cells("workflows.at_once")
    kernel.run(DIAMOND, person=True)
    assert kernel.run("print(_ is run, run.name)", person=True).text == "True diamond\n"
    assert kernel.run("run", person=True).kinds == [HTML, LIVE]


def test_wait_waits_in_the_cell(cells):
    kernel = cells("workflows.at_once")
    answer = kernel.run(DIAMOND.replace("%%workflow run", "%%workflow run --wait"), person=True)
    assert (answer.status, answer.kinds) == ("ok", [HTML, LIVE])
    assert kernel.run("print(run.phase)").text == "Succeeded\n"


def test_an_interrupt_ends_the_waiting_and_not_the_workflow(cells):
    kernel = cells("workflows.until_stopped")
    message = kernel.client.execute(
        DIAMOND.replace("%%workflow run", "%%workflow run --wait"), allow_stdin=True
    )
    while "LIVE" not in str(kernel.client.get_iopub_msg(timeout=30)).replace("live view", "LIVE"):
        pass
    kernel.manager.interrupt_kernel()
    answer = kernel.collect(message)
    assert answer.status == "error"
    assert answer.traceback == (
        "DetachedError: stopped waiting; workflow diamond goes on\n"
        "  fix: %workflow stop diamond ends it, %workflow watch diamond shows it again"
    )
    assert kernel.run("print(run.phase, run.stop().wait(check=False).phase)").text == "Running Failed\n"


def test_a_refused_manifest_shows_the_lines_of_the_cell(cells):
    kernel = cells()
    answer = kernel.run(
        "\n" + DIAMOND.replace("template: echo, dependencies: [A]", "template: eco, dependencies: [A]")
    )
    assert answer.status == "error"
    assert "cell:13:29" in answer.traceback
    assert "cell:14:29" in answer.traceback
    assert "did you mean" in answer.traceback
    assert "Traceback" not in answer.traceback
    assert kernel.run("print(len(fake.client.runs))").text == "0\n"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("my-run", "NbflowError: 'my-run' is no name for a Python variable"),
        ("run -p x={nope}", "NbflowError: {nope}: there is no Python variable 'nope'"),
        ("run --wiat", "NbflowError: No such option"),
        ("run more.yaml", "NbflowError: 'more.yaml' is one word too many: the cell is the manifest"),
    ],
)
def test_a_wrong_line_is_one_clear_message(cells, line, problem):
    answer = cells().run(DIAMOND.replace("%%workflow run", f"%%workflow {line}"))
    assert answer.status == "error"
    assert answer.traceback.startswith(problem)
    assert "Traceback" not in answer.traceback


def test_python_values_become_parameters(cells):
    kernel = cells("workflows.at_once")
    manifest = DIAMOND.replace(
        "entrypoint: main",
        "entrypoint: main\n  arguments: {parameters: [{name: x, value: '{{workflow.name}}'}]}",
    )
    kernel.run("x = {'a': [1, 2]}")
    assert kernel.run(manifest.replace("%%workflow run", "%%workflow run -p x={x}")).status == "ok"
    assert kernel.run("print(run.workflow.spec['arguments'])").text == (
        "{'parameters': [{'name': 'x', 'value': '{\"a\": [1, 2]}'}]}\n"
    )


def test_a_dict_of_parameters_and_one_of_them_on_the_line(cells):
    kernel = cells("workflows.at_once")
    given = "entrypoint: main\n  arguments: {parameters: [{name: x, value: a}, {name: z, value: b}]}"
    manifest = DIAMOND.replace("entrypoint: main", given)
    kernel.run("conf = {'x': 1, 'z': True}")
    assert (
        kernel.run(manifest.replace("%%workflow run", "%%workflow run --params conf -p x=2")).status == "ok"
    )
    assert kernel.run("print(run.parameters)").text == "{'x': '2', 'z': 'true'}\n"


def test_a_failed_workflow_does_not_fail_its_cell_where_that_was_asked_for(cells):
    kernel = cells("workflows.fails")
    answer = kernel.run(DIAMOND.replace("%%workflow run", "%%workflow run --no-raise"))
    assert (answer.status, answer.kinds) == ("ok", [HTML])
    assert kernel.run("print(run.phase)").text == "Failed\n"


def test_warnings_stand_under_the_cell_with_their_lines(cells):
    kernel = cells("workflows.at_once")
    answer = kernel.run(DIAMOND.replace("{name: A, ", "{name: A, onExit: bye, "))
    assert (answer.status, answer.kinds) == ("ok", [HTML, HTML])
    shown = answer.outputs[0]["data"]
    assert shown["text/plain"].splitlines()[:4] == [
        "1 warning",
        "cell:11:27: warning: the hook's template name 'bye' is undefined",
        "  10 │       tasks:",
        "  11 │       - {name: A, onExit: bye, template: echo}",
    ]
    assert "<script" not in shown["text/html"]


def test_a_line_that_is_meant_can_be_copied(cells):
    answer = cells().run(
        DIAMOND.replace("template: echo, dependencies: [A]", "template: eco, dependencies: [A]")
    )
    assert "write:\x1b[0m - {name: B, template: echo, dependencies: [A]}" in answer.traceback


def test_a_cell_without_a_name_that_runs_again_tells_of_the_one_before(cells):
    kernel = cells("workflows.start")
    again = DIAMOND.replace("metadata: {name: diamond}", "metadata: {generateName: diamond-}").replace(
        " run", "", 1
    )
    first = kernel.run(again, person=True, cell="one")
    assert (first.status, first.text) == ("ok", "")
    name = kernel.run("print(list(fake.client.runs)[-1])").text.strip()
    assert kernel.run(again, person=True, cell="two").text == ""
    assert kernel.run(again, person=True, cell="one").text == (
        f"workflow {name} of before goes on; `%workflow stop {name}` ends it\n"
    )
    kernel.run("for one in fake.client.runs.values(): workflows.end(one)")


def test_a_dry_run_prints_and_creates_nothing(cells):
    kernel = cells()
    answer = kernel.run(DIAMOND.replace("%%workflow run", "%%workflow --dry-run -o yaml"))
    assert (answer.status, answer.traceback) == ("ok", "")
    assert "kind: Workflow" in answer.text
    assert kernel.run("print(len(fake.client.runs))").text == "0\n"


def test_a_verb_does_what_the_command_line_does(cells):
    kernel = cells("workflows.at_once")
    kernel.run(DIAMOND)
    assert kernel.run("%workflow list").text.splitlines()[1].split()[:2] == ["diamond", "Succeeded"]
    assert kernel.run("%workflow logs @latest").text == "diamond-echo-1786869086: hello from A\n"
    watched = kernel.run("again = %workflow watch @latest\nprint(again.name)", person=True)
    assert watched.text == "diamond\n"
    assert watched.kinds == [HTML, LIVE]
    graph = kernel.run("%workflow graph diamond")
    assert "image/svg+xml" in graph.kinds[0]
    assert kernel.run("%workflow graph diamond -o dot").text.startswith("digraph workflow {")
    unknown = kernel.run("%workflow get nothing")
    assert unknown.traceback.startswith("NotFoundError: no workflow nothing")
    assert kernel.run("%workflow lst").traceback == (
        "NbflowError: No such command 'lst'\n  fix: did you mean `%workflow list`?"
    )
    assert kernel.run("%workflow xyz").traceback.endswith("fix: `%workflow --help` shows all verbs")


def test_a_verb_takes_a_run_by_its_variable(cells):
    kernel = cells("workflows.until_stopped")
    kernel.run(DIAMOND, person=True)
    assert kernel.run("%workflow stop {run}").text == "workflow diamond stopped\n"
    assert kernel.run("print(run.wait(check=False).phase)").text == "Failed\n"


def test_a_cell_that_runs_again_tells_of_the_workflow_that_goes_on(cells):
    kernel = cells("workflows.start")
    again = DIAMOND.replace("metadata: {name: diamond}", "metadata: {generateName: diamond-}")
    kernel.run(again, person=True)
    name = kernel.run("print(run.name)").text.strip()
    assert kernel.run(again, person=True).text == (
        f"workflow {name} of before goes on; `%workflow stop {name}` ends it\n"
    )
    kernel.run("for one in fake.client.runs.values(): workflows.end(one)")
    assert kernel.run(again, person=True).text == ""
    kernel.run("workflows.end(fake.newest())")


def test_the_list_is_live_where_a_person_sits_in_front(cells):
    kernel = cells("workflows.at_once")
    kernel.run(DIAMOND)
    shown = kernel.run("%workflow list --completed", person=True)
    assert shown.kinds == [HTML, LIVE]
    saved = shown.outputs[0]["data"]
    assert saved["text/plain"].splitlines()[1].split()[:2] == ["diamond", "Succeeded"]
    assert "<td" in saved["text/html"]
    assert "✔ Succeeded" in saved["text/html"]
    assert kernel.run("%workflow list -o name", person=True).text == "diamond\n"
    assert "--running cannot be used together" in kernel.run("%workflow list --running --completed").traceback


def test_watch_takes_the_flags_of_a_target(cells):
    kernel = cells("workflows.at_once")
    kernel.run(DIAMOND)
    for line in ("watch", "watch diamond", "watch --on sandbox", "watch --on sandbox diamond"):
        assert kernel.run(f"%workflow {line}", person=True).kinds == [HTML, LIVE], line
    assert "no workflow nothing" in kernel.run("%workflow watch nothing", person=True).traceback


def test_a_slip_in_the_kind_is_shown_at_its_line(cells):
    answer = cells().run(DIAMOND.replace("kind: Workflow", "kind: Workfow"))
    assert "cell:3:7: \x1b[1merror\x1b[0m: there is no workflow to run: kind is 'Workfow'" in answer.traceback
    assert "did you mean `Workflow`?" in answer.traceback


def test_what_is_only_stored_is_refused_with_the_verb_that_stores_it(cells):
    answer = cells().run(DIAMOND.replace("kind: Workflow", "kind: WorkflowTemplate"))
    assert "`%workflow template create FILE`" in answer.traceback


def test_submit_takes_files(cells, tmp_path):
    path = tmp_path / "diamond.yaml"
    path.write_text(DIAMOND.partition("\n")[2])
    kernel = cells("workflows.at_once")
    answer = kernel.run(f"run = %workflow submit {path}\nprint(run.phase)")
    assert (answer.traceback, answer.text) == ("", "Succeeded\n")
