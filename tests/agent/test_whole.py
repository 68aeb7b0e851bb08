"""http, data and plugin templates by the command line, in a home of their own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import venv
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from nbflow.store import Home
from nbflow.store.presence import controller_of
from tests.artifacts.servers import WebServer, web_server

ROOT = Path(__file__).parent.parent.parent
HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: agent-}\nspec:\n  entrypoint: main\n"
Json = dict[str, object]


class Shell:
    """The command line of a Python, on a home."""

    def __init__(self, folder: Path, python: str = sys.executable) -> None:
        self.home, self.folder, self.python = folder / "home", folder, python

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.python, "-c", "from nbflow.cli import main; main()", *words],
            env={**os.environ, "NBFLOW_HOME": str(self.home), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def submit(self, spec: str) -> tuple[dict[str, Json], Json]:
        """(nodes by display name, the workflow) after its end."""
        manifest = self.folder / "workflow.yaml"
        manifest.write_text(HEAD + spec)
        done = self.run("submit", "--wait", "-o", "json", str(manifest))
        assert done.returncode in (0, 1), done.stderr
        found = json.loads(done.stdout)
        return {node["displayName"]: node for node in found["status"]["nodes"].values()}, found


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    made = Shell(tmp_path_factory.mktemp("agent"))
    yield made
    made.run("controller", "stop")


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as made:
        yield made


def everything(home: Path) -> Iterator[tuple[Path, bytes]]:
    """All that a home keeps, but for the store, whose Secrets are private to it."""
    for path in home.rglob("*"):
        if path.is_file() and not path.name.startswith("nbflow.sqlite"):
            yield path, path.read_bytes()


def test_a_secret_goes_to_the_server_and_nowhere_else(shell: Shell, server: WebServer) -> None:
    shell.run("secret", "create", "api", "--from-literal", "token=Bearer 0penSesame")
    server.files["/item"] = b"[1, 2]"
    server.authorization = "Bearer 0penSesame"
    nodes, workflow = shell.submit(f"""
  templates:
  - name: main
    steps:
    - - {{name: ask, template: ask}}
    - - name: each
        template: each
        withParam: "{{{{steps.ask.outputs.result}}}}"
        arguments: {{parameters: [{{name: item, value: "{{{{item}}}}"}}]}}
  - name: ask
    http:
      url: {server.url("/item")}
      headers:
      - {{name: Authorization, valueFrom: {{secretKeyRef: {{name: api, key: token}}}}}}
      successCondition: response.statusCode == 200
  - name: each
    inputs: {{parameters: [{{name: item}}]}}
    container: {{image: alpine, command: [echo, "{{{{inputs.parameters.item}}}}"]}}
""")
    assert nodes["ask"]["type"] == "HTTP"
    assert nodes["ask"]["outputs"] == {"result": "[1, 2]"}
    assert [nodes[f"each({n}:{n + 1})"]["phase"] for n in range(2)] == ["Succeeded", "Succeeded"]
    name = str(workflow["metadata"]["name"])
    shown = shell.run("logs", name).stdout + shell.run("get", name, "-o", "json").stdout
    assert "GET " + server.url("/item") + ": 200, 6 bytes" in shown
    assert "0penSesame" not in shown
    assert [path for path, content in everything(shell.home) if b"0penSesame" in content] == []


def test_it_is_tried_until_it_succeeds(shell: Shell, server: WebServer) -> None:
    server.files["/item"] = b"at last"
    server.answers["/item"] = [503, 500]
    nodes, workflow = shell.submit(f"""
  templates:
  - name: main
    retryStrategy: {{limit: 2, retryPolicy: Always}}
    http: {{url: "{server.url("/item")}", timeoutSeconds: 20}}
""")
    assert workflow["status"]["phase"] == "Succeeded"
    name = workflow["metadata"]["name"]
    assert [nodes[f"{name}({n})"].get("message") for n in range(3)] == [
        "received non-2xx response code: 503",
        "received non-2xx response code: 500",
        None,
    ]
    assert nodes[name]["outputs"] == {"result": "at last"}


def test_a_template_timeout_ends_it(shell: Shell) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        nodes, _ = shell.submit(f"""
  templates:
  - name: main
    timeout: 1s
    http: {{url: "http://127.0.0.1:{silent.getsockname()[1]}/"}}
""")
    [node] = nodes.values()
    assert (node["phase"], node["message"]) == ("Failed", "timeout")


def test_a_secret_that_is_not_there_fails_it(shell: Shell) -> None:
    nodes, _ = shell.submit("""
  templates:
  - name: main
    http:
      url: http://127.0.0.1:1/
      headers: [{name: X, valueFrom: {secretKeyRef: {name: nowhere, key: k}}}]
