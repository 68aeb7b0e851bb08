"""A Kubernetes API at wire level, for tests: HTTP/1.1 on loopback, spoken to by the official client and by kubectl.

The libraries that fake this API keep no versions: none of them refuses a stale update, goes on with a watch from a
version, or has forgotten one (410), and that is what is tested here. So this is our own. It stores what it is given
and keeps rules of who may do what; it runs nothing (tests/kube/argo.py plays Argo's controller).

Faults are asked for: `fail` (answers such as 429 or a webhook's), `drop` (connections cut), `storage.compact` (410),
`stop` and `start` again at the same port.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
import ssl
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import trustme
import yaml

from nbflow.clients.selectors import parse_selector
from tests.kube.storage import (
    KINDS,
    Happening,
    Refused,
    Storage,
    expired,
    full_name,
    group,
    json_patch,
    merge_patch,
)

VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
LOG_CLOSED = None
PROTOBUF = b"k8s\0"
AUTHORITY = trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert("127.0.0.1")


class Server(ThreadingHTTPServer):
    """TLS, since clients send no token without; each handshake in the thread of its connection."""

    daemon_threads, allow_reuse_address, request_queue_size = True, True, 128

    def __init__(self, *arguments):
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        CERTIFICATE.configure_cert(self.tls)
        super().__init__(*arguments)

    def get_request(self):
        connection, address = self.socket.accept()
        return self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request, client_address):
        if not isinstance(sys.exception(), (OSError, ConnectionError)):
            super().handle_error(request, client_address)


@dataclass
class Fault:
    """Answer so, `times` times, to requests that match."""

    method: str
    path: re.Pattern
    answer: Refused | None
    times: int
    hits: int = 0


@dataclass
class User:
    """rules: as in a Role. None: everything is allowed."""

    name: str
    rules: list[dict] | None = None


@dataclass
class TestApi:
    """One cluster. `kubeconfig(path)` writes the way in."""

    __test__ = False
    storage: Storage = field(default_factory=Storage)
    users: dict[str, User] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    logs: dict[tuple[str, str], list[tuple[float, str] | None]] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    bookmark_seconds: float = 0.2
    port: int = 0

    def __post_init__(self):
        self.connections: set[socket.socket] = set()
        self.watches: set[socket.socket] = set()
        self.server: ThreadingHTTPServer | None = None
        self.allow("admin-token", None, "admin")

    # --- what tests do with it

    def start(self):
        api = self

        class Handler(Answering):
            pass

        Handler.api = api
        server = Server(("127.0.0.1", self.port), Handler)
        self.server, self.port = server, server.server_port
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
        self.drop(everything=True)

    def drop(self, *, everything=False):
        """Cut the connections of watches and followed logs, or all. Returns how many."""
        chosen = list(self.connections if everything else self.watches)
        for connection in chosen:
            self.watches.discard(connection)
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        return len(chosen)

    def fail(self, method, path, code=0, reason="", message="", *, times=1, headers=None, details=None):
        """Answer so (code 0: hang up) to the next requests that match."""
        answer = Refused(code, reason, message, details, headers) if code else None
        fault = Fault(method, re.compile(path), answer, times)
        self.faults.append(fault)
        return fault

    def allow(self, token, rules, name="someone"):
        self.users[token] = User(name, rules)

    def kubeconfig(
        self, path, *, token="admin-token", namespace="default", user=None, context="test", server=None
    ):
        pem = AUTHORITY.cert_pem.bytes()
        authority = {"certificate-authority-data": base64.b64encode(pem).decode()}
        data = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "clusters": [{"name": "test", "cluster": {"server": server or self.url, **authority}}],
            "users": [{"name": "me", "user": user if user is not None else {"token": token}}],
            "contexts": [
                {"name": context, "context": {"cluster": "test", "user": "me", "namespace": namespace}}
            ],
        }
        path.write_text(yaml.safe_dump(data))
        return path

    def log(self, pod, text, *, container="main", at=None):
        with self.storage.news:
            self.logs.setdefault((pod, container), []).append((at or time.time(), text))
            self.storage.news.notify_all()

    def end_log(self, pod, *, container="main"):
        with self.storage.news:
            self.logs.setdefault((pod, container), []).append(LOG_CLOSED)
            self.storage.news.notify_all()


class Answering(BaseHTTPRequestHandler):
    api: TestApi
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, *args):
        pass

    def setup(self):
        super().setup()
        self.api.connections.add(self.connection)

    def finish(self):
        self.api.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def handle(self):
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def __getattr__(self, name):
        if name.startswith("do_"):
            return lambda: self.answer(name.removeprefix("do_"))
        raise AttributeError(name)

    def answer(self, method):
        parts = urlsplit(self.path)
        self.query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        raw = self.received()
        self.api.requests.append((method, parts.path, parts.query))
        try:
            self.break_if_asked(method, parts.path)
            self.user = self.authenticated()
            self.route(method, parts.path, raw)
        except Refused as refused:
            self.send(refused.code, refused.body, refused.headers)
        except ConnectionAbortedError:
            self.close_connection = True
            socket.socket.shutdown(self.connection, socket.SHUT_RDWR)

    def received(self):
        """The body of the request, also where it comes in chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        data = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def break_if_asked(self, method, path):
        for fault in self.api.faults:
            if fault.times > fault.hits and fault.method in {method, "*"} and fault.path.search(path):
                fault.hits += 1
                if fault.answer is None:
                    raise ConnectionAbortedError
                raise fault.answer

    def authenticated(self):
        header = self.headers.get("Authorization", "")
        user = self.api.users.get(header.removeprefix("Bearer "))
        if user is None:
            raise Refused(401, "Unauthorized", "Unauthorized")
        return user

    # --- routes

    def route(self, method, path, raw):
        words = [unquote(word) for word in path.strip("/").split("/")]
        if method == "GET" and (found := self.discovery(words)) is not None:
            self.send(200, found)
            return
        if words[0] == "api" and len(words) > 2:
            version, rest = words[1], words[2:]
        elif words[0] == "apis" and len(words) > 3:
            version, rest = f"{words[1]}/{words[2]}", words[3:]
        else:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        kind = (version, rest[0])
        if kind not in KINDS or kind[1] in self.api.missing:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        name = rest[1] if len(rest) > 1 else ""
        part = rest[2] if len(rest) > 2 else ""
        watching = self.query.get("watch") in {"true", "1"}
        verb = VERBS.get(method) or ("get" if name else "watch" if watching else "list")
        self.authorize(verb, kind, namespace, name, part)
        body = None if method == "DELETE" else decoded(raw)
        self.act(verb, kind, namespace, name, part, body)

    def discovery(self, words):
        if words == ["version"]:
            return {"major": "1", "minor": "36", "gitVersion": "v1.36.0", "platform": "linux/amd64"}
        if words == ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"]}
        groups = sorted({api for api, plural in KINDS if "/" in api and plural not in self.api.missing})
        if words == ["apis"]:
            versions = [{"groupVersion": g, "version": g.split("/")[1]} for g in groups]
            named = [
                {"name": v["groupVersion"].split("/")[0], "versions": [v], "preferredVersion": v}
                for v in versions
            ]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": named}
        version = words[1] if words[0] == "api" and len(words) == 2 else "/".join(words[1:])
        kinds = [(k, v) for k, v in KINDS.items() if k[0] == version and k[1] not in self.api.missing]
        if len(words) > 3 or words[0] not in {"api", "apis"} or not kinds:
            return None
        found = [
            {
                "name": plural,
                "singularName": named.lower(),
                "kind": named,
                "namespaced": namespaced,
                "shortNames": short,
                "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
            }
            for (_, plural), (named, namespaced, short) in kinds
        ]
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": found}

    def authorize(self, verb, kind, namespace, name, part):
        plural = f"{kind[1]}/{part}" if part else kind[1]
        if kind[1] == "selfsubjectaccessreviews" or permitted(self.user, verb, group(kind), plural):
            return
        scope = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
        named = full_name(kind) + (f' "{name}"' if name else "")
        raise Refused(
            403,
            "Forbidden",
            f'{named} is forbidden: User "{self.user.name}" cannot {verb} resource "{plural}" '
            f'in API group "{group(kind)}" {scope}',
            {"name": name, "group": group(kind), "kind": kind[1]},
        )

    def act(self, verb, kind, namespace, name, part, body):
        storage = self.api.storage
        if kind[1] == "selfsubjectaccessreviews":
            asked = body["spec"]["resourceAttributes"]
            plural = asked["resource"] + (f"/{asked['subresource']}" if asked.get("subresource") else "")
            allowed = permitted(self.user, asked["verb"], asked.get("group", ""), plural)
            self.send(201, {**body, "status": {"allowed": allowed}})
        elif part == "log":
            self.stream_log(namespace, name)
        elif verb == "get":
            self.send(200, whole(kind, storage.get(kind, namespace, name)))
        elif verb == "watch":
            self.stream_watch(kind, namespace)
        elif verb == "list":
            self.send(200, self.listing(kind, namespace))
        elif verb == "create":
            dry = self.query.get("dryRun") == "All"
            self.send(201, whole(kind, storage.create(kind, namespace, body, dry)))
        elif verb == "update":
            self.send(200, whole(kind, storage.replace(kind, namespace, name, body)))
        elif verb == "patch":
            self.send(200, whole(kind, self.patched(kind, namespace, name, body)))
        else:
            old = storage.delete(kind, namespace, name)
            if kind[1] == "workflows":
                self.collect(namespace, old["metadata"]["uid"])
            details = {"name": name, "group": group(kind), "kind": kind[1], "uid": old["metadata"]["uid"]}
            self.send(200, {"kind": "Status", "apiVersion": "v1", "status": "Success", "details": details})

    def collect(self, namespace, uid):
        """What owners own goes with them."""
        pods, _ = self.api.storage.list(("v1", "pods"), namespace)
        for pod in pods:
            if any(owner.get("uid") == uid for owner in pod["metadata"].get("ownerReferences", ())):
                self.api.storage.delete(("v1", "pods"), namespace, pod["metadata"]["name"])

    def patched(self, kind, namespace, name, body):
        content = self.headers.get("Content-Type", "")
        change = json_patch if "json-patch" in content else merge_patch
        if "merge-patch" not in content and "json-patch" not in content:
            # Custom resources know no strategic merge; a real server says so.
            raise Refused(
                415, "UnsupportedMediaType", f"the body of the request was in an unknown format: {content}"
            )
        with self.api.storage.news:
            old = self.api.storage.get(kind, namespace, name)
            return self.api.storage.replace(kind, namespace, name, change(old, body))

    # --- lists and watches

    def wanted(self, obj):
        labels = self.query.get("labelSelector", "")
        if labels and not parse_selector(labels)(obj["metadata"].get("labels") or {}):
            return False
        fields = self.query.get("fieldSelector", "")
        for term in fields.split(",") if fields else ():
            key, _, value = term.partition("=")
            place: Any = obj
            for step in key.split("."):
                place = place.get(step, "") if isinstance(place, dict) else ""
            if str(place) != value.lstrip("="):
                return False
        return True

    def listing(self, kind, namespace):
        found, version = self.api.storage.list(kind, namespace or None)
        found = [obj for obj in found if self.wanted(obj)]
        metadata = {"resourceVersion": str(version)}
        limit = int(self.query.get("limit") or 0)
        start = 0
        if token := self.query.get("continue"):
            at, offset = token.split(":")
            if int(at) < self.api.storage.oldest:
                raise expired(at, self.api.storage.oldest)
            start, metadata["resourceVersion"] = int(offset), at
        if limit and len(found) > start + limit:
            metadata["continue"] = f"{metadata['resourceVersion']}:{start + limit}"
            found = found[start : start + limit]
        else:
            found = found[start:]
        items = [whole(kind, obj) for obj in found]
        return {"kind": f"{KINDS[kind][0]}List", "apiVersion": kind[0], "metadata": metadata, "items": items}

    def stream_watch(self, kind, namespace):
        storage = self.api.storage
        asked = self.query.get("resourceVersion") or "0"
        with storage.news:
            version = int(asked)
            first = []
            if version == 0:
                objects, version = storage.list(kind, namespace or None)
                first = [Happening(version, "ADDED", kind, obj) for obj in objects]
            elif version < storage.oldest:
                raise expired(version, storage.oldest)
        self.start_stream("application/json")
        end = time.monotonic() + float(self.query.get("timeoutSeconds") or 3600)
        bookmarks = self.query.get("allowWatchBookmarks") == "true"
        self.api.watches.add(self.connection)
        try:
            self.tell(kind, namespace, first)
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
                    metadata = {"resourceVersion": str(version)}
                    self.chunk({"type": "BOOKMARK", "object": whole(kind, {"metadata": metadata})})
            self.end_stream()
        finally:
            self.api.watches.discard(self.connection)

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
            at, tail = 0, self.query.get("tailLines")
            if tail is not None:
                at = max(0, len([line for line in lines if line]) - int(tail))
        since = self.cutoff()
        self.start_stream("text/plain")
        self.api.watches.add(self.connection)
        try:
            while True:
                with storage.news:
                    if follow:
                        storage.news.wait_for(lambda seen=at: len(lines) > seen, 0.2)
                    news, at = lines[at:], len(lines)
                for line in news:
                    if line is LOG_CLOSED:
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
        data = json.dumps(body).encode()
        self.send_response(code)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Type", "application/json")
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


