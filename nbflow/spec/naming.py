"""Which names and labels Kubernetes takes. Names become paths and patterns: whatever is stored was looked at here."""

from __future__ import annotations

import re
from functools import cache

_LONGEST_NAME = 253
_LONGEST_PART = 63
_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
_KEY = r"[-._a-zA-Z0-9]+"


def is_name(text: str) -> bool:
    """Whether an object can be called so: a subdomain of RFC 1123."""
    return len(text) <= _LONGEST_NAME and _matches(rf"{_LABEL}(\.{_LABEL})*", text)


def is_run_name(text: str) -> bool:
    """Whether a run here can be called so: also in capitals or with "-" at the end, which Argo's own tests use."""
    return len(text) <= _LONGEST_NAME and _matches(r"[A-Za-z0-9]([-.A-Za-z0-9]*[-A-Za-z0-9])?", text)


def is_prefix(text: str) -> bool:
    """Whether a name can begin so (generateName): a "-" at its end does no harm."""
    return is_name(f"{text}a" if text.endswith("-") else text)


def is_namespace(text: str) -> bool:
    """Whether a namespace can be called so: a label of RFC 1123."""
    return len(text) <= _LONGEST_PART and _matches(_LABEL, text)


def is_label_key(text: str) -> bool:
    """Whether a label can be called so, "example.com/app"; an annotation can if its lower case can."""
    prefix, slash, name = text.rpartition("/")
    return len(name) <= _LONGEST_PART and _matches(_QUALIFIED, name) and (not slash or is_name(prefix))


def is_label_value(text: str) -> bool:
    """Whether it can be the value of a label."""
    return not text or (len(text) <= _LONGEST_PART and _matches(_QUALIFIED, text))


def is_data_key(text: str) -> bool:
    """Whether a value of a Secret or ConfigMap can be called so: it becomes the name of a file."""
    return len(text) <= _LONGEST_NAME and text != "." and not text.startswith("..") and _matches(_KEY, text)


def _matches(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)
