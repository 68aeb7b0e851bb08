"""Servers on loopback that speak as much of Google's and Azure's storage as artifacts need."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class Store(ThreadingHTTPServer):
    """Objects by (bucket, key). refuse: a status for the next requests; asked: the Authorization headers."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.objects: dict[tuple[str, str], bytes] = {}
        self.buckets = {"there"}
        self.parts: dict[str, bytearray] = {}
        self.refuse = 0
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def keys(self, bucket: str, prefix: str) -> list[str]:
        return sorted(key for name, key in self.objects if name == bucket and key.startswith(prefix))


class Handler(BaseHTTPRequestHandler):
    """What both have in common."""

    server: Store
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""

    def serve(self) -> None:
        """One request."""
        raise NotImplementedError

    def do_GET(self) -> None:
        self.serve()

    def do_HEAD(self) -> None:
        self.serve()

    def do_POST(self) -> None:
        self.serve()

    def do_PUT(self) -> None:
        self.serve()

    def do_DELETE(self) -> None:
        self.serve()

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def begin(self) -> tuple[list[str], dict[str, str], bytes]:
        """Path, query and body of a request."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        self.server.asked.append(self.headers.get("Authorization", ""))
        path = [unquote(part) for part in parts.path.strip("/").split("/")]
        return path, {name: values[0] for name, values in parse_qs(parts.query).items()}, body

    def part(self, content: bytes) -> tuple[bytes, dict[str, str]]:
        """The range that is asked for."""
        wanted = self.headers.get("Range") or self.headers.get("x-ms-range") or ""
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        if not wanted or not content:
            return content, {}
        end = min(int(last or len(content) - 1), len(content) - 1)
        return content[int(first) : end + 1], {"content_range": f"bytes {first}-{end}/{len(content)}"}


class Google(Handler):
    """The JSON API: upload in one part or in several, download, list, delete; and tokens."""

    def fail(self, status: int, message: str) -> None:
        self.reply(status, json.dumps({"error": {"code": status, "message": message}}).encode())

    def serve(self) -> None:
        path, query, body = self.begin()
        if path == ["token"]:
            self.reply(200, json.dumps({"access_token": "t0ken", "expires_in": 3600}).encode())
        elif self.server.refuse:
            self.fail(self.server.refuse, "not you")
        elif path[0] == "upload":
            self.upload(path[path.index("b") + 1], query, body)
        else:
            self.about(path[path.index("b") + 1], path[path.index("b") + 2 :], query)

    def upload(self, bucket: str, query: dict[str, str], body: bytes) -> None:
        if bucket not in self.server.buckets:
            self.fail(404, "The specified bucket does not exist.")
        elif query["uploadType"] == "multipart":
            mime = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode() + body
            about, content = (one.get_payload(decode=True) for one in message_from_bytes(mime).get_payload())
            name = json.loads(about)["name"]
            self.keep(bucket, name, content)
        elif self.command == "POST":
            name = json.loads(body)["name"]
            self.server.parts[name] = bytearray()
            url = f"{self.server.url}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={name}"
            self.reply(200, location=url)
        else:
            name = query["upload_id"]
            kept = self.server.parts[name]
            kept += body
            if self.headers["Content-Range"].endswith("/*") or len(kept) < int(
                self.headers["Content-Range"].rpartition("/")[2]
            ):
                self.reply(308, range=f"bytes=0-{len(kept) - 1}")
                return
            self.keep(bucket, name, bytes(kept))

    def keep(self, bucket: str, name: str, content: bytes) -> None:
        from google_crc32c import Checksum

        self.server.objects[bucket, name] = content
        about = {"name": name, "crc32c": base64.b64encode(Checksum(content).digest()).decode()}
        self.reply(200, json.dumps(about).encode(), content_type="application/json")

    def about(self, bucket: str, rest: list[str], query: dict[str, str]) -> None:
        key = "/".join(rest[1:])
        if bucket not in self.server.buckets:
            self.fail(404, "The specified bucket does not exist.")
        elif not key:
            items = [{"name": name} for name in self.server.keys(bucket, query.get("prefix", ""))]
            self.reply(200, json.dumps({"items": items}).encode(), content_type="application/json")
        elif (bucket, key) not in self.server.objects:
            self.fail(404, f"No such object: {bucket}/{key}")
        elif self.command == "DELETE":
            del self.server.objects[bucket, key]
            self.reply(204)
        else:
            content, headers = self.part(self.server.objects[bucket, key])
            self.reply(206 if headers else 200, content, **headers)


class Azure(Handler):
    """The blob API, below the path of an account."""

    def fail(self, status: int, code: str) -> None:
        body = (
            f"<?xml version='1.0' encoding='utf-8'?><Error><Code>{code}</Code><Message>no</Message></Error>"
        )
        self.reply(status, body.encode(), x_ms_error_code=code, content_type="application/xml")

    def serve(self) -> None:
        (_, container, *rest), query, body = self.begin()
        key = "/".join(rest)
        if self.server.refuse:
            self.fail(self.server.refuse, "AuthorizationFailure")
        elif container not in self.server.buckets:
            self.fail(404, "ContainerNotFound")
        elif query.get("comp") == "list":
            self.list(container, query.get("prefix", ""))
        elif self.command == "PUT":
            self.put(container, key, query, body)
        elif (container, key) not in self.server.objects:
            self.fail(404, "BlobNotFound")
        elif self.command == "DELETE":
            del self.server.objects[container, key]
            self.reply(202)
        elif self.headers.get("x-ms-range") and not self.server.objects[container, key]:
            self.fail(416, "InvalidRange")
        else:
            content, headers = self.part(self.server.objects[container, key])
            self.reply(206 if headers else 200, content, x_ms_blob_type="BlockBlob", **headers)

    def put(self, container: str, key: str, query: dict[str, str], body: bytes) -> None:
        if query.get("comp") == "block":
            self.server.parts[f"{key} {query['blockid']}"] = bytearray(body)
        elif query.get("comp") == "blocklist":
            names = [text.partition("<")[0] for text in body.decode().split("<Latest>")[1:]]
            content = b"".join(self.server.parts[f"{key} {name}"] for name in names)
            self.server.objects[container, key] = content
        else:
            self.server.objects[container, key] = body
        self.reply(201)

    def list(self, container: str, prefix: str) -> None:
        blobs = "".join(f"<Blob><Name>{escape(k)}</Name></Blob>" for k in self.server.keys(container, prefix))
        body = (
            f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="{container}">'
            f"<Prefix>{escape(prefix)}</Prefix><Blobs>{blobs}</Blobs><NextMarker/></EnumerationResults>"
        )
        self.reply(200, body.encode(), content_type="application/xml")


@contextlib.contextmanager
def store(handler: type[Handler]) -> Iterator[Store]:
    """One of them, for a while."""
    server = Store(handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
