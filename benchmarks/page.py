"""Measure the live view in a real JupyterLab, and write what was found into README.md.

python benchmarks/page.py [--print]

A headless Chromium opens a notebook, the notebook runs workflows in the sandbox, and the page is asked how it felt.
Long tasks are what keeps its main thread, Jupyter's own work included: by the clock (PerformanceObserver) and in CPU
time (Chromium's trace), which a busy machine does not stretch. Memory is the JavaScript heap after garbage collection.
What an idle run costs is the CPU time of the kernel's process, from /proc.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from figures import tell

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import ARGUMENTS, CHROMIUM  # noqa: E402
from tests.browser.jupyter import Notebook, Server  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NODES, LINES, IDLE = 1_000, 25_000, 20.0
HEAD = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{generateName: {name}-}}
spec:
  entrypoint: main
  templates:
"""
FAN_OUT = (
    "%%workflow run\n"
    + HEAD.format(name="fan-out")
    + f"""  - name: main
    steps:
    - - name: each
        template: each
        withSequence: {{count: "{NODES}"}}
  - name: each
    container: {{image: busybox, command: [sh, -c, 'echo one; echo two']}}
"""
)
TALK = (
    "%%workflow talk\n"
    + HEAD.format(name="talk")
    + f"""  - name: main
    script:
      image: python:3
      command: [python, -u]
      source: |
        import sys, time
        began = time.monotonic()
        for number in range({LINES}):
            sys.stdout.write(f"{{number}} of many lines that are as long as lines mostly are\\n")
            if number % 250 == 249:
                sys.stdout.flush()
                time.sleep(max(0, (number + 1) / 5000 - (time.monotonic() - began)))
"""
)
WAIT = "%%workflow wait\n" + HEAD.format(name="wait") + "  - name: main\n    suspend: {}\n"
WATCH = """() => {
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((task) => task.duration)))
    .observe({ type: 'longtask' });
}"""
BADGE = "[...document.querySelectorAll('.nbflow-live .nbflow-badge')].at(-1)?.textContent"
ROWS = "[...document.querySelectorAll('.nbflow-live .nbflow-log .nbflow-virtual')].at(-1).clientHeight / 18"
LEFT_OUT = "[...document.querySelectorAll('.nbflow-live .nbflow-note')].at(-1).textContent"


def measured() -> Iterator[tuple[str, str, str]]:
    """What, how much, and the mark it has to meet."""
    from playwright.sync_api import sync_playwright

    folder = Path(tempfile.mkdtemp(prefix="nbflow-bench-"))
    server = Server("lab", folder).start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGUMENTS)
            yield from fan_out(browser, server)
            yield from lines(browser, server)
            yield from idle(browser, server)
            browser.close()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def fan_out(browser: Browser, server: Server) -> Iterator[tuple[str, str, str]]:
    page, notebook = opened(browser, server, "fan-out.ipynb", FAN_OUT)
    page.evaluate(WATCH)
    browser.start_tracing(page=page, categories=["toplevel"])
    began = time.monotonic()
    notebook.run(1)
    ended(page)
    took = time.monotonic() - began
    used = main_thread(json.loads(browser.stop_tracing()))
    tasks: list[float] = page.evaluate("window.tasks")
    yield f"longest task while {NODES:,} pods ran ({took:.0f} s), CPU time", f"{max(used):.0f} ms", "100 ms"
    yield "the same by the clock", f"{max(tasks, default=0):.0f} ms", ""
    yield (
        "tasks of more than 50 ms meanwhile, CPU time",
        f"{sum(one > 50 for one in used)} of {len(used):,}",
        "",
    )
    yield "all of the main thread's work meanwhile", f"{sum(used) / took / 10:.0f} % of a core", ""
    page.wait_for_timeout(3_000)
    first = heap(page)
    page.wait_for_timeout(20_000)
    grown = heap(page) - first
    yield "memory of the page after the last node", f"{first / 1e6:.1f} MB", ""
    yield "the same 20 s later", f"{grown / 1e3:+.0f} KB", "not growing"
    notebook.close()


def lines(browser: Browser, server: Server) -> Iterator[tuple[str, str, str]]:
    page, notebook = opened(browser, server, "lines.ipynb", TALK)
    page.evaluate(WATCH)
    notebook.run(1)
    ended(page)
    page.wait_for_timeout(1_000)
    kept, note = int(page.evaluate(ROWS)), str(page.evaluate(LEFT_OUT))
    dropped = int(note.split(maxsplit=1)[0].replace(",", "")) if note else 0
    last = page.locator(".nbflow-text").last.inner_text()
    gap = LINES - kept - dropped + (not last.startswith(f"{LINES - 1} of"))
    tasks: list[float] = page.evaluate("window.tasks")
    yield f"{LINES:,} lines in 5 s: lines missing", f"{gap}", "0"
    yield "longest task meanwhile", f"{max(tasks, default=0):.0f} ms", ""
    notebook.close()


def idle(browser: Browser, server: Server) -> Iterator[tuple[str, str, str]]:
    page, notebook = opened(browser, server, "idle.ipynb", WAIT, "import os; print(os.getpid())")
    notebook.run(1)
    page.wait_for_function(f"() => {BADGE}?.includes('Suspended')", timeout=60_000)
    notebook.run(2)
    process = Path("/proc", notebook.text(2).strip(), "stat")
    page.wait_for_timeout(5_000)
    before = ticks(process)
    page.wait_for_timeout(IDLE * 1000)
    share = (ticks(process) - before) / IDLE  # ticks are hundredths of a second: this is per cent of a core
    yield f"CPU of the kernel while a run waits, over {IDLE:.0f} s", f"{share:.2f} % of a core", "1 %"
    notebook.close()


def opened(browser: Browser, server: Server, name: str, *cells: str) -> tuple[Page, Notebook]:
    page = browser.new_page()
    server.write(name, ["%load_ext nbflow", *cells])
    notebook = Notebook(page, server, name).open()
    notebook.run(0)
    return page, notebook


def main_thread(trace: dict[str, list[dict[str, object]]]) -> list[float]:
    """Milliseconds of CPU time of each task of the busiest main thread of a page."""
    events = trace["traceEvents"]
    mains = {
        (one["pid"], one["tid"])
        for one in events
        if one["name"] == "thread_name" and one["args"] == {"name": "CrRendererMain"}
    }
    threads: dict[object, list[float]] = {}
    for one in events:
        if str(one["name"]).endswith("RunTask") and (one["pid"], one["tid"]) in mains and "tdur" in one:
            threads.setdefault(one["tid"], []).append(float(str(one["tdur"])) / 1000)
    return max(threads.values(), key=sum)


def ended(page: Page) -> None:
    page.wait_for_function(f"() => /Succeeded|Failed|Error/.test({BADGE})", timeout=300_000)
    found = str(page.evaluate(BADGE))
    if "Succeeded" not in found:
        raise SystemExit(f"the workflow ended as {found}: nothing to measure")


def heap(page: Page) -> int:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = int(session.send("Runtime.getHeapUsage")["usedSize"])
    session.detach()
    return used


def ticks(stat: Path) -> int:
    fields = stat.read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def main() -> None:
    if not CHROMIUM:
        sys.exit("there is no chromium on PATH")
    tell("page", __doc__ or "", measured())


if __name__ == "__main__":
    main()