def decoded(raw):
    if raw.startswith(PROTOBUF):
        return access_review(raw)
    try:
        return json.loads(raw) if raw else None
    except ValueError as error:
        raise Refused(415, "UnsupportedMediaType", "this server reads JSON only") from error


def access_review(raw):
    """The one object that Go's clients write in protobuf here: a SelfSubjectAccessReview, inside a runtime.Unknown."""
    unknown = fields_of(raw[len(PROTOBUF) :])
    attributes = fields_of(fields_of(fields_of(unknown[2])[2])[1])
    names = ("namespace", "verb", "group", "version", "resource", "subresource", "name")
    given = {name: attributes.get(number, b"").decode() for number, name in enumerate(names, 1)}
    return {"spec": {"resourceAttributes": given}}


def fields_of(data):
    """The fields of a protobuf message that holds nothing but texts and messages: number -> bytes."""
    found, at = {}, 0

    def number():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    while at < len(data):
        key, length = number() >> 3, number()
        found[key] = data[at : at + length]
        at += length
    return found


def permitted(user, verb, api_group, plural):
    """Whether the rules of a user allow it, as RBAC decides."""
    if user.rules is None:
        return True
    return any(
        api_group in rule["apiGroups"] and plural in rule["resources"] and verb in rule["verbs"]
        for rule in user.rules
    )


def whole(kind, obj):
    return {"apiVersion": kind[0], "kind": KINDS[kind][0], **obj}


def stamp(seconds):
    """RFC 3339 with nanoseconds, without zeros at the end, as the kubelet writes it."""
    whole_seconds, rest = divmod(int(seconds * 1e9), 10**9)
    fraction = f".{rest:09d}".rstrip("0").rstrip(".")
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole_seconds)) + fraction + "Z"
