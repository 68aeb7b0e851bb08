"""sprig's random functions, drawn from the seed of the evaluation, and those that cannot be had here."""

from __future__ import annotations

import base64
import hashlib
import string
import uuid
from collections.abc import Callable
from typing import Final

from nbflow.templating.exprlang.frame import MEMORY_BUDGET, Frame
from nbflow.templating.golang.values import Fault, Function
from nbflow.templating.sprig.signature import function


def _bytes(frame: Frame, count: int) -> bytes:
    """The next `count` random bytes of this evaluation; the same seed and place give the same ones."""
    if count < 0:
        raise Fault("runtime error: makeslice: len out of range")
    if count > MEMORY_BUDGET:
        raise Fault("memory budget exceeded")
    frame.random += 1
    origin = f"{frame.clock.seed}/{frame.random}/{frame.salt}"
    return hashlib.shake_256(origin.encode("utf-8", "surrogatepass")).digest(count)


def _below(frame: Frame, limit: int) -> int:
    return int.from_bytes(_bytes(frame, 16), "big") % limit


def _text(alphabet: str) -> Callable[[Frame, int], str]:
    def draw(frame: Frame, count: int) -> str:
        data = _bytes(frame, max(count, 0) * 2)
        return "".join(
            alphabet[int.from_bytes(data[i : i + 2], "big") % len(alphabet)] for i in range(0, len(data), 2)
        )

    return draw


def shuffle(frame: Frame, text: str) -> str:
    chars = list(text)
    for last in range(len(chars) - 1, 0, -1):
        other = _below(frame, last + 1)
        chars[last], chars[other] = chars[other], chars[last]
    return "".join(chars)


def between(frame: Frame, low: int, high: int) -> int:
    if high <= low:
        raise Fault("invalid argument to Intn")
    return low + _below(frame, high - low)


_TABLE: Final[dict[str, tuple[str, Callable[..., object]]]] = {
    "randAlphaNum": ("int", _text(string.ascii_letters + string.digits)),
    "randAlpha": ("int", _text(string.ascii_letters)),
    "randAscii": ("int", _text("".join(map(chr, range(32, 127))))),
    "randNumeric": ("int", _text(string.digits)),
    "randBytes": ("int", lambda frame, count: base64.b64encode(_bytes(frame, count)).decode()),
    "randInt": ("int int", between),
    "shuffle": ("string", shuffle),
    "uuidv4": ("", lambda frame: str(uuid.UUID(bytes=_bytes(frame, 16), version=4))),
}

_ABSENT: Final = {
    **dict.fromkeys(("getHostByName",), "asks the network"),
    **dict.fromkeys(("bcrypt", "htpasswd"), "needs bcrypt"),
    **dict.fromkeys(("encryptAES", "decryptAES"), "needs AES"),
    **dict.fromkeys(
        (
            "genPrivateKey", "buildCustomCert", "genCA", "genCAWithKey", "genSelfSignedCert",
            "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey",
        ),
        "makes keys and certificates",
    ),
}  # fmt: skip


def _unavailable(name: str, why: str) -> Callable[..., object]:
    def refuse(*_arguments: object) -> object:
        raise Fault(
            f"sprig.{name} {why}, which an expression cannot do here; do it in a step and pass the result"
        )

    return refuse


FUNCTIONS: Final[dict[str, Function]] = {
    name: function(name, *entry, frame=True) for name, entry in _TABLE.items()
} | {name: function(name, "any*", _unavailable(name, why)) for name, why in _ABSENT.items()}
