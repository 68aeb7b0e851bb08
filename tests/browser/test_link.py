"""The view and its kernel: lost messages, silence, sleep, a dead end; and who looks elsewhere, or cannot look."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from nbflow.notebook.snapshot import snapshot
from nbflow.spec.status import Phase
from tests.browser.stage import Stage
from tests.browser.view import badge, becomes, button, row, rows, shape, tab, view
from tests.notebook.workflows import diamond, end, start

OPENED = "() => document.querySelector('.nbflow-badge')"


CONTRAST = """() => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return text.startsWith('color(') ? [r * 255, g * 255, b * 255, a] : [r, g, b, a];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const linear = (c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (e) => {
    const stack = [];
    for (let at = e; at; at = at.parentElement) stack.push(parse(getComputedStyle(at).backgroundColor));
    return stack.reverse().reduce((below, colour) => over(colour, below), [255, 255, 255, 1]);
  };
  const low = [];
  for (const e of document.querySelectorAll('.nbflow-view *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.checkVisibility() || e.closest('svg') || e.disabled) continue;
    const back = ground(e);
    const [a, b] = [light(over(parse(getComputedStyle(e).color), back)), light(back)].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) low.push([e.className, e.textContent.slice(0, 20), a, b]);
  }
  return low;
}"""


@pytest.fixture
def fake(client):
    return client.add(diamond())


def test_a_lost_message_is_noticed_and_made_up_for(bare, fake):
    page, stage = bare(fake.workflow)
    expect(badge(page)).to_have_text("◷Pending")
    say, lost = stage.live._tell, []
    hellos = "window.asked.filter((one) => one.do === 'hello').length"
    before = page.evaluate(hellos)

    def lose(message):
        if message.get("nodes") and not lost:
            with stage.news:
                lost.append(message)
                stage.news.notify_all()
        else:
            say(message)

    stage.live._tell = lose
    start(fake)
    with stage.news:
        assert stage.news.wait_for(lambda: lost, 60)
    fake.say("diamond.A", "hello")
    expect(row(page, "A")).to_be_visible()
    expect(view(page).locator(".nbflow-line")).to_have_text("Ahello")
    assert len(lost) == 1
    assert page.evaluate(hellos) == before + 1


def test_a_view_that_never_hears_of_its_kernel_leaves_the_place_to_the_snapshot(browser, bare, fake):
    page, _ = bare(fake.workflow)
    page.clock.install()
    page.add_init_script("window.deaf = true")
    page.reload()
    page.wait_for_function(OPENED)
    expect(view(page).locator(".nbflow-link")).to_have_text("connecting to the kernel …")
    page.clock.run_for(11_000)
    expect(page.locator(".nbflow-view")).to_have_count(1)
    expect(view(page)).to_have_count(0)


@pytest.fixture
def pair(bare, client, fake):
    """A page without anything of Jupyter's, in which the snapshot stands above the view."""
    stage = Stage()
    stage.before = snapshot(client, fake.workflow, pair="nbflow-pair:1")["text/html"]
    stage.traits["snapshot_id"] = "nbflow-pair:1"
    stage.show(client, fake.workflow.name)
    page, _ = bare(stage=stage)
    return page


def test_where_nothing_is_known_of_the_front_end_one_of_both_is_seen(pair):
    saved = pair.locator(".nbflow-snap")
    expect(view(pair)).to_be_visible()
    expect(saved).to_be_hidden()
    pair.evaluate("window.unmount()")
    expect(saved).to_be_visible()
    expect(pair.locator(".nbflow-view")).to_have_count(0)


def test_a_view_without_a_kernel_hides_itself_and_leaves_the_snapshot(pair):
    pair.clock.install()
    pair.add_init_script("window.deaf = true")
    pair.reload()
    pair.wait_for_function(OPENED)
    pair.clock.run_for(11_000)
    expect(pair.locator(".nbflow-snap")).to_be_visible()
    expect(pair.locator(".nbflow-view")).to_be_hidden()


