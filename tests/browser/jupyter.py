"""JupyterLab and Notebook 7 on a free port, and a notebook in them driven through their own commands."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from tests.notebook.homes import REPOSITORY, stop_controller

KERNEL = "nbflow-test"
FLAGS = {
    "lab": ["jupyterlab", "--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"],
    "notebook": ["notebook", "--JupyterNotebookApp.expose_app_in_browser=True"],
}
URLS = {"lab": "/lab/tree/{name}?token={token}&reset", "notebook": "/notebooks/{name}?token={token}"}
READY = """async () => {
  if (!window.jupyterapp) return false;
  await jupyterapp.restored;
  const w = jupyterapp.shell.currentWidget;
  if (!w || !w.context) return false;
  await w.context.ready;
  await w.sessionContext.ready;
  const kernel = w.sessionContext.session && w.sessionContext.session.kernel;
  if (!kernel) return false;
  await kernel.info;
  if (!kernel._targetRegistry['jupyter.widget']) return false; // a widget that comes before its manager is lost
  return kernel.status === 'idle' && kernel.connectionStatus === 'connected';
}"""
STARTED = """index => {
  const nb = jupyterapp.shell.currentWidget.content;
  nb.activeCellIndex = index;
  nb.deselectAll();
  window.nbflowRan = jupyterapp.commands.execute('notebook:run-cell');
}"""
OUTPUTS = "index => jupyterapp.shell.currentWidget.content.widgets[index].model.sharedModel.toJSON().outputs"
SETTINGS = {
    "completer-extension/manager": {"providerTimeout": 60_000},  # a busy kernel may take its time
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


@dataclass
class Server:
    """One front end. folder: its root, settings and everything it writes. saving: widgets, too."""

    kind: str
    folder: Path
    dark: bool = False
    saving: bool = False
    port: int = 0
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> Server:
        self.port = free_port()
        for name in ("root", "settings", "data"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._write_settings()
        self._write_kernel()
        command = [
            sys.executable, "-m", *FLAGS[self.kind],
            "--allow-root", "--no-browser", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={self.port}",
            "--ServerApp.port_retries=0", f"--IdentityProvider.token={self.token}",
            f"--ServerApp.root_dir={self.folder / 'root'}",
        ]  # fmt: skip
        with (self.folder / "server.log").open("wb") as log:
            self.process = subprocess.Popen(
                command, env=self._environment(), stdout=log, stderr=log, start_new_session=True
            )
        self._wait()
        return self

    def stop(self) -> None:
        assert self.process is not None
        stop_controller(self.home)
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    @property
    def home(self) -> Path:
        """NBFLOW_HOME of its kernels."""
        return self.folder / "home"

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}" + URLS[self.kind].format(name=name, token=self.token)

    def write(self, name: str, cells: list[str]) -> None:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
        notebook.metadata["kernelspec"] = {"name": KERNEL, "display_name": "nbflow", "language": "python"}
        nbformat.write(notebook, self.folder / "root" / name)

    def read(self, name: str) -> nbformat.NotebookNode:
        return nbformat.read(self.folder / "root" / name, as_version=4)

    def _environment(self) -> dict[str, str]:
        names = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
        own = {f"JUPYTER_{name}": str(self.folder / name.partition("_")[0].lower()) for name in names}
        return {
            **os.environ,
            **own,
            "IPYTHONDIR": str(self.folder / "ipython"),
            "JUPYTERLAB_SETTINGS_DIR": str(self.folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.folder / "workspaces"),
            "JUPYTER_PLATFORM_DIRS": "1",
            "NBFLOW_HOME": str(self.home),
        }

    def _write_settings(self) -> None:
        wanted = {f"@jupyterlab/{name}": values for name, values in SETTINGS.items()}
        if self.dark:
            wanted["@jupyterlab/apputils-extension/themes"] = {"theme": "JupyterLab Dark"}
        if self.saving:
            wanted["@jupyter-widgets/jupyterlab-manager/plugin"] = {"saveState": True}
        for name, values in wanted.items():
            path = self.folder / "settings" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))

    def _write_kernel(self) -> None:
        spec = {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "nbflow",
            "language": "python",
            "env": {"PYTHONPATH": str(REPOSITORY)},
        }
        folder = self.folder / "data" / "kernels" / KERNEL
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kernel.json").write_text(json.dumps(spec))

    def _wait(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(
                    f"http://127.0.0.1:{self.port}/api/status?token={self.token}", timeout=2
                ):
                    return
            except (urllib.error.URLError, OSError):
                assert self.process.poll() is None, (self.folder / "server.log").read_text()
                time.sleep(0.1)
        raise TimeoutError((self.folder / "server.log").read_text())


class Notebook:
    """A notebook that is open in a page, with a kernel of its own."""

    def __init__(self, page, server: Server, name: str) -> None:
        self.page, self.server, self.name = page, server, name
        self.requests: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self) -> Notebook:
        self.page.goto(self.server.url(self.name))
        self.wait_ready()
        return self

    def reload(self) -> None:
        self.page.reload()
        self.wait_ready()

    def wait_ready(self) -> None:
        self.page.wait_for_function("() => window.jupyterapp && jupyterapp.restored", timeout=120_000)
        deadline = time.monotonic() + 120
        while not self.page.evaluate(READY):
            assert time.monotonic() < deadline, "the kernel did not come up"
            self.page.wait_for_timeout(50)

    def start(self, index: int) -> None:
        """Begin to run a cell."""
        self.page.evaluate(STARTED, index)

    def run(self, index: int) -> None:
        """Run a cell to its end."""
        self.start(index)
        self.page.evaluate("async () => { await window.nbflowRan; }")

    def outputs(self, index: int) -> list[dict[str, object]]:
        return self.page.evaluate(OUTPUTS, index)

    def text(self, index: int) -> str:
        """All text that a cell has printed or shown."""
        return "\n".join(_text(output) for output in self.outputs(index))

    def save(self) -> nbformat.NotebookNode:
        self.page.evaluate("async () => { await jupyterapp.commands.execute('docmanager:save'); }")
        return self.server.read(self.name)

    def restart_kernel(self) -> None:
        self.page.evaluate(
            "async () => { await jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }"
        )
        self.wait_ready()

    def external(self) -> list[str]:
        """Requests that left this machine."""
        here = f"127.0.0.1:{self.server.port}/"
        return [url for url in self.requests if not url.startswith(("data:", "blob:")) and here not in url]

    def close(self) -> None:
        self.shut_down()
        self.page.close()

    def shut_down(self) -> None:
        """End the kernel."""
        self.page.evaluate(
            "async () => { const w = window.jupyterapp && jupyterapp.shell.currentWidget;"
            " if (w) await w.sessionContext.shutdown(); }"
        )


def _text(output: dict[str, object]) -> str:
    if "text" in output:
        return "".join(output["text"])
    if "traceback" in output:
        return "\n".join(output["traceback"])
    plain = output.get("data", {}).get("text/plain", "")
    return plain if isinstance(plain, str) else "".join(plain)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
