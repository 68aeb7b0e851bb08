"""YAML and JSON in, with the position of every key and value.

`load_documents` reads what Argo would read: the text is cut at lines of `---`, each part is a document of its own, and
scalars mean what Argo's reader takes them for. Data is built from the events of the C parser in one pass, without
recursion; where its parts stand is remembered on the way, and looked up when a finding asks.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from nbflow.errors import Finding, Position, Severity
from nbflow.spec.build import Built, Fault, build, build_events
from nbflow.spec.decode import decode
from nbflow.spec.fields import KINDS
from nbflow.spec.leaves import QUOTE_IT, DecodeFault
from nbflow.spec.objects import ENCODED, check_values

if TYPE_CHECKING:
    from nbflow.spec.positions import Places

Path = tuple[str | int, ...]
"""Where something is in a document: keys of mappings and indices of lists."""

MAX_CHARACTERS = 8 * 1024 * 1024
"""Of one document. A cluster takes 1.5 MB."""

_SEPARATOR = re.compile(r"\n---")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_KIND = re.compile(r"^kind: *([A-Za-z]+)", re.MULTILINE)
_VALUES = re.compile(r"""["']?kind["']?\s*:\s*["']?(Secret|ConfigMap)\b""")
_WORD = re.compile(r"[-+.~\w]+")
_SYNTAX = "NBF101"
_WRONG_TYPE = "NBF103"
_REPEATED = "NBF201"


class Text:
    """The text of a file, with the place of every character in it."""

    def __init__(self, source: str, text: str) -> None:
        self.source, self.text = source, text
        self._lines: dict[int, str] = {}

    @cached_property
    def _starts(self) -> list[int]:
        return list(accumulate([len(line) + 1 for line in self.text.split("\n")[:-1]], initial=0))

    def position(self, offset: int) -> Position:
        """Line and column of a character."""
        line = bisect_right(self._starts, offset)
        return Position(self.source, line, offset - self._starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """A line without its end; "" if there is none."""
        if not 0 < number <= len(self._starts):
            return ""
        known = self._lines.get(number)
        if known is None:
            start = self._starts[number - 1]
            end = self.text.find("\n", start)
            known = self.text[start : end if end >= 0 else len(self.text)].rstrip("\r")
            self._lines[number] = known
        return known


class Document:
    """One document of a file.

    data: what it holds, as Argo's decoder sees it; empty if the text is no YAML or no mapping.
    findings: what is wrong with its text, its fields and their types. offset: where it begins in the file.
    built: what the reader knows besides. malformed: Argo does not read it, though there is data that can be looked at.
    """

    def __init__(self, file: Text, offset: int, text: str) -> None:
        self.file, self.offset, self.text = file, offset, text
        self.data: dict[str, object] = {}
        self.findings: list[Finding] = []
        self.built = Built(None)
        self.malformed = False

    def __repr__(self) -> str:
        return f"Document({self.kind} {self.name!r} of {self.source})"

    @property
    def source(self) -> str:
        """The name of the file, "" for a text."""
        return self.file.source

    @property
    def kind(self) -> str:
        """`kind`, also of a text that is malformed elsewhere; "" if there is none."""
        kind = self.data.get("kind")
        if kind is None and not self.data:
            found = _KIND.search(self.text)
            return found.group(1) if found else ""
        return kind if isinstance(kind, str) else ""

    @property
    def name(self) -> str:
        """`metadata.name`; "" if there is none."""
        return self._metadata("name")

    @property
    def namespace(self) -> str:
        """`metadata.namespace`; "" if there is none."""
        return self._metadata("namespace")

    def _metadata(self, field: str) -> str:
        metadata = self.data.get("metadata")
        value = metadata.get(field) if isinstance(metadata, dict) else None
        return value if isinstance(value, str) else ""

    def with_data(self, data: Mapping[str, object]) -> Document:
        """The same text with other data: what options of a submit made of it. Positions stay where they were."""
        document = Document(self.file, self.offset, self.text)
        document.data, document.findings, document.built = dict(data), self.findings, self.built
        document.malformed = self.malformed
        return document

    def position(self, path: Sequence[str | int] = (), *, key: bool = False, needle: str = "") -> Position:
        """Where the value at `path` stands, or its nearest parent that is there.

        key: where its key stands; always so if the value is a mapping or a list, which begin below their key.
        needle: a text within the value, such as a tag.
        """
        return self.file.position(self.offset + self.offset_of(path, key=key, needle=needle))

    def offset_of(self, path: Sequence[str | int], *, key: bool = False, needle: str = "") -> int:
        """The same as a character of this document; 0 if there is nothing to be found in it."""
        return self.places.find(path, key=key, needle=needle)

    @cached_property
    def places(self) -> Places:
        """Where all its parts stand."""
        from nbflow.spec.positions import Places

        trail = self.built.trail
        if not trail and self.data:  # it is JSON, whose reader tells no places
            with suppress(Fault):
                trail = build_events(self.text).trail
        return Places(self.text, trail)

    def finding(
        self,
        rule: str,
        path: Sequence[str | int],
        problem: str,
        *,
        fix: str = "",
        severity: Severity = Severity.ERROR,
        key: bool = False,
        needle: str = "",
    ) -> Finding:
        """A finding at `path` of this document."""
        return self._place(rule, self.position(path, key=key, needle=needle), problem, fix, severity)

    def finding_at(
        self, rule: str, offset: int, problem: str, *, fix: str = "", severity: Severity = Severity.ERROR
    ) -> Finding:
        """A finding at a character of this document."""
        return self._place(rule, self.file.position(self.offset + offset), problem, fix, severity)

    def _place(self, rule: str, place: Position, problem: str, fix: str, severity: Severity) -> Finding:
        line = "" if self._hides_lines else self.file.line(place.line)
        return Finding(rule, problem, severity, place, line, fix)

    @property
    def _hides_lines(self) -> bool:
        """Whether lines may hold the value of a secret."""
        if not self.data:
            return _VALUES.search(self.text) is not None
        return self.kind in ENCODED


def load_documents(text: str | bytes, source: str, *, strict: bool = True) -> list[Document]:
    """The documents of a file; empty ones are left out.

    Never raises for what the text says: what is wrong is in `findings` of its document.
    strict: names of fields count in their case, and unknown ones are findings (`argo lint --strict`).
    """
    if isinstance(text, bytes):
        try:
            decoded = text.decode("utf-16" if text.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8")
        except UnicodeDecodeError as error:
            return [_undecodable(text, source, error)]
    else:
        decoded = text
    file = Text(source, decoded.removeprefix("\ufeff"))
    loaded = [_load(document, strict=strict) for document in _cut(file) if document.text.strip()]
    return [document for document in loaded if document.data or document.findings]


def _cut(file: Text) -> list[Document]:
    """The text cut as Argo does it: JSON is one document, YAML as many as there are separators."""
    if file.text.lstrip()[:1] == "{" and "\n---" not in file.text:
        return [Document(file, 0, file.text)]
    starts = [0, *(match.end() for match in _SEPARATOR.finditer(file.text))]
    ends = [*(start - 4 for start in starts[1:]), len(file.text)]
    return [Document(file, start, file.text[start:end]) for start, end in zip(starts, ends, strict=True)]


def _load(document: Document, *, strict: bool) -> Document:
    """Fill in data and findings."""
    try:
        _check_text(document.text)
        document.built = build(document.text)
    except Fault as fault:
        document.findings.append(document.finding_at(_SYNTAX, fault.offset, fault.problem, fix=fault.fix))
        return document
    data = document.built.data
    if not isinstance(data, dict):
        if data is not None:
            problem = "a manifest is a mapping with apiVersion and kind"
            document.findings.append(document.finding(_SYNTAX, (), problem, fix="begin with `apiVersion:`"))
        return document
    document.data = data
    document.findings += [
        document.finding_at(
            _SYNTAX if strict else _REPEATED,
            offset,
            f'key "{name}" already set in map',
            fix="keep one of them",
            severity=Severity.ERROR if strict else Severity.WARNING,
        )
        for offset, name in document.built.repeated
    ]
    document.malformed = strict and bool(document.built.repeated)
    version = data.get("apiVersion")
    if document.kind in KINDS and isinstance(version, str) and version.count("/") > 1:
        problem = f"apiVersion '{version}' is not a group and a version"
        fix = "write `apiVersion: argoproj.io/v1alpha1`"
        document.findings.append(document.finding(_WRONG_TYPE, ("apiVersion",), problem, fix=fix))
    document.findings += [
        document.finding(
            fault.rule,
            fault.path,
            fault.told(),
            fix=_as_written(document, fault),
            severity=fault.severity,
            key=fault.key,
        )
        for fault in check_values(data, document.kind, decode(data, document.kind, strict=strict))
    ]
    return document


def _as_written(document: Document, fault: DecodeFault) -> str:
    """The fix; a word that is to be quoted (`y`, 0755) as it stands in the text, not as what it means."""
    if not fault.fix.startswith(QUOTE_IT):
        return fault.fix
    found = _WORD.match(document.text, document.offset_of(fault.path))
    return f'{QUOTE_IT}"{found.group()}"' if found else fault.fix


def _check_text(text: str) -> None:
    """Raises Fault for what no YAML may hold, before the parser sees it."""
    if len(text) > MAX_CHARACTERS:
        size = f"{len(text) / 1024 / 1024:.0f} MB"
        raise Fault(
            0,
            f"the document is too large: {size}, at most 8 MB are read",
            "move data into files or artifacts",
        )
    found = _FORBIDDEN.search(text)
    if found:
        code = f"U+{ord(found.group()):04X}"
        raise Fault(found.start(), f"the control character {code} is not allowed in YAML", "remove it")


def _undecodable(text: bytes, source: str, error: UnicodeDecodeError) -> Document:
    """A document that only says where the text stops being UTF-8."""
    readable = text.decode("utf-8", errors="replace")
    document = Document(Text(source, readable), 0, readable)
    offset = len(text[: error.start].decode("utf-8", errors="replace"))
    problem = f"the text is not UTF-8: byte 0x{text[error.start]:02x} at {error.start}"
    document.findings.append(document.finding_at(_SYNTAX, offset, problem, fix="save the file as UTF-8"))
    return document
