"""The live view on a bare page: its module with a played kernel behind it, which is the real `Live` with a fake client.

No Jupyter: a page is there in a tenth of a second, and a test sees every message. The server streams what the kernel
says (server-sent events) and takes what the page asks (POST).
"""

from __future__ import annotations

import base64
import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from nbflow.notebook import page as scripts
from nbflow.notebook.follow import Follower
from nbflow.notebook.live import Live

PAGE = """<!doctype html><meta charset="utf-8"><title>notebook</title>
<style>STYLE body { margin: 12px; background: canvas; color-scheme: light dark }</style>
<body data-jp-theme-light="LIGHT">BEFORE<div id="cell"></div>
<script type="module">
import view from "/module.js";
const heard = {};
const traits = TRAITS;
const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
window.asked = [];
window.model = {
  get: (name) => traits[name],
  on: (name, callback) => (heard[name] ??= []).push(callback),
  send: (message) => {
    if (window.dead) throw new Error("Cannot send");
    window.asked.push(message);
    if (!window.deaf) fetch("/ask", { method: "POST", body: JSON.stringify(message) });
  },
  emit: (message, buffers = []) => (heard["msg:custom"] || []).forEach((callback) => callback(message, buffers)),
  event: (name) => (heard[name] || []).forEach((callback) => callback()),
};
const news = new EventSource("/news");
news.onmessage = ({ data }) => {
  const { message, buffers } = JSON.parse(data);
  if (!window.deaf) window.model.emit(message, buffers.map(bytes));
};
window.mount = (el = document.getElementById("cell")) => view.render({ model: window.model, el });
window.unmount = window.mount();
</script>
"""


class Stage:
    """Serves one view. live: what the kernel would have; played: messages that a test sends by `say`."""

    def __init__(self, *, shows: str = "run", dark: bool = False) -> None:
        self.traits: dict[str, object] = {"shows": shows, "opening": {}, "snapshot_id": ""}
        self.dark = dark
        self.before = ""  # HTML of the output above the view
        self.take = lambda _: None
        self.asked: list[dict[str, object]] = []
        self.kept: list[object] = []
        self.news = threading.Condition()
        self._pages: list[queue.Queue[str | None]] = []
        self._lock = threading.Lock()

    def show(self, client, name: str) -> Stage:
        """The live view of a workflow of a fake client."""
        live = Live(client, self.say, self.say, self.kept.append)
        self.traits["opening"] = live.opening(client.get(name), Follower(client, name))
        self.take, self.live = live.take, live
        live.start()
        return self

    def say(self, message, buffers=None) -> None:
        data = json.dumps(
            {"message": message, "buffers": [base64.b64encode(one).decode() for one in buffers or []]}
        )
        with self._lock:
            for page in self._pages:
                page.put(data)

    def start(self) -> Stage:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        return self

    def stop(self) -> None:
        with self._lock:
            for page in self._pages:
                page.put(None)
        self.server.shutdown()
        self.server.server_close()

    def html(self) -> str:
        light = "false" if self.dark else "true"
        parts = {
            "STYLE": scripts.style(),
            "LIGHT": light,
            "BEFORE": self.before,
            "TRAITS": json.dumps(self.traits).replace("<", "\\u003c"),
        }
        text = PAGE
        for key, value in parts.items():
            text = text.replace(key, value, 1)
        return text

    def subscribe(self) -> queue.Queue[str | None]:
        page: queue.Queue[str | None] = queue.Queue()
        with self._lock:
            self._pages.append(page)
        return page

    def _handler(stage):  # noqa: N805  # the handler's own `self` is another
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/news":
                    self._stream()
                    return
                kind, text = (
                    ("text/javascript", scripts.module())
                    if self.path == "/module.js"
                    else ("text/html", stage.html())
                )
                self._begin(kind)
                self.wfile.write(text.encode())

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                stage.asked.append(request)
                stage.take(request)
                self._begin("text/plain")

            def _begin(self, kind: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.send_header("Cache-Control", "no-store")
                self.end_headers()

            def _stream(self) -> None:
                page = stage.subscribe()
                self._begin("text/event-stream")
                try:
                    while (data := page.get()) is not None:
                        self.wfile.write(f"data: {data}\n\n".encode())
                        self.wfile.flush()
                except OSError:
                    return  # the page is gone

            def log_message(self, *_: object) -> None:
                return

        return Handler
