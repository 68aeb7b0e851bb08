"""Completion in a real kernel, asked as a front end asks it."""

from __future__ import annotations

import pytest

from tests.browser.fake import DIAMOND
from tests.notebook.kernel import kernel

LOAD = "%load_ext nbflow\nfrom tests.browser import fake\nfrom tests.notebook import workflows\n"


@pytest.fixture(scope="module")
def started():
    with kernel() as one:
        assert one.run(LOAD + "fake.client.script = workflows.at_once").traceback == ""
        yield one


def completed(started, code: str):
    """The candidates at ▮: text -> what is said of it, and the text that they replace."""
    cursor = code.index("▮")
    code = code.replace("▮", "")
    started.client.complete(code, cursor)
    content = started.client.get_shell_msg(timeout=60)["content"]
    told = content["metadata"].get("_jupyter_types_experimental", [])
    assert [one["text"] for one in told] == content["matches"]
    return {one["text"]: one["type"].replace("\u00a0", " ") for one in told}, code[
        content["cursor_start"] : content["cursor_end"]
    ]


@pytest.fixture(params=["jedi", "no jedi"])
def asked(started, request):
    """Completion in a kernel with and without jedi, which must not mix anything of its own in."""
    started.run(f"%config Completer.use_jedi = {request.param == 'jedi'}")
    return lambda code: completed(started, code)


@pytest.mark.parametrize(
    ("code", "texts", "fragment"),
    [
        (DIAMOND.replace("template: echo}", "template: ec▮}", 1), {"echo": "container template"}, "ec"),
        (DIAMOND.replace("dependencies: [B, C]", "dependencies: [B, ▮"),
         {"A": "task · echo", "B": "task · echo", "C": "task · echo"}, ""),
        (DIAMOND.replace("  - name: echo", "  - name: echo\n    time▮"),
         {"timeout: ": "text · fail if it takes longer, waiting included, such as 1h"}, "time"),
        ("\n" + DIAMOND.replace("[echo, hi]", "[echo, '{{pod▮}}']"), {"pod.name": "name of the pod"}, "pod"),
        (DIAMOND.replace("image: busybox", "image: ▮", 1), {"": "<unknown>"}, ""),
        (DIAMOND.replace("image: busybox", "image: ab▮", 1), {"ab": "<unknown>"}, "ab"),
        ("%%workflow run --no-ra▮\n", {"--no-raise ": "a failed workflow does not fail its cell"}, "--no-ra"),
        ("%%workflow run --entrypoint m▮\n" + DIAMOND.partition("\n")[2], {"main ": "dag template"}, "m"),
        ("%workflow termi▮", {"terminate ": "terminate workflows immediately"}, "termi"),
        ("x = 1\n%workflow explain backo▮", {"backoff": "how long to wait between attempts"}, "backo"),
        ("%workflow logs --foll▮", {"--follow ": "Specify if the logs should be streamed."}, "--foll"),
        ("%workflow cron susp▮", {"suspend ": "Suspend cron workflows."}, "susp"),
    ],
    ids=lambda value: value[-20:] if isinstance(value, str) else "",
)  # fmt: skip
def test_our_cells_are_completed_with_ours_alone(asked, code, texts, fragment):
    found, replaced = asked(code)
    assert (found if len(found) < 5 else dict([*found.items()][:4]), replaced) == (texts, fragment)


def test_other_cells_are_left_to_others(started):
    started.run("import os")
    found, _ = completed(started, "os.getcw▮")
    assert "os.getcwd" in found or "getcwd" in found or ".getcwd" in found
    found, _ = completed(started, "%%workflo▮")
    assert "%%workflow" in found


def test_python_values_are_offered_where_they_flow_in(started):
    started.run("learning_rate = 0.1\nsettings = {'lr': 1}")
    assert completed(started, "%%workflow run -p lr={learn▮\n")[0] == {"learning_rate": "float"}
    assert "settings " in completed(started, "%%workflow run --params ▮\n")[0]
    manifest = "spec:\n  arguments:\n    parameters: [{name: lr, value: 1}]\n"
    assert completed(started, f"%%workflow run -p ▮\n{manifest}")[0] == {"lr=": "1 in the manifest"}


def test_workflows_are_offered_by_name_and_by_variable(started):
    started.run(DIAMOND)
    found, _ = completed(started, "%workflow get ▮")
    assert found == {"@latest ": "the newest workflow", "diamond ": "workflow", "{run} ": "workflow diamond"}


def test_loading_the_extension_again_does_not_double_anything(started):
    started.run("%reload_ext nbflow")
    count = (
        "len([m for m in get_ipython().Completer.custom_matchers if 'nbflow' in getattr(m, '__name__', '')])"
    )
    assert started.run(f"print({count})").text == "1\n"


def test_explain_in_a_cell(started):
    assert started.run("%workflow explain workflow.spec.entrypoint").text == (
        "FIELD     workflow.spec.entrypoint  (text)\n          name of the template to begin with\n"
    )
    assert started.run("%workflow explain entrypont").traceback == (
        "NbflowError: there is no field and no variable 'entrypont'\n  fix: did you mean `entrypoint`?"
    )
