"""The log of the live view: what a terminal would show, found, copied and saved, whatever comes."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from nbflow.clients.client import LogLine
from nbflow.spec.status import Phase
from nbflow.views.podnames import pod_name
from tests.browser.view import badge, becomes, button, lines, row, said, view
from tests.notebook.fake_client import node
from tests.notebook.workflows import diamond, end, start

HEIGHT = "document.querySelector('.nbflow-log .nbflow-virtual').clientHeight"
BODY = "document.querySelector('.nbflow-log')"


@pytest.fixture
def fake(client):
    run = client.add(diamond())
    start(run)
    return run


def search(page, text: str):
    view(page).get_by_role("searchbox", name="search the log").fill(text)


def height(page) -> int:
    """Rows of the log, seen or not."""
    return page.evaluate(f"{HEIGHT} / 18")


def work_of(session) -> float:
    """Seconds of CPU time that the page has worked."""
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return metrics["TaskDuration"]


def test_lines_look_as_at_a_terminal(bare, fake):
    page, _ = bare(fake.workflow)
    fake.say(
        "diamond.A",
        "\x1b[1;33mwarn\x1b[22m low\x1b[0m end", "\x1b[38;5;208mcube\x1b[39m \x1b[38;2;10;20;30mbytes\x1b[0m",
        "\x1b[44;4mnote\x1b[24m", "10%\r50%\r100%\r", "\x1b]0;title\x07\x1b[2Kplain\tend \x08\x00",
    )  # fmt: skip
    expect(lines(page)).to_have_text(
        ["Awarn low end", "Acube bytes", "Anote", "A100%", "Aplain    end ␈␀"], use_inner_text=False
    )
    styled = (
        lines(page)
        .locator(".nbflow-text span")
        .evaluate_all("all => all.map(one => [one.textContent, one.className, one.style.color])")
    )
    assert styled == [
        ["warn", "nbflow-bold nbflow-ansi-3", ""], [" low", "nbflow-ansi-3", ""],
        ["cube", "", "rgb(255, 135, 0)"], ["bytes", "", "rgb(10, 20, 30)"],
        ["note", "nbflow-underline nbflow-on-ansi-4", ""],
    ]  # fmt: skip


def test_long_lines_are_wrapped_as_a_terminal_wraps_them(bare, fake):
    page, _ = bare(fake.workflow)
    fake.say("diamond.A", "x" * 1000, "\x1b[31m" + "y" * 500)
    texts = "[...document.querySelectorAll('.nbflow-text')].map((one) => one.textContent)"
    becomes(page, f"{texts}.join('')", "x" * 1000 + "y" * 500)
    assert len(page.evaluate(texts)) > 10
    expect(lines(page).last.locator(".nbflow-ansi-1")).to_have_count(1)
    overflow = page.evaluate(f"{BODY}.scrollWidth > {BODY}.clientWidth")
    view(page).get_by_label("wrap").uncheck()
    expect(lines(page)).to_have_count(2)
    becomes(page, f"{BODY}.scrollWidth > {BODY}.clientWidth", True)
    assert overflow is False


def test_search_finds_marks_and_filters(bare, fake):
    page, _ = bare(fake.workflow)
    fake.say("diamond.A", *(f"line {number} of \x1b[31mma\x1b[0mny" for number in range(1000)))
    expect(lines(page).last).to_have_text("Aline 999 of many")
    search(page, "99 OF Man")
    found = view(page).locator(".nbflow-found")
    expect(found).to_have_text("1 of 10")
    expect(lines(page).filter(has_text="line 99 of")).to_be_visible()
    marked = lines(page).filter(has_text="line 99 of").locator("mark")
    expect(marked).to_have_text(["99 of ", "ma", "n"])
    view(page).get_by_role("searchbox", name="search the log").press("Shift+Enter")
    expect(found).to_have_text("10 of 10")
    expect(lines(page).filter(has_text="line 999 of")).to_be_visible()
    view(page).get_by_label("only matches").check()
    expect(lines(page)).to_have_text([re.compile(f"line {n}99 of") for n in ["", *range(1, 10)]])
    search(page, "no such text")
    expect(view(page).get_by_text("no line matches")).to_be_visible()
    search(page, "")
    becomes(page, f"{HEIGHT} / 18", 1000)


def test_the_log_follows_until_somebody_looks_back(bare, fake):
    page, _ = bare(fake.workflow)
    fake.say("diamond.A", *(f"line {number}" for number in range(100)))
    expect(lines(page).last).to_have_text("Aline 99")
    becomes(page, f"{BODY}.scrollHeight - {BODY}.scrollTop - {BODY}.clientHeight", 0)
    page.evaluate(f"{BODY}.scrollTop = 180")
    newest = button(page, "↓ newest")
    expect(newest).to_be_visible()
    fake.say("diamond.A", *(f"more {number}" for number in range(100)))
    becomes(page, HEIGHT, 200 * 18)
    assert page.evaluate(f"{BODY}.scrollTop") == 180
    newest.click()
    expect(lines(page).last).to_have_text("Amore 99")
    expect(newest).to_be_hidden()


def test_lines_tell_their_time_on_request(bare, fake):
    page, _ = bare(fake.workflow)
    at = datetime(2024, 5, 1, 12, 34, 56, tzinfo=UTC)
    pod = pod_name(fake.workflow, node("diamond.A"))
    with fake.news:
        fake.lines.append(LogLine(pod, "main", "hello", at))
        fake.news.notify_all()
    expect(lines(page)).to_have_text("Ahello")
    view(page).get_by_role("checkbox", name="time").check()
    local = page.evaluate(f"new Date({at.timestamp() * 1000}).toLocaleTimeString([], {{ hour12: false }})")
    expect(lines(page)).to_have_text(f"{local}Ahello")


def test_copy_and_download(bare, fake):
    page, _ = bare(fake.workflow)
    fake.change(node("diamond.B", Phase.RUNNING, boundary="diamond"))
    fake.say("diamond.A", *(f"\x1b[31mline {number}\x1b[0m" for number in range(5000)))
    fake.say("diamond.B", "other")
    expect(lines(page).last).to_have_text("Bother")
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    button(page, "Copy").click()
    expect(said(page)).to_have_text("5,001 lines are copied.")
    assert page.evaluate("window.copied").split("\n")[-2:] == ["A: line 4999", "B: other"]
    end(fake)
    expect(badge(page)).to_have_text("✔Succeeded")
    with page.expect_download() as saved:
        button(page, "Download").click()
    text = saved.value.path().read_text().splitlines()
    assert (saved.value.suggested_filename, len(text), text[-1]) == ("diamond.log", 5001, "B: other")
    row(page, "B").click()
    expect(lines(page)).to_have_text(["other"])
    with page.expect_download() as saved:
        button(page, "Download").click()
    assert saved.value.suggested_filename == "diamond-B.log"
    assert saved.value.path().read_text() == "other\n"
    expect(said(page)).to_have_text("diamond-B.log is saved where the browser puts downloads.")


def test_five_thousand_lines_a_second_arrive_without_a_gap(bare, fake):
    page, _ = bare(fake.workflow)
    expect(badge(page)).to_have_text("●Running")
    expect(row(page, "A")).to_be_visible()
    hellos = "window.asked.filter((one) => one.do === 'hello').length"
    before, stop = page.evaluate(hellos), threading.Event()

    def talk():
        for batch in range(60):
            fake.say("diamond.A", *(str(batch * 250 + number) for number in range(250)))
            stop.wait(0.05)

    talker = threading.Thread(target=talk)
    talker.start()
    talker.join()
    expect(lines(page).last).to_have_text("A14999")
    assert height(page) == 15_000
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    button(page, "Copy").click()
    expect(said(page)).to_have_text("15,000 lines are copied.")
    assert page.evaluate("window.copied").split("\n") == [f"A: {number}" for number in range(15_000)]
    assert page.evaluate(hellos) == before, "no message was lost"


def test_a_flood_is_bounded_and_says_what_is_left_out(bare, fake):
    page, _ = bare(fake.workflow)
    fake.say("diamond.A", *(f"{number} " + "z" * 100 for number in range(200_000)))
    expect(lines(page).last).to_contain_text("199999 z")
    note = view(page).locator(".nbflow-note")
    expect(note).to_have_text(
        re.compile(r"^[\d,]+ earlier lines are not shown here; Download has them all\.$")
    )
    left = int(note.inner_text().split()[0].replace(",", ""))
    assert (
        left + page.evaluate("document.querySelector('.nbflow-log .nbflow-virtual').clientHeight / 18")
        == 200_000
    )
    assert view(page).locator("*").count() < 700


def test_a_hundred_megabytes_without_a_line_end_neither_freeze_nor_fill(bare, fake):
    page, _ = bare(fake.workflow)
    session = page.context.new_cdp_session(page)
    session.send(
        "Performance.enable", {"timeDomain": "threadTicks"}
    )  # CPU time: a busy machine does not stretch it
    worked = work_of(session)
    for _ in range(100):  # a client gives a line without an end in pieces of a megabyte
        fake.say("diamond.A", "\x00\x1b[31m\ufffd" * 250_000)
    fake.say("diamond.A", "the end")
    expect(lines(page).last).to_have_text("Athe end")
    search(page, "more characters")
    expect(view(page).locator(".nbflow-found")).to_have_text("1 of 100")
    assert work_of(session) - worked < 2


def test_lines_of_a_node_replace_those_of_all(bare, fake):
    page, _ = bare(fake.workflow)
    fake.change(*(node(f"diamond.{name}", Phase.RUNNING, boundary="diamond") for name in "BC"))
    fake.say("diamond.A", "one")
    fake.say("diamond.B", "two", "three")
    expect(lines(page)).to_have_text(["Aone", "Btwo", "Bthree"])
    row(page, "B").click()
    expect(lines(page)).to_have_text(["two", "three"])
    fake.say("diamond.A", "unseen")
    fake.say("diamond.B", "four")
    expect(lines(page)).to_have_text(["two", "three", "four"])
    row(page, "C").click()
    expect(view(page).get_by_text("C has written no lines yet")).to_be_visible()
    row(page, "diamond").click()
    expect(lines(page)).to_have_text(["Aone", "Btwo", "Bthree", "Aunseen", "Bfour"])
    fake.change(replace(node("diamond.D", Phase.RUNNING, boundary="diamond")))
    fake.say("diamond.D", "five")
    expect(lines(page).last).to_have_text("Dfive")