""")
    [node] = nodes.values()
    assert (node["phase"], node["message"]) == ("Failed", 'secrets "nowhere" not found')


def test_artifacts_of_a_workflow_are_listed(shell: Shell) -> None:
    nodes, _ = shell.submit("""
  templates:
  - name: main
    steps: [[{name: make, template: make}], [{name: list, template: list}]]
  - name: make
    container: {image: alpine, command: [sh, -c, "mkdir /out; touch /out/a.py /out/b.txt"]}
    outputs: {artifacts: [{name: out, path: /out, archive: {none: {}}, s3: {key: data-test}}]}
  - name: list
    data:
      source: {artifactPaths: {name: in, s3: {key: data-test}}}
      transformation:
      - {expression: 'filter(data, {# endsWith ".py"})'}
""")
    assert nodes["list"]["type"] == "Pod"
    assert nodes["list"]["outputs"] == {"result": '["data-test/a.py"]', "exitCode": "0"}


# --- plugins ---

PLUGIN = """
import sys
import threading


def execute(request):
    settings = request["template"]["plugin"]["hello"]
    if settings.get("fail"):
        raise ValueError("this is on purpose")
    print("asked for", settings["name"])
    value = f"hello {settings['name']} of {request['workflow']['metadata']['name']} by {sys.prefix}"
    return {"node": {"phase": "Succeeded", "message": "done",
                     "outputs": {"parameters": [{"name": "said", "value": value}]}}}
"""


def install(folder: Path, files: dict[str, str]) -> str:
    """A virtual environment that sees this one and a package; its Python."""
    venv.create(folder, symlinks=True)
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "outer.pth").write_text("\n".join(path for path in sys.path if "site-packages" in path))
    for name, text in files.items():
        place = packages / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
    return str(folder / "bin" / "python")


@pytest.fixture
def make_shell(tmp_path: Path) -> Iterator[Callable[[dict[str, str]], Shell]]:
    made: list[Shell] = []

    def make(files: dict[str, str]) -> Shell:
        made.append(Shell(tmp_path, install(tmp_path / "env", files)))
        return made[-1]

    yield make
    for shell in made:
        shell.run("controller", "stop")


def test_a_plugin_of_the_submitters_environment_is_called(
    make_shell: Callable[[dict[str, str]], Shell], tmp_path: Path
) -> None:
    shell = make_shell(
        {
            "hello_plugin.py": PLUGIN,
            "hello_plugin-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: hello-plugin\nVersion: 1\n",
            "hello_plugin-1.dist-info/entry_points.txt": "[nbflow.executor_plugins]\nhello = hello_plugin:execute\n",
        }
    )
    nodes, workflow = shell.submit("""
  templates:
  - name: main
    steps:
    - - {name: good, template: greet, arguments: {parameters: [{name: fail, value: ""}]}}
    - - name: told
        template: tell
        arguments: {parameters: [{name: m, value: "{{steps.good.outputs.parameters.said}}"}]}
    - - {name: bad, template: greet, continueOn: {failed: true}, arguments: {parameters: [{name: fail, value: "yes"}]}}
  - name: greet
    inputs: {parameters: [{name: fail}]}
    outputs: {parameters: [{name: said, valueFrom: {path: /said}}]}
    plugin: {hello: {name: you, fail: "{{inputs.parameters.fail}}"}}
  - name: tell
    inputs: {parameters: [{name: m}]}
    container: {image: alpine, command: [echo, "{{inputs.parameters.m}}"]}
""")
    name = workflow["metadata"]["name"]
    said = f"hello you of {name} by {tmp_path / 'env'}"
    assert nodes["good"]["type"] == "Plugin"
    assert (nodes["good"]["message"], nodes["good"]["outputs"]) == (
        "done",
        {"parameters": [{"name": "said", "value": said}]},
    )
    assert nodes["told"]["inputs"]["parameters"] == [{"name": "m", "value": said}]
    assert (nodes["bad"]["phase"], nodes["bad"]["message"]) == (
        "Failed",
        "plugin hello: ValueError: this is on purpose",
    )
    logs = shell.run("logs", str(name)).stdout
    assert "asked for you" in logs
    assert "in execute" in logs


SERVER = """
import contextlib
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

token = Path("/var/run/argo/token").read_text()
asked = []


class Plugin(BaseHTTPRequestHandler):
    def do_POST(self):
        args = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        good = token and self.headers["Authorization"] == "Bearer " + token
        settings = args["template"]["plugin"].get("hello")
        asked.append(settings)
        if not good or self.path != "/api/v1/template.execute":
            self.send_response(403)
            reply = {}
        else:
            self.send_response(200)
            outputs = {"parameters": [{"name": "said", "value": f"hello {settings}"}]}
            done = {"phase": "Succeeded", "message": f"asked {len(asked)} times", "outputs": outputs}
            wait = {"node": {"phase": "Running"}, "requeue": "100ms"}
            reply = {} if settings is None else wait if len(asked) < 2 else {"node": done}
        self.end_headers()
        self.wfile.write(json.dumps(reply).encode())


