"""Who asks: what Argo's command line reads from the credentials, and the labels it leaves on what they change."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

_PREFIX = "workflows.argoproj.io/"
ACTION = f"{_PREFIX}action"
_LONGEST_LABEL = 63


@dataclass(frozen=True, slots=True)
class Identity:
    """The claims of a token or certificate; "" for those that are not made."""

    subject: str = ""
    email: str = ""
    preferred_username: str = ""
    known: bool = False

    def creator_labels(self) -> dict[str, str | None]:
        """The labels of what this person creates; None: to be taken off."""
        return self._labels("creator", "")

    def actor_labels(self, action: str) -> dict[str, str | None]:
        """The labels of what this person changes; None: to be taken off."""
        return self._labels("actor", action)

    def _labels(self, role: str, action: str) -> dict[str, str | None]:
        return {
            f"{_PREFIX}{role}": dns_friendly(self.subject) or None,
            f"{_PREFIX}{role}-email": dns_friendly(self.email.replace("@", ".at.", 1)) or None,
            f"{_PREFIX}{role}-preferred-username": dns_friendly(self.preferred_username) or None,
            ACTION: action if action and self.known else None,
        }

    def described(self) -> str:
        """As Argo writes a person into a message; "" if nobody is known."""
        said = {"User": self.subject, "Email": self.email, "PreferredUsername": self.preferred_username}
        words = " ".join(f"{key}:{value}" for key, value in sorted(said.items()) if value)
        return f"map[{words}]" if self.known else ""


def of_token(token: str) -> Identity:
    """The claims of a bearer token; nobody if it is no JSON web token."""
    parts = token.split(".")
    if len(parts) != 3:
        return Identity()
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return Identity()
    if not isinstance(claims, Mapping):
        return Identity()
    subject, email, username = (str(claims.get(key) or "") for key in ("sub", "email", "preferred_username"))
    return Identity(subject, email, username, known=True)


def of_certificate(path: str) -> Identity:
    """The common name of a client certificate in a PEM file; nobody if it cannot be read."""
    import ssl

    decode = getattr(getattr(ssl, "_ssl", None), "_test_decode_cert", None)
    try:
        found = decode(path) if decode else {}
    except (OSError, ValueError):
        return Identity()
    names = [value for part in found.get("subject", ()) for key, value in part if key == "commonName"]
    return Identity(subject=names[-1] if names else "", known=True)


def dns_friendly(text: str) -> str:
    """The text as the value of a label."""
    value = re.sub(r"[^-_.a-z0-9A-Z]", "-", text)[-_LONGEST_LABEL:]
    return re.sub(r"[^a-z0-9A-Z]*$", "", re.sub(r"^[^a-z0-9A-Z]*", "", value))
