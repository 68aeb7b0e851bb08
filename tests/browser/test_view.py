"""The live view on a bare page, with the real feed behind it and a client that does what the test says."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from nbflow.clients.client import Request
from nbflow.spec.status import NodeType, Phase, WorkflowObject, WorkflowStatus
from tests.browser.view import badge, button, lines, row, rows, said, shape, tab, view
from tests.notebook import workflows
from tests.notebook.fake_client import node, node_id
from tests.notebook.workflows import diamond, end, start


@pytest.fixture
def fake(client):
    return client.add(diamond())


def loop(fake, count: int, phase: Phase = Phase.RUNNING) -> list:
    """Task B is a loop; the nodes of its turns."""
    fake.workflow.spec["templates"][0]["dag"]["tasks"][1]["withSequence"] = {"count": str(count)}
    owner = node("diamond.B", Phase.RUNNING, type=NodeType.TASK_GROUP, boundary="diamond")
    turns = [node(f"diamond.B({i}:{i})", phase, boundary="diamond") for i in range(count)]
    return [replace(owner, children=tuple(turn.id for turn in turns)), *turns]


# --- the run as it goes


def test_nodes_change_colour_and_sign_and_word(bare, fake):
    page, _ = bare(fake.workflow)
    expect(badge(page)).to_have_text("◷Pending")
    for name in "ABCD":
        expect(shape(page, name)).to_have_attribute("data-phase", "Pending")
    start(fake)
    expect(badge(page)).to_have_text("●Running")
    expect(shape(page, "A")).to_have_attribute("data-phase", "Running")
    expect(shape(page, "A")).to_have_attribute("aria-label", "A, Running")
    expect(shape(page, "B")).to_have_attribute("aria-label", "B, Pending, after A")
    end(fake)
    expect(badge(page)).to_have_text("✔Succeeded")
    for name in "ABCD":
        expect(shape(page, name).locator("text").first).to_have_text(f"✔ {name}")
    expect(rows(page)).to_have_text(["All nodes", "▾✔diamond5s", "✔A5s", "✔B5s", "✔C5s", "✔D5s"])
    expect(view(page).get_by_role("progressbar")).to_have_attribute("aria-valuenow", "4")


def test_a_failure_names_the_child(bare, fake):
    page, _ = bare(fake.workflow)
    start(fake)
    child = workflows.ids(fake, "A")[0]
    fake.change(message=f"child '{child}' failed")
    end(fake, A=Phase.FAILED)
    message = view(page).locator(".nbflow-message span")
    expect(message).to_have_text(f"child '{child}' failed: A: Error (exit code 3)")
    button(page, "Show it").click()
    expect(row(page, "A")).to_have_attribute("aria-selected", "true")


def test_a_failed_dag_names_the_node_that_failed(bare, fake):
    page, _ = bare(fake.workflow)
    attempts = (node_id("diamond.A(0)"),)
    fake.change(
        node("diamond.A", Phase.SUCCEEDED, type=NodeType.RETRY, boundary="diamond", children=attempts),
        node("diamond.A(0)", Phase.FAILED, boundary="diamond", message="the next attempt succeeds"),
    )  # fmt: skip
    end(fake, C=Phase.FAILED, D=Phase.OMITTED)
    expect(view(page).locator(".nbflow-message span")).to_have_text("failed: C: Error (exit code 3)")
    button(page, "Show it").click()
    expect(row(page, "C")).to_have_attribute("aria-selected", "true")


def test_earlier_runs_tell_how_long_it_will_take(bare, client):
    for index, seconds in enumerate((100, 120, 200)):
        old = diamond(f"diamond-{index}")
        status = WorkflowStatus(
            Phase.SUCCEEDED,
            started_at=datetime(2024, 1, 1, tzinfo=UTC),
            finished_at=datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds),
        )
        client.add(WorkflowObject({**old.metadata, "generateName": "diamond-"}, old.spec, status))
    new = diamond("diamond-x")
    fake = client.add(replace(new, metadata={**new.metadata, "generateName": "diamond-"}))
    page, _ = bare(fake.workflow)
    root = node("diamond-x", Phase.RUNNING, type=NodeType.DAG)
    fake.change(root, phase=Phase.RUNNING, started_at=datetime.now(UTC), progress="0/1")
    left = view(page).locator(".nbflow-left")
    expect(left).to_have_text(re.compile(r"^about (2 min|1\d\d s) left$"))
    expect(left).to_have_attribute("title", "3 earlier runs took 2:00")


# --- the graph


def test_a_click_on_a_shape_selects_its_node(bare, fake):
    page, _ = bare(fake.workflow)
    start(fake)
    fake.say("diamond.A", "one")
    expect(shape(page, "A")).to_have_attribute("data-phase", "Running")
    shape(page, "D").click()
    expect(said(page)).to_have_text("D has not started yet.")
    end(fake)
    expect(shape(page, "D")).to_have_attribute("data-phase", "Succeeded")
    shape(page, "A").click()
    expect(row(page, "A")).to_have_attribute("aria-selected", "true")
    expect(shape(page, "A")).to_have_attribute("aria-pressed", "true")
    expect(lines(page)).to_have_text(["one"])


def test_the_keyboard_reaches_every_shape(bare, fake):
    page, _ = bare(fake.workflow)
    end(fake)
    expect(badge(page)).to_have_text("✔Succeeded")
    shape(page, "A").focus()
    for key, name in (("ArrowDown", "B"), ("ArrowRight", "C"), ("ArrowDown", "D"), ("ArrowUp", "B")):
        page.keyboard.press(key)
        expect(shape(page, name)).to_be_focused()
    page.keyboard.press("Enter")
    expect(row(page, "B")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(row(page, "B")).to_have_attribute("aria-selected", "false")


def test_zoom_pan_and_fit(bare, fake):
    page, _ = bare(fake.workflow)
    svg = view(page).locator(".nbflow-canvas svg")
    before = svg.bounding_box()
    button(page, "+").click()
    after = svg.bounding_box()
    assert after["width"] > before["width"]
    box = view(page).locator(".nbflow-canvas").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 70, box["y"] + 50, steps=4)
    page.mouse.up()
    moved = svg.bounding_box()
    assert (round(moved["x"] - after["x"]), round(moved["y"] - after["y"])) == (50, 30)
    page.mouse.wheel(0, -200)
    assert svg.bounding_box() == moved, "the wheel alone belongs to the page"
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    page.wait_for_function(
        "w => document.querySelector('.nbflow-canvas svg').clientWidth > w", arg=moved["width"]
    )
    button(page, "Fit").click()
    assert svg.bounding_box() == before
    shape(page, "A").focus()
    page.keyboard.press("-")
    assert svg.bounding_box()["width"] < before["width"]


def test_a_loop_of_a_thousand_is_one_shape_that_opens_on_demand(bare, fake):
    page, _ = bare(fake.workflow)
    start(fake)
    fake.change(*loop(fake, 1000))
    stack = shape(page, "B ×1000")
    expect(stack).to_have_attribute("data-fold", "shut")
    expect(stack.locator("text").nth(1)).to_have_text("● 1000")
    expect(view(page).locator(".nbflow-canvas .node[data-node]")).to_have_count(4)
    fake.change(node("diamond.B(7:7)", Phase.FAILED, boundary="diamond", message="broken"))
    expect(stack.locator("text").nth(1)).to_have_text("● 999  ✖ 1")
    expect(stack).to_have_attribute("data-phase", "Failed")
    stack.focus()
    page.keyboard.press(" ")
    expect(shape(page, "B(7:7)")).to_have_attribute("data-phase", "Failed")
    expect(view(page).locator(".nbflow-canvas .node[data-node]")).to_have_count(104)
    expect(shape(page, "900 more")).to_have_attribute("data-fold", "more")
    expect(stack).to_be_focused()
    shape(page, "900 more").click()
    expect(shape(page, "800 more")).to_be_attached()
    stack.locator(".nbflow-fold-sign").click()
    expect(view(page).locator(".nbflow-canvas .node[data-node]")).to_have_count(4)


def test_the_sign_of_a_fold_stands_in_its_corner_however_the_view_came_into_the_page(bare, fake):
    page, _ = bare(fake.workflow)
    fake.change(*loop(fake, 1000))
    expect(shape(page, "B ×1000")).to_be_visible()
    page.evaluate(
        "() => { window.unmount(); const cell = document.createElement('div'); window.mount(cell);"
        " document.body.append(cell); }"
    )
    stack = shape(page, "B ×1000")
    outline, sign = (stack.locator(what).first.bounding_box() for what in ("polygon", ".nbflow-fold-sign"))
    right = outline["x"] + outline["width"]
    assert right - 25 < sign["x"] < right
    assert outline["y"] - 5 < sign["y"] < outline["y"] + 15
    middle = stack.locator("text").nth(1).bounding_box()
    assert middle["x"] + middle["width"] / 2 == pytest.approx(outline["x"] + outline["width"] / 2, abs=3)


def test_the_rounds_of_a_loop_of_steps_open_and_close_under_its_name(bare, client):
    workflow = diamond("steps")
    each = {"name": "each", "template": "echo", "withSequence": {"count": "60"}}
    templates = [{"name": "main", "steps": [[each]]}, workflow.spec["templates"][1]]
    fake = client.add(replace(workflow, spec={"entrypoint": "main", "templates": templates}))
    page, _ = bare(fake.workflow)
    rounds = [node(f"steps[0].each({i}:{i})", Phase.RUNNING, boundary="steps") for i in range(60)]
    group = node("steps[0]", Phase.RUNNING, type=NodeType.STEP_GROUP, boundary="steps")
    fake.change(
        node("steps", Phase.RUNNING, type=NodeType.STEPS),
        replace(group, children=tuple(one.id for one in rounds)),
        *rounds,
        phase=Phase.RUNNING,
    )
    expect(rows(page)).to_have_text(["All nodes", re.compile("steps"), "▸●each● 60"])
    fake.say("steps[0].each(7:7)", "seven")
    row(page, "each").click()
    expect(lines(page)).to_have_text("each(7:7)seven")
    row(page, "each").locator(".nbflow-fold").click()
    expect(row(page, "each(0:0)")).to_have_attribute("aria-level", "3")


def test_a_moved_view_stays_where_it_is_when_the_graph_grows(bare, fake):
    page, _ = bare(fake.workflow)
    start(fake)
    button(page, "+").click()
    transform = "document.querySelector('.nbflow-canvas svg').style.transform"
    before = page.evaluate(transform)
    fake.change(*loop(fake, 3))
    expect(shape(page, "B(2:2)")).to_be_attached()
    assert page.evaluate(transform) == before


# --- the list of nodes


def test_the_list_is_walked_by_keys_and_opens_and_closes(bare, fake):
    page, _ = bare(fake.workflow)
    start(fake)
    fake.change(*loop(fake, 3))
    expect(rows(page)).to_have_count(7)
    tree = view(page).get_by_role("tree", name="nodes")
    tree.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    expect(row(page, "B")).to_have_attribute("aria-expanded", "false")
    expect(row(page, "B").locator(".nbflow-row-fact")).to_have_text("● 3")
    expect(rows(page)).to_have_count(4)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(row(page, "B(2:2)")).to_have_attribute("aria-selected", "true")
    active = tree.get_attribute("aria-activedescendant")
    assert row(page, "B(2:2)").get_attribute("id") == active
    page.keyboard.press("ArrowLeft")
    assert row(page, "B").get_attribute("id") == tree.get_attribute("aria-activedescendant")


def test_search_and_phase_filter(bare, fake):
    page, _ = bare(fake.workflow)
    start(fake)
    failed = node("diamond.B(40:40)", Phase.FAILED, boundary="diamond", message="no such file")
    fake.change(*loop(fake, 60), failed)
    expect(rows(page)).to_have_text(
        ["All nodes", re.compile("diamond"), re.compile("A"), re.compile("▸●B● 59  ✖ 1")]
    )
    search = view(page).get_by_role("searchbox", name="search nodes")
    search.fill("such FILE")
    expect(rows(page)).to_have_text(
        [re.compile(name) for name in ("All nodes", "diamond", "B", r"B\(40:40\)no such file")]
    )
    expect(view(page).get_by_text("1 of 63 nodes")).to_be_visible()
    search.fill("")
    view(page).get_by_role("combobox", name="phase").select_option("Failed")
    expect(row(page, "B(40:40)")).to_be_visible()
    expect(rows(page)).to_have_count(4)
    fake.change(node("diamond.B(41:41)", Phase.FAILED, boundary="diamond"))
    expect(rows(page)).to_have_count(5)


def test_five_thousand_nodes_make_few_elements(bare, fake):
    page, _ = bare(fake.workflow)
    start(fake)
    fake.change(*loop(fake, 5000))
    row(page, "B").locator(".nbflow-fold").click()
    expect(row(page, "B(3:3)")).to_be_visible()
    view(page).get_by_role("tree", name="nodes").press("End")
    expect(row(page, "B(4999:4999)")).to_be_visible()
    assert rows(page).count() < 40
    assert view(page).locator("*").count() < 900


# --- the timeline


def test_the_timeline_shows_when_each_node_ran(bare, fake):
    page, _ = bare(fake.workflow)
    start(fake)

    def after(seconds):
        return workflows.START + timedelta(seconds=seconds)

    root = node("diamond", Phase.FAILED, type=NodeType.DAG, started_at=after(0), finished_at=after(20))
    fake.change(
        node("diamond.A", Phase.SUCCEEDED, boundary="diamond", started_at=after(0), finished_at=after(10)),
        node("diamond.B", Phase.FAILED, boundary="diamond", started_at=after(10), finished_at=after(20)),
        root,
        phase=Phase.FAILED,
        finished_at=after(20),
    )
    tab(page, "Timeline").click()
    bars = view(page).get_by_role("listitem")
    expect(bars).to_have_count(3)
    labels = [bars.nth(index).get_attribute("aria-label") for index in range(3)]
    assert labels == [
        "diamond, Failed, began after <1s, took 20s",
        "A, Succeeded, began after <1s, took 10s",
        "B, Failed, began after 10s, took 10s",
    ]
    boxes = [bars.nth(index).locator(".nbflow-time-bar").bounding_box() for index in range(3)]
    assert boxes[1]["x"] == pytest.approx(boxes[0]["x"], abs=1)
    assert boxes[2]["x"] == pytest.approx(boxes[0]["x"] + boxes[0]["width"] / 2, abs=1)
    assert boxes[2]["width"] == pytest.approx(boxes[0]["width"] / 2, abs=1)
    bars.nth(2).click()
    expect(row(page, "B")).to_have_attribute("aria-selected", "true")


# --- details


def test_details_tell_what_went_in_and_came_out(bare, fake):
    page, _ = bare(fake.workflow)
    start(fake)
    fake.change(
        node(
            "diamond.A", Phase.FAILED, boundary="diamond", message="Error (exit code 3)",
            inputs={"parameters": [{"name": "lr", "value": "0.1"}]},
            outputs={"exitCode": "3", "parameters": [{"name": "loss", "value": "x" * 12_000}],
                     "artifacts": [{"name": "model", "path": "/tmp/model", "s3": {"key": "a/model.tgz"}}]},
            extra={"resourcesDuration": {"cpu": 3, "memory": 10}, "hostNodeName": "node-7"},
        )
    )  # fmt: skip
    row(page, "A").click()
    tab(page, "Details").click()
    detail = view(page).locator(".nbflow-detail")
    expect(detail.locator(".nbflow-detail-message")).to_have_text("Error (exit code 3)")
    cells = detail.locator("tr")
    expect(cells.filter(has_text="lr")).to_have_text("lr0.1")
    expect(cells.filter(has_text="loss")).to_contain_text("x … (2,000 more characters)")
    expect(cells.filter(has_text="Exit code")).to_have_text("Exit code3")
    expect(cells.filter(has_text="Resources")).to_have_text("Resources3s*(1 cpu),10s*(100Mi memory)")
    expect(cells.filter(has_text="model")).to_contain_text("s3: a/model.tgz")
    expect(detail.locator(".nbflow-source")).to_have_text(
        "name: echo\ncontainer:\n  image: busybox\n  command:\n  - echo\n  - hi\n"
    )
    fake.change(node("diamond.A", Phase.SUCCEEDED, boundary="diamond", outputs={"exitCode": "0"}))
    expect(cells.filter(has_text="Exit code")).to_have_text("Exit code0")


def test_artifacts_are_looked_at_in_a_frame_without_rights_and_saved(bare, fake, client):
    data = {
        "page": b"<html><body>shown<script>parent.hacked=1</script></body></html>",
        "table": b"a,b\n1,2\n",
    }
    client.artifacts.update({(node_id("diamond.A"), name): content for name, content in data.items()})
    page, _ = bare(fake.workflow)
    artifacts = [{"name": "page", "path": "/tmp/page.html"}, {"name": "table", "path": "/tmp/t.csv"}]
    fake.change(node("diamond.A", Phase.SUCCEEDED, outputs={"artifacts": artifacts}))
    row(page, "A").click()
    tab(page, "Details").click()
    detail = view(page).locator(".nbflow-detail")
    detail.get_by_role("row", name="page").get_by_role("button", name="Open").click()
    frame = detail.frame_locator("iframe.nbflow-frame")
    expect(frame.frame_locator("iframe").locator("body")).to_have_text("shown")
    assert detail.locator("iframe").get_attribute("sandbox") == ""
    detail.get_by_role("row", name="table").get_by_role("button", name="Open").click()
    expect(frame.locator("td")).to_have_text(["1", "2"])
    with page.expect_download() as saved:
        detail.get_by_role("row", name="table").get_by_role("button", name="Save").click()
    assert (saved.value.suggested_filename, saved.value.path().read_bytes()) == ("t.csv", data["table"])
    assert page.evaluate("window.hacked") is None


def test_an_artifact_that_is_gone_says_so_where_it_was_asked_for(bare, fake):
    page, _ = bare(fake.workflow)
    fake.change(node("diamond.A", Phase.SUCCEEDED, outputs={"artifacts": [{"name": "model", "path": "/m"}]}))
    row(page, "A").click()
    tab(page, "Details").click()
    button(page, "Open").click()
    expect(view(page).locator(".nbflow-preview")).to_have_text("no artifact model")


# --- buttons


def test_stop_is_asked_for_twice(bare, fake):
    page, _ = bare(fake.workflow)
    start(fake)
    button(page, "Stop").click()
    question = view(page).get_by_role("group", name="please confirm")
    expect(question).to_contain_text("Stop diamond? Running pods end, then exit handlers run.")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    assert fake.asked == []
    button(page, "Stop").click()
    question.get_by_role("button", name="Stop").click()
    expect(said(page)).to_have_text("Stop was asked for: running pods end, then exit handlers run.")
    assert fake.asked == [Request("stop", message="Stopped in the notebook")]
    workflows.stopped(fake)
    expect(badge(page)).to_have_text("✖Failed")
    expect(button(page, "Stop")).to_be_hidden()


def test_suspend_resume_and_terminate(bare, fake):
    page, _ = bare(fake.workflow)
    start(fake)
    button(page, "Suspend").click()
    expect(said(page)).to_have_text("Suspended: no more nodes start until somebody resumes it.")
    fake.workflow = replace(fake.workflow, spec={**fake.workflow.spec, "suspend": True})
    fake.change()
    expect(badge(page)).to_have_text("ǁRunning (Suspended)")
    button(page, "Resume").click()
    expect(said(page)).to_have_text("It goes on.")
    button(page, "Terminate").click()
    view(page).get_by_role("group", name="please confirm").get_by_role("button", name="Terminate").click()
    expect(said(page)).to_contain_text("Terminate was asked for")
    assert [request.verb for request in fake.asked] == ["suspend", "resume", "terminate"]


def test_a_refusal_is_told(bare, fake, client):
    page, _ = bare(fake.workflow)
    start(fake)
    fake.finished_meanwhile = True
    button(page, "Suspend").click()
    expect(view(page).locator(".nbflow-said")).to_have_class(re.compile("nbflow-wrong"))
    expect(said(page)).to_have_text("workflow diamond is finished: Running")
    expect(button(page, "Suspend")).to_be_enabled()


def test_approving_asks_for_the_inputs(bare, fake):
    page, _ = bare(fake.workflow)
    start(fake)
    enum = {"name": "approve", "default": "NO", "enum": ["YES", "NO"], "description": "Deploy?"}
    supplied = [{"name": name, "valueFrom": {"supplied": {}}} for name in ("approve", "why")]
    fake.change(
        node(
            "diamond.A", Phase.RUNNING, type=NodeType.SUSPEND, boundary="diamond", message="look at the report",
            inputs={"parameters": [enum]}, outputs={"parameters": supplied},
        )
    )  # fmt: skip
    form = view(page).get_by_role("form", name="A waits for you")
    expect(form).to_contain_text("look at the report")
    choice = form.get_by_role("combobox")
    expect(choice).to_have_value("NO")
    expect(choice.locator("option")).to_have_text(["YES", "NO"])
    choice.select_option("YES")
    form.get_by_role("textbox").fill("it <is> fine")
    form.get_by_role("button", name="Submit").click()
    expect(said(page)).to_have_text("It goes on.")
    parameters = [{"name": "approve", "value": "YES"}, {"name": "why", "value": "it <is> fine"}]
    ids = (node_id("diamond.A"),)
    assert fake.asked == [Request("set", ids, outputs={"parameters": parameters}), Request("resume", ids)]
    fake.change(node("diamond.A", Phase.SUCCEEDED, type=NodeType.SUSPEND, boundary="diamond"))
    expect(form).to_be_hidden()


def test_rejecting_is_asked_for_twice(bare, fake):
    page, _ = bare(fake.workflow)
    start(fake)
    fake.change(node("diamond.A", Phase.RUNNING, type=NodeType.SUSPEND, boundary="diamond"))
    expect(row(page, "A")).to_have_text("ǁAwaits for you")
    button(page, "Reject").click()
    assert fake.asked == []
    view(page).get_by_role("button", name="Reject: sure?").click()
    expect(said(page)).to_have_text("Rejected: the node fails.")
    assert fake.asked == [Request("stop", (node_id("diamond.A"),), message="Rejected in the notebook")]


def test_retry_runs_it_on_in_the_same_view(bare, fake, client):
    def retry(name, options):
        kept = {one.id: one for one in fake.workflow.status.nodes.values() if one.phase is Phase.SUCCEEDED}
        status = replace(fake.workflow.status, nodes=kept, phase=Phase.RUNNING, finished_at=None, message="")
        fake.workflow = replace(fake.workflow, status=status)
        return fake.workflow

    client.retry, client.resubmit = retry, retry
    page, _ = bare(fake.workflow)
    end(fake, C=Phase.FAILED)
    expect(badge(page)).to_have_text("✖Failed")
    button(page, "Retry").click()
    view(page).get_by_role("group", name="please confirm").get_by_role("button", name="Retry").click()
    expect(badge(page)).to_have_text("●Running")
    expect(row(page, "C")).to_have_count(0)
    end(fake)
    expect(badge(page)).to_have_text("✔Succeeded")
    expect(button(page, "Retry")).to_be_hidden()


def test_resubmit_offers_the_new_run(bare, fake, client):
    client.retry = lambda *_: None
    client.resubmit = lambda name, options: client.add(diamond("again")).workflow
    page, _ = bare(fake.workflow)
    end(fake)
    button(page, "Resubmit").click()
    expect(said(page)).to_contain_text("Submitted again as again.")
    button(page, "Show it here").click()
    expect(view(page).locator(".nbflow-name")).to_have_text("again")
    expect(badge(page)).to_have_text("◷Pending")
    start(client.runs["again"])
    expect(shape(page, "A")).to_have_attribute("data-phase", "Running")


def test_without_retry_there_is_no_button_for_it(bare, fake):
    page, _ = bare(fake.workflow)
    end(fake)
    expect(badge(page)).to_have_text("✔Succeeded")
    for name in ("Retry", "Resubmit", "Stop", "Suspend"):
        expect(button(page, name)).to_be_hidden()
