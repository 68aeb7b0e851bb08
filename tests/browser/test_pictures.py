"""How it looks: pictures for people (NBFLOW_SCREENSHOTS names their folder), and what no picture may show."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from nbflow.notebook.listing import Listing
from nbflow.spec.status import NodeType, Phase
from tests.browser.stage import Stage
from tests.browser.test_link import CONTRAST
from tests.browser.view import button, lines, row, shape, tab, view
from tests.notebook.fake_client import node
from tests.notebook.workflows import diamond, end, start

NAME = "train-x7k2p"
# Elements whose text sticks out of the view to the right.
STICKS_OUT = """() => {
  const right = document.querySelector('.nbflow-view').getBoundingClientRect().right;
  const out = (one) => one.checkVisibility() && one.getBoundingClientRect().right > right + 1;
  return [...document.querySelectorAll('.nbflow-view > *, :is(.nbflow-header, .nbflow-actions, .nbflow-log-tools) > *')]
    .filter(out).map((one) => one.className);
}"""


def training(client):
    """A loop of a thousand pods, a retry, and a node that waits for somebody."""
    tasks = [
        {"name": "load", "template": "load"},
        {"name": "train", "template": "train", "dependencies": ["load"], "withSequence": {"count": "1000"}},
        {"name": "check", "template": "check", "dependencies": ["load"]},
        {"name": "approve", "template": "approve", "dependencies": ["train", "check"]},
        {"name": "deploy", "template": "load", "dependencies": ["approve"]},
    ]
    names = ("load", "train", "check")
    templates = [
        {"name": name, "container": {"image": "busybox", "command": ["sh", "-c", "echo hi"]}}
        for name in names
    ]
    main = {"name": "main", "dag": {"tasks": tasks}}
    workflow = diamond(NAME)
    spec = {"entrypoint": "main", "templates": [main, *templates, {"name": "approve", "suspend": {}}]}
    run = client.add(replace(workflow, spec=spec))
    run.change(*nodes(), phase=Phase.RUNNING, started_at=ago(300), progress="703/1004")
    run.say(f"{NAME}.load", "reading https://example.org/data.csv", "\x1b[32m48120 rows\x1b[0m")
    for turn in range(40):
        second = "\x1b[33mwarning\x1b[0m: the learning rate is high" if turn % 7 == 0 else "epoch 2 loss 0.4"
        run.say(f"{NAME}.train({turn}:{turn})", "epoch 1 loss 0.9", second)
    return run


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def inside(name: str, phase: Phase = Phase.SUCCEEDED, since: float = 280, until: float | None = None, **more):
    finished = ago(until) if until is not None else None
    template = name.partition("(")[0]
    started = ago(since) if phase is not Phase.PENDING else None
    return node(
        f"{NAME}.{name}",
        phase,
        boundary=NAME,
        template=template,
        started_at=started,
        finished_at=finished,
        **more,
    )


def nodes() -> list:
    turns = [
        inside(
            f"train({i}:{i})", phase, 280 - i / 4, 274 - i / 4 if phase.finished else None,
            message="Error (exit code 1)" if phase is Phase.FAILED else "",
        )
        for i, phase in enumerate(
            [Phase.SUCCEEDED] * 700 + [Phase.FAILED] * 2 + [Phase.RUNNING] * 10 + [Phase.PENDING] * 288
        )
    ]  # fmt: skip
    attempts = [
        inside("check(0)", Phase.FAILED, 280, 240, message="Error (exit code 3)"),
        inside("check(1)", Phase.SUCCEEDED, 239, 180),
    ]
    enum = {"name": "go", "enum": ["YES", "NO"], "default": "NO", "description": "Deploy to production?"}
    table = {"name": "table", "path": "/tmp/table.csv", "s3": {"key": f"{NAME}/table.csv"}}
    return [
        node(NAME, Phase.RUNNING, type=NodeType.DAG, template="main", started_at=ago(300)),
        inside(
            "load", Phase.SUCCEEDED, 300, 280,
            inputs={"parameters": [{"name": "source", "value": "https://example.org/data.csv"}]},
            outputs={"parameters": [{"name": "rows", "value": "48120"}], "artifacts": [table], "exitCode": "0"},
            extra={"resourcesDuration": {"cpu": 20, "memory": 60}},
        ),
        inside("train", Phase.RUNNING, type=NodeType.TASK_GROUP, children=tuple(one.id for one in turns)),
        *turns,
        inside("check", Phase.SUCCEEDED, 280, 180, type=NodeType.RETRY, children=tuple(one.id for one in attempts)),
        *attempts,
        inside(
            "approve", Phase.RUNNING, 20, type=NodeType.SUSPEND, message="the report is in outputs",
            inputs={"parameters": [enum]}, outputs={"parameters": [{"name": "go", "valueFrom": {"supplied": {}}}]},
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_large_run_looks_well(bare, client, shots, theme):
    client.target = "sandbox"
    page, _ = bare(training(client).workflow, dark=theme == "dark", size=(1100, 780))
    expect(lines(page)).not_to_have_count(0)
    expect(view(page).get_by_role("form")).to_be_visible()
    page.screenshot(path=shots / f"run-{theme}.png")
    assert page.evaluate(STICKS_OUT) == []
    assert page.evaluate(CONTRAST) == []
    for name in ("train ×1000", "check"):
        shape(page, name).focus()
        page.keyboard.press(" ")
        expect(shape(page, name)).to_have_attribute("data-fold", "open")
    row(page, "load").click()
    tab(page, "Details").click()
    expect(view(page).locator(".nbflow-detail")).to_contain_text("48120")
    page.screenshot(path=shots / f"details-{theme}.png")
    assert page.evaluate(CONTRAST) == []
    tab(page, "Timeline").click()
    view(page).get_by_role("combobox", name="phase").select_option("Failed")
    expect(view(page).get_by_text("3 of 1007 nodes")).to_be_visible()
    page.screenshot(path=shots / f"timeline-{theme}.png")
    page.set_viewport_size({"width": 420, "height": 1100})
    assert page.evaluate(STICKS_OUT) == []
    page.screenshot(path=shots / f"narrow-{theme}.png")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_list_looks_well(bare, client, shots, theme):
    client.target = "sandbox"
    training(client)
    for name, bad in (("report-8kfzq", {}), ("import-v2rtw", {"C": Phase.FAILED, "D": Phase.OMITTED})):
        run = client.add(diamond(name))
        start(run)
        end(run, **bad)
    stage = Stage(shows="list", dark=theme == "dark")
    listing = Listing(client, client.list, stage.say)
    stage.traits["opening"], stage.take = listing.opening(client.list()), listing.take
    page, _ = bare(stage=stage, dark=theme == "dark", size=(1100, 780))
    button(page, "import-v2rtw").click()
    expect(shape(page, "C")).to_have_attribute("data-phase", "Failed")
    page.screenshot(path=shots / f"list-{theme}.png")
    assert page.evaluate(STICKS_OUT) == []
    assert page.evaluate(CONTRAST) == []
