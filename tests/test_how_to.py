"""The workflows in docs/how-to run as they stand there."""

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs" / "how-to").glob("*.md"))
WORKFLOWS = [
    (f"{page.stem}-{number}", text)
    for page in PAGES
    for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL))
]
LAST_WORDS = {
    "volumes-0": "hello",
    "daemons-0": "200",
    "artifacts-0": "1,2",
    "artifacts-1": "3",
    "retries-0": "this is attempt 1",
    "http-0": '{"a": 1}',
}


@pytest.fixture(scope="module")
def nbflow(tmp_path_factory):
    env = {**os.environ, "NBFLOW_HOME": str(tmp_path_factory.mktemp("home")), "PYTHONPATH": str(ROOT)}

    def run(*words, text=""):
        command = [sys.executable, "-c", "from nbflow.cli import main; main()", *words]
        return subprocess.run(command, env=env, input=text, capture_output=True, text=True, timeout=180)

    run("secret", "create", "api", "--from-literal", "token=Bearer abc")
    yield run
    run("controller", "stop")


class Service(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"a": 1}' if self.headers["Authorization"] == "Bearer abc" else b"{}"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


@pytest.fixture(scope="module")
def service():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_each_page_has_workflows():
    assert {name for name, _ in WORKFLOWS} == set(LAST_WORDS)


@pytest.mark.parametrize(("name", "text"), WORKFLOWS, ids=[name for name, _ in WORKFLOWS])
def test_workflow(nbflow, service, name, text):
    url = ("-p", f"url={service}") if name.startswith("http") else ()
    assert nbflow("lint", "-", text=text).stderr == ""
    done = nbflow("submit", "--wait", "-o", "json", *url, "-", text=text)
    assert done.returncode == 0, done.stderr
    logs = nbflow("logs", json.loads(done.stdout)["metadata"]["name"]).stdout
    assert LAST_WORDS[name] in [line.partition(": ")[2] for line in logs.splitlines()]


def test_links_lead_somewhere():
    for page in (
        *PAGES,
        ROOT / "docs" / "plugins.md",
        ROOT / "docs" / "examples.md",
        ROOT / "docs" / "compatibility.md",
    ):
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert link.startswith("http") or (page.parent / link).exists(), (page.name, link)
