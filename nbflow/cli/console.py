"""Where a command writes: results to stdout, all else to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from nbflow.errors import NbflowError

if TYPE_CHECKING:
    from datetime import datetime

    from nbflow.spec.status import WorkflowObject
    from nbflow.views.text import Style


class Console:
    """The two streams of a command, and what they can show.

    out, err: None for the process's own, which then may be terminals.
    """

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.out = _robust(sys.stdout) if out is None else out
        self.err = _robust(sys.stderr) if err is None else err
        self.tty = _is_tty(self.out)
        self.no_color = False
        self.no_utf8 = False

    @property
    def style(self) -> Style:
        """Colours on a terminal that knows them; Argo's signs where the encoding has them."""
        from nbflow.views.text import Style

        quiet = self.no_color or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
        return Style(color=self.tty and not quiet, utf8=not self.no_utf8 and _has_signs(self.out))

    @property
    def redraws(self) -> bool:
        """Whether what was written can be written over: on a terminal that knows how."""
        return self.tty and os.environ.get("TERM") != "dumb"

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines of the terminal."""
        import shutil

        found = shutil.get_terminal_size()
        return found.columns, found.lines

    def write(self, text: str) -> None:
        """Part of the result. Raises NbflowError if the disk behind stdout is full, or the like."""
        try:
            self.out.write(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise unwritable(error) from error

    def write_bytes(self, data: bytes) -> None:
        """Part of the result, byte for byte where the stream takes bytes."""
        buffer = getattr(self.out, "buffer", None)
        if buffer is None:
            self.write(data.decode(errors="replace"))
            return
        self.flush()
        try:
            buffer.write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise unwritable(error) from error

    def line(self, text: str) -> None:
        """A line of the result; control characters of strangers are made visible."""
        from nbflow.views.text import clean

        self.write(clean(text) + "\n")

    def say(self, text: str) -> None:
        """A message to the person: warnings, progress, errors. It goes to stderr at once."""
        from nbflow.views.text import clean

        with suppress(NbflowError):  # that stdout cannot be written is said when the result is
            self.flush()
        try:
            self.err.write("\n".join(clean(line) for line in text.split("\n")) + "\n")
            self.err.flush()
        except BrokenPipeError:
            raise
        except OSError:
            return  # there is nowhere left to say it

    def flush(self) -> None:
        """Show what is written. Raises NbflowError as `write` does."""
        try:
            self.out.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise unwritable(error) from error


def unwritable(error: OSError) -> NbflowError:
    """What to say when stdout takes no more."""
    return NbflowError(f"standard output cannot be written: {error.strerror}", fix="write somewhere else")


def now() -> datetime:
    """The time, in the person's time zone."""
    from datetime import datetime

    return datetime.now().astimezone()


def print_data(console: Console, data: object, form: str) -> None:
    """Print plain data as "json" or "yaml"."""
    console.write(to_json(data) if form == "json" else to_yaml(data))


def print_workflows(console: Console, workflows: Sequence[WorkflowObject], form: str) -> None:
    """Print one workflow as itself, several as a List."""
    print_objects(console, [workflow.to_dict() for workflow in workflows], form)


def print_objects(console: Console, items: Sequence[Mapping[str, object]], form: str) -> None:
    """Print one object as itself, several as a List."""
    whole = items[0] if len(items) == 1 else {"apiVersion": "v1", "kind": "List", "items": items}
    print_data(console, whole, form)


def to_json(data: object) -> str:
    """Indented JSON that no terminal takes for a command."""
    import json

    text = json.dumps(data, indent=2, ensure_ascii=False, default=_plain)
    if text.isascii():
        return text + "\n"
    hidden = (
        0x7F,
        *range(0x80, 0xA0),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
        *range(0xD800, 0xE000),
    )
    return text.translate({code: f"\\u{code:04x}" for code in hidden}) + "\n"


def to_yaml(data: object) -> str:
    """YAML in the order of the data."""
    import json

    import yaml

    plain = json.loads(json.dumps(data, default=_plain))
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text = yaml.dump(plain, Dumper=dumper, sort_keys=False, allow_unicode=True, width=1000)
    return str(text)


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)


def _robust(stream: TextIO) -> TextIO:
    """Bytes of logs that are no text pass through a pipe as they are; nothing fails for want of an encoding."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        unicode = (stream.encoding or "").lower().replace("-", "").startswith("utf")
        reconfigure(errors="surrogateescape" if unicode and not _is_tty(stream) else "backslashreplace")
    return stream


def _is_tty(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False


def _has_signs(stream: TextIO) -> bool:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        "✔└".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