HTTPServer(("", 4356), Plugin).serve_forever()
"""


BROUGHT = """
  executorPlugins:
  - metadata: {{name: hello}}
    spec:
      sidecar:
        container:
          name: hello
          image: python:3.12
          command: [python3, -c]
          args:
          - |
              {source}
          ports: [{{containerPort: 4356}}]
          resources: {{requests: {{cpu: 1m, memory: 1Mi}}, limits: {{cpu: 100m, memory: 128Mi}}}}
          securityContext: {{runAsNonRoot: true}}
"""
ONE = """
  templates:
  - name: main
    plugin: {hello: Anna}
"""


@pytest.mark.skipif(not shutil.which("bwrap"), reason="side by side they need networks of their own")
def test_plugins_of_a_workflow_are_asked(shell: Shell) -> None:
    source = SERVER.replace("\n", "\n" + " " * 14)
    nodes, workflow = shell.submit(
        BROUGHT.format(source=source)
        + """
  templates:
  - name: main
    steps:
    - - {name: one, template: greet, arguments: {parameters: [{name: who, value: Anna}]}}
      - {name: two, template: greet, arguments: {parameters: [{name: who, value: Bert}]}}
    - - {name: other, template: other, continueOn: {failed: true}}
  - name: greet
    inputs: {parameters: [{name: who}]}
    plugin: {hello: "{{inputs.parameters.who}}"}
  - name: other
    plugin: {unknown: {}}
"""
    )
    assert {
        name: (node["phase"], node.get("message")) for name, node in nodes.items() if node["type"] == "Plugin"
    } == {
        "one": ("Succeeded", "asked 2 times"),
        "two": ("Succeeded", "asked 2 times"),
        "other": ("Failed", "no plugin executed the template"),
    }
    assert nodes["two"]["outputs"] == {"parameters": [{"name": "said", "value": "hello Bert"}]}
    assert workflow["status"]["phase"] == "Succeeded"


@pytest.mark.skipif(not shutil.which("bwrap"), reason="side by side they need networks of their own")
def test_a_plugin_that_fails_is_started_again(shell: Shell) -> None:
    fails_once = (
        "import os, sys\nmark = '/var/run/argo/failed'\n"
        "if not os.path.exists(mark): open(mark, 'w').close(); sys.exit(3)\n"
    )
    source = (fails_once + SERVER).replace("\n", "\n" + " " * 14)
    nodes, _ = shell.submit(BROUGHT.format(source=source) + ONE)
    assert [(node["phase"], node.get("message")) for node in nodes.values()] == [
        ("Succeeded", "asked 2 times")
    ]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("bwrap"), reason="side by side they need networks of their own")
def test_a_plugin_that_does_not_last_is_named(shell: Shell) -> None:
    nodes, _ = shell.submit(BROUGHT.format(source="import sys; sys.exit(3)") + ONE)
    assert [(node["phase"], node.get("message")) for node in nodes.values()] == [
        (
            "Failed",
            "executor plugin: [Errno 111] Connection refused (sidecar hello: Error (exit code 3))",
        )
    ]


class Slow(BaseHTTPRequestHandler):
    """Answers once it is told to."""

    asked: ClassVar[list[str]] = []
    heard = threading.Event()
    go = threading.Event()

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.heard.set()
        self.go.wait(60)
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(b"done")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def slow() -> Iterator[str]:
    Slow.asked.clear()
    Slow.heard.clear()
    Slow.go.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    Slow.go.set()
    server.shutdown()
    server.server_close()
    thread.join()


def start(shell: Shell, url: str) -> str:
    """A workflow that asks; its name, once the server heard the question."""
    manifest = shell.folder / "slow.yaml"
    manifest.write_text(HEAD + f"  templates: [{{name: main, http: {{url: '{url}'}}}}]\n")
    name = shell.run("submit", "-o", "name", str(manifest)).stdout.strip()
    assert Slow.heard.wait(60)
    return name


def test_a_request_outlives_its_controller_and_is_sent_once(shell: Shell, slow: str) -> None:
    name = start(shell, slow)
    running = controller_of(Home(shell.home))
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    shell.run("list")
    Slow.go.set()
    assert shell.run("wait", name).returncode == 0
    [node] = json.loads(shell.run("get", name, "-o", "json").stdout)["status"]["nodes"].values()
    assert (node["phase"], node["outputs"]) == ("Succeeded", {"result": "done"})
    assert Slow.asked == ["/"]


def test_terminating_ends_the_request(shell: Shell, slow: str) -> None:
    name = start(shell, slow)
    assert shell.run("terminate", name).returncode == 0
    shell.run("wait", name)
    [node] = json.loads(shell.run("get", name, "-o", "json").stdout)["status"]["nodes"].values()
    assert (node["phase"], node["message"]) == ("Failed", "Stopped with strategy 'Terminate'")
