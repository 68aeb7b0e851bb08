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
import re
import socket
import ssl
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import trustme
import yaml

from nbflow.clients.selectors import parse_selector
from nbflow.errors import NbflowError
from tests.kube.discovery import discovery
from tests.kube.protobuf import PREFIX, access_review
from tests.kube.storage import (
    KINDS,
    Refused,
    Storage,
    conflict,
    full_name,
    group,
    invalid,
    json_patch,
    merge_patch,
    moment,
    named,
    too_large,
    whole,
)
from tests.kube.streams import HUNG_UP, LOG_CLOSED, Streaming
from tests.kube.validation import (
    admitted,
    bad_request,
    check_kind,
    check_patch_type,
    check_place,
    decoded,
)

NAMESPACES = ("v1", "namespaces")
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
AUTHORITY = trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert("127.0.0.1")


TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list "
    "without the continue parameter."
)


class Unrouted(Exception):
    """No such path."""


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
    """rules: as in a Role of `namespaces`. None: everything is allowed. cluster: as in a ClusterRole, bound for all.

    used: what this user asked for and was allowed: (verb, resource, namespace).
    """

    name: str
    rules: list[dict] | None = None
    namespaces: tuple[str, ...] = ("default",)
    cluster: list[dict] = field(default_factory=list)
    used: set[tuple[str, str, str]] = field(default_factory=set)

    def may(self, verb, api_group, plural, namespace):
        """Whether it is allowed, as RBAC decides."""
        bound = [*self.cluster, *((self.rules or ()) if namespace in self.namespaces else ())]
        return self.rules is None or any(
            api_group in rule["apiGroups"] and plural in rule["resources"] and verb in rule["verbs"]
            for rule in bound
        )


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
    warnings: list[tuple[str, re.Pattern, str]] = field(default_factory=list)
    bookmark_seconds: float = 0.2
    port: int = 0

    def __post_init__(self):
        self.connections: set[socket.socket] = set()
        self.watches: set[socket.socket] = set()
        self.server: ThreadingHTTPServer | None = None
        self.allow("admin-token", None, "admin")
        self.namespace("default")

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

    def namespace(self, name):
        """Make a namespace."""
        with contextlib.suppress(Refused):
            self.storage.create(NAMESPACES, "", {"metadata": {"name": name}})

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
        self.drop(everything=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

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

    def warn(self, method, path, header):
        """From now on answers to requests that match have this `Warning` header, too."""
        self.warnings.append((method, re.compile(path), header))

    def allow(self, token, rules, name="someone", *, namespaces=("default",), cluster=()):
        self.users[token] = User(name, rules, tuple(namespaces), list(cluster))
        return self.users[token]

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
        self.namespace(namespace)
        return path

    def log(self, pod, text, *, container="main", at=None):
        with self.storage.news:
            self.logs.setdefault((pod, container), []).append((at or time.time(), text))
            self.storage.news.notify_all()

    def end_log(self, pod, *, container="main"):
        with self.storage.news:
            self.logs.setdefault((pod, container), []).append(LOG_CLOSED)
            self.storage.news.notify_all()

    def hang_up(self, pod, *, container="main"):
        """End the connections that follow the log, in good order, though the container goes on."""
        with self.storage.news:
            self.logs.setdefault((pod, container), []).append(HUNG_UP)
            self.storage.news.notify_all()


class Answering(Streaming):
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
        except Unrouted:
            self.send_bytes(404, b"404 page not found\n", "text/plain; charset=utf-8")
        except ConnectionAbortedError:
            self.close_connection = True
            socket.socket.shutdown(self.connection, socket.SHUT_RDWR)

    def end_headers(self):
        for method, path, header in self.api.warnings:
            if method in {self.command, "*"} and path.search(urlsplit(self.path).path):
                self._headers_buffer.append(f"Warning: {header}\r\n".encode())
        super().end_headers()

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
        if method == "GET" and (found := discovery(words, self.api.missing)) is not None:
            self.send(200, found)
            return
        if words[0] == "api" and len(words) > 2:
            version, rest = words[1], words[2:]
        elif words[0] == "apis" and len(words) > 3:
            version, rest = f"{words[1]}/{words[2]}", words[3:]
        else:
            raise Unrouted
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        kind = (version, rest[0])
        name = rest[1] if len(rest) > 1 else ""
        part = rest[2] if len(rest) > 2 else ""
        watching = self.query.get("watch") in {"true", "1"}
        verb = VERBS.get(method) or ("get" if name else "watch" if watching else "list")
        self.authorize(verb, kind, namespace, name, part)
        if kind not in KINDS or kind[1] in self.api.missing:
            if words[0] == "api":
                raise Refused(404, "NotFound", "the server could not find the requested resource", {})
            raise Unrouted
        if method == "PATCH":
            check_patch_type(kind, self.headers.get("Content-Type", ""))
        if not raw or (
            method == "DELETE" and raw.startswith(PREFIX)
        ):  # options that Go's clients write in protobuf
            body = {}
        else:
            body = access_review(raw) if raw.startswith(PREFIX) else decoded(kind, raw)
        self.act(verb, kind, namespace, name, part, body)

    def authorize(self, verb, kind, namespace, name, part):
        plural = f"{kind[1]}/{part}" if part else kind[1]
        if kind[1] == "selfsubjectaccessreviews":
            return
        if self.user.may(verb, group(kind), plural, namespace):
            self.user.used.add((verb, plural, namespace))
            return
        scope = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
        what = full_name(kind) + (f' "{name}"' if name else "")
        raise Refused(
            403,
            "Forbidden",
            f'{what} is forbidden: User "{self.user.name}" cannot {verb} resource "{plural}" '
            f'in API group "{group(kind)}" {scope}',
            named(kind, name),
        )

    def act(self, verb, kind, namespace, name, part, body):
        storage = self.api.storage
        if kind[1] == "selfsubjectaccessreviews":
            asked = body["spec"]["resourceAttributes"]
            plural = asked["resource"] + (f"/{asked['subresource']}" if asked.get("subresource") else "")
            group_ = asked.get("group", "")
            allowed = self.user.may(asked["verb"], group_, plural, asked.get("namespace", ""))
            self.send(201, whole(kind, {"metadata": {}, **body, "status": {"allowed": allowed}}))
        elif part == "log":
            self.stream_log(namespace, name)
        elif verb == "get":
            self.send(200, whole(kind, storage.get(kind, namespace, name)))
        elif verb == "watch":
            self.stream_watch(kind, namespace)
        elif verb == "list":
            self.send(200, self.listing(kind, namespace))
        elif verb == "create":
            self.send(201, whole(kind, self.created(kind, namespace, body)))
        elif verb == "update":
            self.send(200, whole(kind, self.updated(kind, namespace, name, body)))
        elif verb == "patch":
            self.send(200, whole(kind, self.patched(kind, namespace, name, body)))
        elif name:
            self.send(200, self.deleted(kind, namespace, name, body))
        else:
            found = self.listing(kind, namespace)
            for obj in found["items"]:
                storage.delete(kind, namespace, obj["metadata"]["name"])
            self.send(200, found)

    def created(self, kind, namespace, body):
        check_kind(kind, body)
        check_place(namespace, body)
        storage, metadata = self.api.storage, body.get("metadata") or {}
        if metadata.get("resourceVersion"):
            raise Refused(500, "", "resourceVersion should not be set on objects to be created")
        if namespace:
            storage.get(NAMESPACES, "", namespace)
        dry = self.query.get("dryRun", "")
        if dry not in {"", "All"}:
            said = f'Unsupported value: ["{dry}"]: supported values: "All"'
            causes = [("dryRun", "FieldValueNotSupported", said)]
            raise invalid(("meta.k8s.io/v1", ""), "", causes, "CreateOptions")
        return storage.create(kind, namespace, self.managed(kind, admitted(kind, body)), bool(dry))

    def updated(self, kind, namespace, name, body):
        check_kind(kind, body)
        check_place(namespace, body, name)
        self.api.storage.get(kind, namespace, name)
        if group(kind) and not body["metadata"].get("resourceVersion"):
            said = "Invalid value: 0: must be specified for an update"
            causes = [("metadata.resourceVersion", "FieldValueInvalid", said)]
            raise invalid(kind, name, causes, kind[1])
        return self.api.storage.replace(kind, namespace, name, self.managed(kind, admitted(kind, body)))

    def managed(self, kind, obj):
        """With a word on who wrote it."""
        old = obj["metadata"].get("managedFields") or []
        who = self.headers.get("User-Agent", "").partition("/")[0]
        if any(one.get("manager") == who for one in old):
            return obj
        entry = {"manager": who, "operation": "Update", "apiVersion": kind[0], "time": moment()}
        fields = {"fieldsType": "FieldsV1", "fieldsV1": {f"f:{key}": {} for key in obj if key != "metadata"}}
        return {**obj, "metadata": {**obj["metadata"], "managedFields": [*old, {**entry, **fields}]}}

    def deleted(self, kind, namespace, name, options):
        old = self.api.storage.get(kind, namespace, name)
        uid = old["metadata"]["uid"]
        wanted = options.get("preconditions", {}).get("uid", uid)
        if wanted != uid:
            why = f"the UID in the precondition ({wanted}) does not match the UID in record ({uid})."
            why += " The object might have been deleted and then recreated"
            raise conflict(kind, name, why, KINDS[kind][0] if group(kind) else "")
        if self.query.get("dryRun") != "All":
            self.api.storage.delete(kind, namespace, name)
            if kind[1] == "workflows":
                self.collect(namespace, uid)
        details = {**named(kind, name), "uid": uid}
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}

    def collect(self, namespace, uid):
        """What owners own goes with them."""
        pods, _ = self.api.storage.list(("v1", "pods"), namespace)
        for pod in pods:
            if any(owner.get("uid") == uid for owner in pod["metadata"].get("ownerReferences", ())):
                self.api.storage.delete(("v1", "pods"), namespace, pod["metadata"]["name"])

    def patched(self, kind, namespace, name, body):
        change = json_patch if "json-patch" in self.headers["Content-Type"] else merge_patch
        with self.api.storage.news:
            old = self.api.storage.get(kind, namespace, name)
            new = change(old, body)
            check_place(namespace, new, name)
            return self.api.storage.replace(kind, namespace, name, self.managed(kind, admitted(kind, new)))

    # --- lists and watches

    def wanted(self, obj):
        if not self.labels(obj["metadata"].get("labels") or {}):
            return False
        return all(meets(obj) for meets in self.fields)

    def select(self, kind):
        """Read the selectors of the request."""
        try:
            self.labels = parse_selector(self.query.get("labelSelector", ""))
        except NbflowError as error:
            raise bad_request(f"unable to parse requirement: {error.problem}") from error
        self.fields = field_terms(kind, self.query.get("fieldSelector", ""))

    def listing(self, kind, namespace):
        self.select(kind)
        found, version = self.api.storage.list(kind, namespace or None)
        found = [obj for obj in found if self.wanted(obj)]
        asked = int(self.query.get("resourceVersion") or 0)
        if asked > version:
            raise too_large(asked, version)
        metadata = {"resourceVersion": str(version), **({"continue": ""} if group(kind) else {})}
        limit = int(self.query.get("limit") or 0)
        start = 0
        if token := self.query.get("continue"):
            at, colon, offset = token.partition(":")
            if not colon:
                raise bad_request("invalid continue token: continue key is not valid")
            if int(at) < self.api.storage.oldest:
                raise Refused(410, "Expired", TOO_OLD)
            start, metadata["resourceVersion"] = int(offset), at
        if limit and len(found) > start + limit:
            metadata["continue"] = f"{metadata['resourceVersion']}:{start + limit}"
            if not (self.query.get("labelSelector") or self.query.get("fieldSelector")):
                metadata["remainingItemCount"] = len(found) - start - limit
            found = found[start : start + limit]
        else:
            found = found[start:]
        items = [whole(kind, obj) for obj in found]
        return {"kind": f"{KINDS[kind][0]}List", "apiVersion": kind[0], "metadata": metadata, "items": items}


def field_terms(kind, text):
    """The terms of a field selector, each a function of an object. Of custom resources few fields are known."""
    return [field_term(kind, term) for term in text.split(",")] if text else []


def field_term(kind, term):
    key, sign, value = re.fullmatch(r"([^=!]*)(==|=|!=)(.*)", term).groups()
    known = {"metadata.name", "metadata.namespace"}
    if kind == ("v1", "pods"):
        known |= {"status.phase", "spec.nodeName", "spec.serviceAccountName"}
    if key not in known:
        raise bad_request(f"field label not supported: {key}")

    def meets(obj):
        place: Any = obj
        for step in key.split("."):
            place = place.get(step, "") if isinstance(place, dict) else ""
        return (str(place) == value) is (sign != "!=")

    return meets