@pytest.mark.parametrize(
    ("element", "name", "dark", "light"),
    [
        ("body", "data-jp-theme-light", "false", "true"),
        ("body", "data-vscode-theme-kind", "vscode-dark", "vscode-high-contrast-light"),
        ("body", "data-vscode-theme-kind", "vscode-high-contrast", "vscode-light"),
        ("documentElement", "theme", "dark", "light"),
    ],
)
def test_the_theme_of_the_front_end_is_followed(bare, fake, element, name, dark, light):
    page, _ = bare(fake.workflow)
    page.evaluate("document.body.removeAttribute('data-jp-theme-light')")
    for value, theme in ((dark, "dark"), (light, "light"), (dark, "dark")):
        page.evaluate(f"document.{element}.setAttribute('{name}', '{value}')")
        expect(view(page)).to_have_attribute("data-theme", theme)


def test_silence_is_told_with_its_age(bare, fake):
    page, _ = bare(fake.workflow)
    page.clock.install()
    page.reload()
    expect(badge(page)).to_have_text("◷Pending")
    expect(view(page).locator(".nbflow-link")).to_be_hidden()  # the kernel has answered
    start(fake)
    expect(badge(page)).to_have_text("●Running")
    page.evaluate("window.deaf = true")
    page.clock.run_for(50_000)
    link = view(page).locator(".nbflow-link")
    expect(link).to_have_text(
        re.compile(r"^waiting for the kernel … · as of \d\d:\d\d:\d\d, \d+ (s|min) ago$")
    )
    asked = page.evaluate("window.asked.filter((one) => one.do === 'ping').length")
    assert asked >= 1
    page.evaluate("window.deaf = false")
    end(fake)
    expect(badge(page)).to_have_text("✔Succeeded")
    expect(link).to_be_hidden()


def test_after_a_sleep_the_view_asks_at_once_and_catches_up(bare, fake):
    page, _ = bare(fake.workflow)
    page.clock.install()
    page.reload()
    expect(badge(page)).to_have_text("◷Pending")
    expect(view(page).locator(".nbflow-link")).to_be_hidden()  # the kernel has answered
    page.evaluate("window.deaf = true")
    start(fake)
    page.clock.fast_forward(3_600_000)  # timers fire once, late: the laptop was closed
    page.evaluate("window.deaf = false")
    page.clock.fast_forward(60_000)
    page.clock.run_for(1_000)
    expect(badge(page)).to_have_text("●Running")
    expect(shape(page, "A")).to_have_attribute("data-phase", "Running")


def test_a_dead_kernel_is_told_and_nothing_more_is_asked_of_it(bare, fake):
    page, _ = bare(fake.workflow)
    start(fake)
    expect(shape(page, "A")).to_have_attribute("data-phase", "Running")
    page.evaluate("window.dead = true; window.model.event('comm_live_update')")
    expect(view(page).locator(".nbflow-link")).to_have_text(
        re.compile(r"^snapshot, not live · as of \d\d:\d\d:\d\d, \d+ (s|min) ago$")
    )
    expect(badge(page)).to_have_text("●was Running")
    expect(button(page, "Stop")).to_be_disabled()
    expect(button(page, "Stop")).to_have_attribute("title", re.compile("`%workflow stop diamond`"))
    row(page, "A").click()
    tab(page, "Details").click()
    expect(view(page).get_by_text("The kernel that knows more is gone.")).to_be_visible()


def test_two_views_of_one_model_follow_the_same_run(bare, fake):
    page, _ = bare(fake.workflow)
    page.evaluate("() => { window.mount(); }")
    start(fake)
    expect(view(page)).to_have_count(2)
    for index in range(2):
        expect(view(page).nth(index).locator(".nbflow-badge")).to_have_text("●Running")
    page.evaluate("window.unmount()")
    end(fake)
    expect(view(page)).to_have_count(1)
    expect(badge(page)).to_have_text("✔Succeeded")


