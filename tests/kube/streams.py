"""Answers as bytes, and those that go on: watches, and logs that are followed."""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler

from tests.kube.storage import Happening, Refused, invalid, whole

LOG_CLOSED = None
HUNG_UP = (0.0, None)
"""Here a followed log ends although its container goes on: the kubelet restarts."""


class Streaming(BaseHTTPRequestHandler):
    """Needs `api`, `query`, and who says what is wanted: `select` and `wanted`."""

    def stream_watch(self, kind, namespace):
        self.select(kind)
        storage = self.api.storage
        asked = self.query.get("resourceVersion") or "0"
        if not asked.isdigit():
            said = f'resourceVersion: Invalid value: "{asked}": strconv.ParseUint: parsing "{asked}": invalid syntax'
            raise Refused(500, "", said)
        initial = self.query.get("sendInitialEvents") == "true"
        if initial and self.query.get("resourceVersionMatch") != "NotOlderThan":
            said = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            causes = [("resourceVersionMatch", "FieldValueForbidden", said)]
            raise invalid(("meta.k8s.io/v1", ""), "", causes, "ListOptions")
        with storage.news:
            version = int(asked)
            first = []
            if version == 0 or initial:
                objects, version = storage.list(kind, namespace or None)
                first = [Happening(version, "ADDED", kind, obj) for obj in objects]
        self.start_stream("application/json")
        end = time.monotonic() + float(self.query.get("timeoutSeconds") or 3600)
        bookmarks = self.query.get("allowWatchBookmarks") == "true"
        try:
            self.begin()
            self.tell(kind, namespace, first)
            if initial:
                self.bookmark(kind, version, annotations={"k8s.io/initial-events-end": "true"})
            while time.monotonic() < end:
                with storage.news:
                    storage.news.wait_for(lambda v=version: storage.version > v, self.api.bookmark_seconds)
                    try:
                        news = storage.since(version)
                    except Refused as refused:
                        self.chunk({"type": "ERROR", "object": refused.body})
                        break
                    version = max(version, storage.version)
                self.tell(kind, namespace, news)
                if not news and bookmarks:
                    self.bookmark(kind, version)
            self.end_stream()
        finally:
            self.api.watches.discard(self.connection)

    def begin(self):
        """Count this connection among those that are followed, and tell who waits for that."""
        with self.api.storage.news:
            self.api.watches.add(self.connection)
            self.api.storage.news.notify_all()

    def bookmark(self, kind, version, **metadata):
        metadata = {**metadata, "resourceVersion": str(version)}
        self.chunk({"type": "BOOKMARK", "object": whole(kind, {"metadata": metadata})})

    def tell(self, kind, namespace, news):
        for one in news:
            if one.kind != kind or (namespace and one.object["metadata"].get("namespace") != namespace):
                continue
            now, before = self.wanted(one.object), one.before is not None and self.wanted(one.before)
            if not now and not before:
                continue
            type_ = one.type
            if type_ == "MODIFIED" and not before:
                type_ = "ADDED"
            elif type_ == "MODIFIED" and not now:
                type_ = "DELETED"
            self.chunk({"type": type_, "object": whole(kind, one.object)})

    # --- logs

    def stream_log(self, namespace, name):
        pod = self.api.storage.get(("v1", "pods"), namespace, name)
        known = [c["name"] for c in pod.get("spec", {}).get("containers", [{"name": "main"}])]
        container = self.query.get("container") or known[0]
        if container not in known:
            raise Refused(400, "BadRequest", f"container {container} is not valid for pod {name}")
        if pod.get("status", {}).get("phase") == "Pending":
            said = f'container "{container}" in pod "{name}" is waiting to start: ContainerCreating'
            raise Refused(400, "BadRequest", said)
        storage, follow = self.api.storage, self.query.get("follow") == "true"
        stamps = self.query.get("timestamps") == "true"
        with storage.news:
            lines = self.api.logs.setdefault((name, container), [])
            at, begun, tail = 0, len(lines), self.query.get("tailLines")
            if tail is not None:
                at = max(0, len([line for line in lines if line]) - int(tail))
        since = self.cutoff()
        self.start_stream("text/plain")
        try:
            self.begin()
            while True:
                with storage.news:
                    if follow:
                        storage.news.wait_for(lambda seen=at: len(lines) > seen, 0.2)
                    news, first, at = lines[at:], at, len(lines)
                for line in news:
                    old = first < begun
                    first += 1
                    if line is HUNG_UP and old:
                        continue
                    if line in {LOG_CLOSED, HUNG_UP}:
                        self.end_stream()
                        return
                    if line[0] >= since:
                        self.chunk_bytes(((stamp(line[0]) + " ") * stamps + line[1] + "\n").encode())
                if not follow:
                    self.end_stream()
                    return
        finally:
            self.api.watches.discard(self.connection)

    def cutoff(self):
        if seconds := self.query.get("sinceSeconds"):
            return time.time() - int(seconds)
        if text := self.query.get("sinceTime"):
            from datetime import datetime

            return datetime.fromisoformat(text).timestamp()
        return 0.0

    # --- bytes

    def send(self, code, body, headers=None):
        self.send_bytes(code, json.dumps(body).encode(), "application/json", headers)

    def send_bytes(self, code, data, content, headers=None):
        self.send_response(code)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Type", content)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def start_stream(self, content):
        self.send_response(200)
        self.send_header("Content-Type", content)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()

    def chunk(self, event):
        self.chunk_bytes(json.dumps(event).encode() + b"\n")

    def chunk_bytes(self, data):
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def end_stream(self):
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()


def stamp(seconds):
    """RFC 3339 with nanoseconds, without zeros at the end, as the kubelet writes it."""
    whole_seconds, rest = divmod(int(seconds * 1e9), 10**9)
    fraction = f".{rest:09d}".rstrip("0").rstrip(".")
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole_seconds)) + fraction + "Z"
