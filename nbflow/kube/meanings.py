"""What the fields of Kubernetes' types are for: the words of the official client, which comes with nbflow.

They are read from its source: to import its models would take half a second, and a person waits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_LONGEST = 110
_JSON_NAMES = re.compile(r"""^\s+["'](\w+)["']: ["']([\w$]+)["'],?$""", re.MULTILINE)
_FIELD = re.compile(r'^    (\w+): .*?\bdescription="((?:[^"\\]|\\.)*)"', re.MULTILINE)
_GETTER = re.compile(r'"""Gets the (\w+) of this \w+\.[^\n]*\n\s*\n(.*?)\n\s*\n', re.DOTALL)
_CLASS = re.compile(r'^class \w+\(BaseModel\):\n    """\n    (.+?)\n\s*\n', re.MULTILINE | re.DOTALL)


@cache
def meanings(type_name: str) -> Mapping[str, str]:
    """Field -> what it is for, and "" -> what the type is. Empty for what the client does not know."""
    source = _source(type_name)
    names = dict(_JSON_NAMES.findall(source))
    told = {attribute: text for pattern in (_FIELD, _GETTER) for attribute, text in pattern.findall(source)}
    found = {names.get(attribute, attribute): _first_sentence(text) for attribute, text in told.items()}
    about = _CLASS.search(source)
    return {**found, "": _first_sentence(about.group(1))} if about else found


def _source(type_name: str) -> str:
    spec = find_spec("kubernetes")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    words = re.sub(r"([A-Z\d]+)([A-Z][a-z])", r"\1_\2", type_name)
    file = re.sub(r"([a-z\d])([A-Z])", r"\1_\2", words).lower() + ".py"
    paths = (Path(folder, "client", "models", file) for folder in folders)
    return next((path.read_text(encoding="utf-8") for path in paths if path.is_file()), "")


def _first_sentence(text: str) -> str:
    plain = " ".join(text.replace("# noqa: E501", "").replace('\\"', '"').split())
    sentence = re.split(r"\.(?:\s|$)", plain, maxsplit=1)[0]
    return sentence if len(sentence) <= _LONGEST else sentence[: _LONGEST - 1].rstrip() + "…"
