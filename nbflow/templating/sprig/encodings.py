"""sprig's sums, encodings, paths, URLs and regular expressions."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import posixpath
import re
import urllib.parse
import zlib
from collections.abc import Callable
from typing import Final

from nbflow.templating.exprlang.builtins.conversions import decode_base64
from nbflow.templating.golang import patterns
from nbflow.templating.golang.text import from_bytes, to_bytes
from nbflow.templating.golang.values import Fault, Function, go_type
from nbflow.templating.sprig.signature import function


def _base64(text: str) -> str:
    try:
        return from_bytes(decode_base64(text))
    except Fault as fault:
        return str(fault)


def _base32(text: str) -> str:
    try:
        return from_bytes(base64.b32decode(text.replace("\n", "").replace("\r", "")))
    except (binascii.Error, ValueError):
        bad = re.search(r"[^A-Z2-7]", text)
        return f"illegal base32 data at input byte {bad.start() if bad else len(text)}"


def _dir(path: str) -> str:
    return _clean(path[: path.rfind("/") + 1])


def _clean(path: str) -> str:
    cleaned = posixpath.normpath(path) if path else "."
    return "/" + cleaned.lstrip("/") if cleaned.startswith("/") else cleaned


def _base(path: str) -> str:
    if not path:
        return "."
    stripped = path.rstrip("/")
    return stripped.rsplit("/", 1)[-1] if stripped else "/"


def _ext(path: str) -> str:
    last = path.rsplit("/", 1)[-1]
    return last[last.rfind(".") :] if "." in last else ""


def url_parse(text: str) -> dict[str, object]:
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in text):
        raise Fault(f'unable to parse url: parse "{text}": net/url: invalid control character in URL')
    try:
        parts = urllib.parse.urlsplit(text)
        hostname = _hostname(parts.netloc.rpartition("@")[2])
    except ValueError as error:
        raise Fault(f'unable to parse url: parse "{text}": {error}') from None
    opaque = bool(parts.scheme) and not parts.netloc and bool(parts.path) and not parts.path.startswith("/")
    return {
        "scheme": parts.scheme,
        "host": parts.netloc.rpartition("@")[2],
        "hostname": hostname,
        "path": "" if opaque else urllib.parse.unquote(parts.path),
        "query": parts.query,
        "opaque": parts.path if opaque else "",
        "fragment": urllib.parse.unquote(parts.fragment),
        "userinfo": parts.netloc.rpartition("@")[0],
    }


def _hostname(host: str) -> str:
    """The host without its port. Raises ValueError for a port that is no number."""
    end = host.find("]") + 1 if host.startswith("[") else 0
    name, colon, port = host[end:].partition(":")
    if colon and not re.fullmatch(r"[0-9]*", port):
        raise ValueError(f'invalid port ":{port}" after host')
    return host[1 : end - 1] if end else name


def url_join(parts: dict[object, object]) -> str:
    def part(name: str) -> str:
        value = parts.get(name, "")
        if not isinstance(value, str):
            raise Fault(f"unable to parse {name} key, must be of type string, but {go_type(value)} found")
        return value

    scheme = f"{part('scheme')}:" if part("scheme") else ""
    tail = (f"?{part('query')}" if part("query") else "") + (
        f"#{urllib.parse.quote(part('fragment'), safe=_SAFE)}" if part("fragment") else ""
    )
    if part("opaque"):
        return scheme + part("opaque") + tail
    user = f"{part('userinfo')}@" if part("userinfo") else ""
    place = (
        f"//{user}{part('host')}"
        if part("host") or user
        else "//"
        if scheme and part("path").startswith("//")
        else ""
    )
    path = urllib.parse.quote(part("path"), safe=_SAFE)
    return scheme + place + ("/" if place and path and not path.startswith("/") else "") + path + tail


_SAFE: Final = "/:@&=+$,;~!*'()%"

_PASSWORDS: Final = {
    "maximum": "anoxxxxxxxxxxxxxxxxx axxxxxxxxxxxxxxxxxno",
    "long": "CvcvnoCvcvCvcv CvcvCvcvnoCvcv CvcvCvcvCvcvno CvccnoCvcvCvcv CvccCvcvnoCvcv CvccCvcvCvcvno"
    " CvcvnoCvccCvcv CvcvCvccnoCvcv CvcvCvccCvcvno CvcvnoCvcvCvcc CvcvCvcvnoCvcc CvcvCvcvCvccno"
    " CvccnoCvccCvcv CvccCvccnoCvcv CvccCvccCvcvno CvcvnoCvccCvcc CvcvCvccnoCvcc CvcvCvccCvccno"
    " CvccnoCvcvCvcc CvccCvcvnoCvcc CvccCvcvCvccno",
    "medium": "CvcnoCvc CvcCvcno",
    "short": "Cvcn",
    "basic": "aaanaaan aannaaan aaannaaa",
    "pin": "nnnn",
}
_CONSONANTS: Final = "bcdfghjklmnpqrstvwxyz"
_LETTERS: Final = "AEIOUaeiou" + _CONSONANTS.upper() + _CONSONANTS
_CHARACTERS: Final = {
    "V": "AEIOU", "C": _CONSONANTS.upper(), "v": "aeiou", "c": _CONSONANTS, "A": "AEIOU" + _CONSONANTS.upper(),
    "a": _LETTERS, "n": "0123456789", "o": "@&%?,=[]_:-+*$#!'^~;()/.", "x": _LETTERS + "0123456789!@#$%^&*()",
}  # fmt: skip


def derive_password(counter: int, kind: str, password: str, user: str, site: str) -> str:
    """A password from a master password, by the Master Password algorithm."""
    if kind not in _PASSWORDS:
        return f"cannot find password template {kind}"
    prefix, name, place = b"com.lyndir.masterpassword", to_bytes(user), to_bytes(site)
    salt = prefix + len(name).to_bytes(4, "big") + name
    key = hashlib.scrypt(to_bytes(password), salt=salt, n=32768, r=8, p=2, dklen=64, maxmem=1 << 27)
    message = prefix + len(place).to_bytes(4, "big") + place + (counter % (1 << 32)).to_bytes(4, "big")
    seed = hmac.digest(key, message, "sha256")
    templates = _PASSWORDS[kind].split()
    template = templates[seed[0] % len(templates)]
    return "".join(_CHARACTERS[c][seed[i + 1] % len(_CHARACTERS[c])] for i, c in enumerate(template))


def _sum(name: str) -> Callable[[str], str]:
    return lambda text: hashlib.new(name, to_bytes(text)).hexdigest()


def _quiet_match(pattern: str, text: str) -> bool:
    try:
        return patterns.search(pattern, text)
    except Fault:
        return False


def _fail(message: str) -> object:
    raise Fault(message)


_REGEX: Final[dict[str, tuple[str, Callable[..., object]]]] = {
    "regexMatch": ("string string", patterns.search),
    "regexFindAll": ("string string int", patterns.find_all),
    "regexFind": ("string string", patterns.find),
    "regexReplaceAll": ("string string string", patterns.replace_all),
    "regexReplaceAllLiteral": ("string string string", patterns.replace_all_literally),
    "regexSplit": ("string string int", patterns.split),
}

_TABLE: Final[dict[str, tuple[str, Callable[..., object]]]] = {
    "sha1sum": ("string", _sum("sha1")),
    "sha256sum": ("string", _sum("sha256")),
    "sha512sum": ("string", _sum("sha512")),
    "adler32sum": ("string", lambda text: str(zlib.adler32(to_bytes(text)))),
    "b64enc": ("string", lambda text: base64.b64encode(to_bytes(text)).decode()),
    "b64dec": ("string", _base64),
    "b32enc": ("string", lambda text: base64.b32encode(to_bytes(text)).decode()),
    "b32dec": ("string", _base32),
    "derivePassword": ("uint string string string string", derive_password),
    "urlParse": ("string", url_parse),
    "urlJoin": ("dict", url_join),
    "fail": ("string", _fail),
    "regexQuoteMeta": ("string", patterns.quote_meta),
    "base": ("string", _base),
    "dir": ("string", _dir),
    "clean": ("string", _clean),
    "ext": ("string", _ext),
    "isAbs": ("string", lambda path: path.startswith("/")),
    "osBase": ("string", _base),
    "osDir": ("string", _dir),
    "osClean": ("string", _clean),
    "osExt": ("string", _ext),
    "osIsAbs": ("string", lambda path: path.startswith("/")),
}


def _functions() -> dict[str, Function]:
    table = _TABLE | _REGEX | {f"mustR{name[1:]}": entry for name, entry in _REGEX.items()}
    table["regexMatch"] = ("string string", _quiet_match)
    return {name: function(name, *entry) for name, entry in table.items()}


FUNCTIONS: Final[dict[str, Function]] = _functions()
