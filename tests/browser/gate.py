"""Pods that wait for the test: each asks for a name, and is answered when the test has opened it."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Gate:
    """A server on loopback. `GET /NAME` is answered after `open("NAME")`."""

    def __init__(self) -> None:
        self._opened: set[str] = set()
        self._news = threading.Condition()
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with gate._news:
                    gate._news.wait_for(lambda: {self.path[1:], "*"} & gate._opened)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def open(self, *names: str) -> None:
        with self._news:
            self._opened.update(names)
            self._news.notify_all()

    def close(self) -> None:
        self.open("*")
        self._server.shutdown()
        self._server.server_close()
