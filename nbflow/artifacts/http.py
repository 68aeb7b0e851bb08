"""Artifacts behind a URL: fetched with GET, stored with PUT."""

from __future__ import annotations

import json
import ssl
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path

from nbflow.artifacts import web
from nbflow.artifacts.credentials import Secrets, private_folder, read_key, write_private
from nbflow.artifacts.driver import Artifact, location, mapping, said
from nbflow.artifacts.web import Access
from nbflow.errors import NbflowError


class HTTPDriver:
    """`http: {url, headers, auth}`, where auth is a user and password, a client certificate, or OAuth2; and
    `artifactory: {url, usernameSecret, passwordSecret}`, a server where a file is a URL."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def load(self, artifact: Artifact, scratch: Path) -> Path:
        settings = _settings(artifact)
        url = str(settings.get("url") or "")
        web.check_url(url, f"the url of {said(artifact)}")
        web.get(url, scratch, self._access(settings, scratch))
        return scratch

    def save(self, source: Path, artifact: Artifact, *, take: bool) -> None:  # noqa: ARG002
        settings = _settings(artifact)
        url = str(settings.get("url") or "")
        web.check_url(url, f"the url of {said(artifact)}")
        if source.is_dir():
            raise NbflowError(
                f"{said(artifact)} is a folder, and a URL holds one file", fix="leave out `archive: none`"
            )
        web.put(url, source, self._access(settings, None))

    def delete(self, artifact: Artifact) -> None:
        raise NbflowError(f"{said(artifact)} is at a URL: deleting is not supported there")

    def list(self, artifact: Artifact) -> Sequence[str]:
        raise NbflowError(f"{said(artifact)} is at a URL: there is nothing to list")

    # --- credentials ---

    def _access(self, settings: Mapping[str, object], beside: Path | None) -> Access:
        auth = mapping(settings.get("auth"))
        context = self._certificate(mapping(auth.get("clientCert")), beside)
        headers = [*_headers(settings)]
        if token := self._token(mapping(auth.get("oauth2")), context):
            headers.append(("Authorization", f"Bearer {token}"))
        basic = mapping(auth.get("basicAuth"))
        user = read_key(basic.get("usernameSecret"), self._secrets)
        password = read_key(basic.get("passwordSecret"), self._secrets)
        if user and password:
            headers.append(web.basic(user, password))
        for name, value in headers:
            if any(letter in name + value for letter in "\r\n\0") or not name.isascii():
                raise NbflowError(f"the value of the header {name.splitlines()[0]!r} is more than one line")
        return Access(tuple(headers), context)

    def _certificate(self, settings: Mapping[str, object], beside: Path | None) -> ssl.SSLContext | None:
        certificate = read_key(settings.get("clientCertSecret"), self._secrets)
        key = read_key(settings.get("clientKeySecret"), self._secrets)
        if not (certificate and key):
            return None
        context = ssl.create_default_context()
        with private_folder(beside) as folder:
            files = (write_private(folder / "cert", certificate), write_private(folder / "key", key))
            try:
                context.load_cert_chain(*files)
            except (ssl.SSLError, ValueError):
                raise NbflowError("clientCert: the certificate and the key are no PEM, or no pair") from None
        return context

    def _token(self, settings: Mapping[str, object], context: ssl.SSLContext | None) -> str:
        """A token by the client credentials grant of OAuth2; "" if the manifest asks for none."""
        client, secret, url = (
            read_key(settings.get(name), self._secrets)
            for name in ("clientIDSecret", "clientSecretSecret", "tokenURLSecret")
        )
        if not (client and secret and url):
            return ""
        form = {"grant_type": "client_credentials"}
        if scopes := _list(settings.get("scopes")):
            form["scope"] = " ".join(map(str, scopes))
        form |= {
            str(p.get("key", "")): str(p.get("value", ""))
            for p in map(mapping, _list(settings.get("endpointParams")))
        }
        quoted = web.basic(urllib.parse.quote(client, safe=""), urllib.parse.quote(secret, safe=""))
        try:
            answer = web.post(url, _encoded(form), Access((quoted,), context))
        except web.Refused:  # some servers want both in the form
            both = {**form, "client_id": client, "client_secret": secret}
            answer = web.post(url, _encoded(both), Access((), context))
        return _access_token(answer, url)


def _settings(artifact: Artifact) -> Mapping[str, object]:
    """What it says of its place, in the words of `http`."""
    if artifact.get("http") is not None:
        return location(artifact, "http")
    server = location(artifact, "artifactory")
    user = {name: server.get(name) for name in ("usernameSecret", "passwordSecret")}
    return {"url": server.get("url"), "auth": {"basicAuth": user}}


def _headers(settings: Mapping[str, object]) -> list[tuple[str, str]]:
    return [
        (str(h.get("name", "")), str(h.get("value", "")))
        for h in map(mapping, _list(settings.get("headers")))
    ]


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def _encoded(form: Mapping[str, str]) -> bytes:
    return urllib.parse.urlencode(form, errors="surrogateescape").encode()


def _access_token(answer: bytes, url: str) -> str:
    try:
        token = mapping(json.loads(answer)).get("access_token")
    except ValueError:
        token = None
    if not isinstance(token, str) or not token:
        raise NbflowError(f"POST {web.shown(url)} gave no access_token")
    return token