def test_what_runs_moves_with_the_clock_and_not_where_motion_is_unwanted(bare, fake):
    page, _ = bare(fake.workflow)
    page.clock.install()
    page.reload()
    start(fake)
    expect(shape(page, "A")).to_have_attribute("data-phase", "Running")
    running = page.evaluate("document.getAnimations().filter((one) => one instanceof CSSAnimation).length")
    assert running == 0, "an animation has the browser paint all the time"
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    moved = "document.querySelector('.nbflow-canvas').classList.contains('nbflow-beat')"
    before = page.evaluate(moved)
    for expected in (not before, before, not before):
        page.clock.run_for(1000)
        assert page.evaluate(moved) is expected
    page.emulate_media(reduced_motion="reduce")
    for _ in range(2):
        page.clock.run_for(1000)
        assert page.evaluate(moved) is False


def test_the_title_tells_while_nobody_looks(bare, fake):
    page, _ = bare(fake.workflow)
    start(fake)
    expect(badge(page)).to_have_text("●Running")
    hide = "Object.defineProperty(document, 'hidden', { value: %s, configurable: true });"
    tell = "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(hide % "true" + tell)
    becomes(page, "document.title", "● 0/1 · notebook")
    end(fake)
    becomes(page, "document.title", "✔ 4/4 · notebook")
    page.evaluate(hide % "false" + tell)
    becomes(page, "document.title", "notebook")


def test_a_notification_comes_where_it_was_asked_for(bare, fake):
    page, _ = bare(fake.workflow)
    page.evaluate(
        "() => { window.Notification = class { static permission = 'default';"
        " static async requestPermission() { return (Notification.permission = 'granted'); }"
        " constructor(title, options) { window.told = [title, options.body]; } }; }"
    )
    start(fake)
    bell = view(page).get_by_role("button", name="notify me when it ends")
    expect(bell).to_have_attribute("aria-pressed", "false")
    bell.click()
    expect(bell).to_have_attribute("aria-pressed", "true")
    fake.change(started_at=None)
    end(fake, C=Phase.FAILED)
    expect(badge(page)).to_have_text("✖Failed")
    becomes(page, "window.told", ["✖ diamond Failed", ""])
    expect(bell).to_be_hidden()


def test_a_screen_reader_hears_of_phases_and_failures(bare, fake):
    page, _ = bare(fake.workflow)
    live = view(page).locator(".nbflow-hidden")
    expect(live).to_have_attribute("aria-live", "polite")
    start(fake)
    expect(live).to_have_text("diamond Running")
    end(fake, C=Phase.FAILED)
    expect(live).to_have_text("diamond Failed. diamond Failed, C Failed")


def test_everything_is_reached_by_tab_in_reading_order(bare, fake):
    page, _ = bare(fake.workflow)
    start(fake)
    fake.say("diamond.A", "hello")
    expect(view(page).locator(".nbflow-line")).to_have_count(1)
    names = []
    page.evaluate("document.body.focus()")
    for _ in range(20):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate(
                "(e => e.getAttribute('aria-label') || e.parentElement.matches('label') && e.parentElement.textContent"
                " || e.textContent)(document.activeElement)"
            )
        )
    assert names == [
        "Suspend", "Stop", "Terminate", "notify me when it ends", "Graph", "A, Running", "+", "−", "Fit",
        "search nodes", "phase", "nodes", "Log", "search the log", "only matches", "time", "wrap", "Copy", "Download",
        "log",
    ]  # fmt: skip


@pytest.mark.parametrize("dark", [False, True])
def test_texts_are_readable_in_light_and_dark(bare, fake, dark):
    page, _ = bare(fake.workflow, dark=dark)
    start(fake)
    fake.say("diamond.A", "hello")
    expect(rows(page)).to_have_count(3)
    low = page.evaluate(CONTRAST)
    assert low == []
