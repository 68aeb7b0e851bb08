"""A file as it can be looked at in a notebook: bounded in size, and never able to act on the page.

Images and HTML come as data; HTML, in a frame without rights. Everything else is text.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from nbflow.notebook.rich import Rich, block, escape, image, table
from nbflow.views.text import clean, columns, shorten

TEXT, IMAGE, PAGE = 20_000, 4_000_000, 1_000_000
"""Bytes of a text, an image, an HTML file that are put into the notebook at most."""
ROWS, COLUMNS, CELL = 20, 20, 80
"""Of a table: rows, columns, and characters of a cell."""
FILES = 50
_LINES = 200
_FRAME = "width:100%;height:28em;border:1px solid #8884;border-radius:6px;background:#fff"
_CONTENT = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; media-src data:"


class File(NamedTuple):
    """What is looked at. head: its first bytes. ending: of its name, in small letters."""

    path: Path
    name: str
    size: int
    head: bytes
    ending: str

    def read(self, limit: int) -> bytes:
        """Its first `limit` bytes."""
        with self.path.open("rb") as file:
            return file.read(limit)

    def text(self, limit: int = TEXT) -> str:
        """Its beginning as text."""
        return self.read(limit).decode("utf-8", "replace")


def preview(path: Path, name: str, *, scripts: bool = False) -> Rich:
    """The file or folder at `path`. name: whose ending tells its kind. scripts: a page's run, in its frame."""
    if path.is_dir():
        return _folder(path, name)
    file = _file(path, name)
    if not file.size:
        return Rich(f"{clean(name)} is empty")
    if file.ending in (".html", ".htm"):
        return _page(file, scripts=scripts)
    return _kind(file)(file)


def _file(path: Path, name: str) -> File:
    with path.open("rb") as file:
        head = file.read(512)
    return File(path, name, path.stat().st_size, head, Path(name).suffix.lower())


def _kind(file: File) -> Callable[[File], Rich]:
    """By the content where that is certain, else by the name."""
    if _image_kind(file):
        return _image
    if file.head[:4] == b"PAR1":
        return _parquet
    if b"\0" in file.head or not _is_text(file.head):
        return _binary
    return {".json": _json, ".csv": _table, ".tsv": _table, ".tab": _table}.get(file.ending, _text)


def _is_text(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4  # a character that the cut went through
    return True


_MAGIC = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))


def _image_kind(file: File) -> str:
    for magic, kind in _MAGIC:
        if file.head.startswith(magic):
            return kind
    if file.head[:4] == b"RIFF" and file.head[8:12] == b"WEBP":
        return "image/webp"
    return "image/svg+xml" if file.ending == ".svg" and b"<svg" in file.head else ""


def _image(file: File) -> Rich:
    """As data in an <img>, where a script in an SVG cannot run."""
    if file.size > IMAGE:
        return _too_large(file)
    kind, told = _image_kind(file), f"{clean(file.name)}: {_image_kind(file)}, {_size(file.size)}"
    return Rich(told, html=image(file.path.read_bytes(), kind, told))


def _page(file: File, *, scripts: bool) -> Rich:
    """In a frame of an origin of its own, which loads nothing."""
    if file.size > PAGE:
        return _too_large(file)
    policy = f"{_CONTENT}; script-src 'unsafe-inline' 'unsafe-eval' data: blob:" if scripts else _CONTENT
    text = f'<meta http-equiv="Content-Security-Policy" content="{policy}">{file.text(PAGE)}'
    rights = "allow-scripts" if scripts else ""
    source = escape_attribute(text)
    frame = (
        f'<iframe sandbox="{rights}" style="{_FRAME}" title="{escape(file.name)}" srcdoc="{source}"></iframe>'
    )
    return Rich(f"{clean(file.name)}: an HTML page of {_size(file.size)}", html=frame)


def escape_attribute(text: str) -> str:
    """A page as the value of an attribute."""
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


def _json(file: File) -> Rich:
    try:
        text = (
            json.dumps(json.loads(file.path.read_bytes()), indent=2, ensure_ascii=False)
            if file.size <= PAGE
            else ""
        )
    except (ValueError, RecursionError):
        text = ""
    return _bounded(text, file) if text else _text(file)


def _text(file: File) -> Rich:
    return _bounded(file.text(), file, cut=file.size > TEXT)


def _bounded(text: str, file: File, *, cut: bool = False) -> Rich:
    """The beginning of a text, and how much there is of it."""
    lines = text[:TEXT].expandtabs().split("\n")
    cut = cut or len(text) > TEXT or len(lines) > _LINES
    shown = "\n".join(clean(line.rstrip("\r")) for line in lines[:_LINES]).rstrip("\n")
    more = f"… {clean(file.name)} goes on: {_size(file.size)} in all" if cut else ""
    told = f"<div>{escape(more)}</div>" if more else ""
    return Rich(shown + (f"\n{more}" if more else ""), html=block(shown) + told)


def _table(file: File) -> Rich:
    separator = "\t" if file.ending in (".tsv", ".tab") else ","
    whole = file.size <= PAGE
    lines = csv.reader(io.StringIO(file.text(PAGE), newline=""), delimiter=separator)
    try:
        rows = list(islice(lines, ROWS + 1))
        count = sum(1 for _ in lines) + len(rows) - 1
    except csv.Error:
        return _text(file)
    told = f"{max(count, 0)} rows" if whole else f"{_size(file.size)}, its first rows"
    return _grid(rows[:1], rows[1:], told)


def _parquet(file: File) -> Rich:
    try:
        from pyarrow import parquet
    except ImportError:
        return Rich(
            f"{clean(file.name)}: Parquet, {_size(file.size)}\n  fix: `pip install pyarrow` to look into it from here"
        )
    opened = parquet.ParquetFile(file.path)
    batch = next(opened.iter_batches(batch_size=ROWS), None)
    names = list(opened.schema_arrow.names)
    values = [] if batch is None else [list(row.values()) for row in batch.to_pylist()]
    rows = [["" if value is None else str(value) for value in row] for row in values]
    return _grid([names], rows, f"{opened.metadata.num_rows} rows")


def _grid(head: list[list[str]], rows: list[list[str]], told: str) -> Rich:
    """Rows as a table; told: how many there are."""
    names = [shorten(clean(name), CELL) for name in (head[0] if head else [])[:COLUMNS]]
    cells = [[shorten(clean(cell), CELL) for cell in row[:COLUMNS]] for row in rows]
    wide = max((len(row) for row in (*head, *rows)), default=0)
    told += f" × {wide} columns" if head else ""
    text = "\n".join(columns([names, *cells], 2))
    return Rich(f"{text}\n[{told}]", html=f"{table(names, cells)}<div>{escape(told)}</div>")


def _binary(file: File) -> Rich:
    told = f"{clean(file.name)}: {_size(file.size)} of no kind that can be shown; read_bytes(), save(PATH)"
    return Rich(told)


def _too_large(file: File) -> Rich:
    return Rich(f"{clean(file.name)}: {_size(file.size)}, too large to be kept in a notebook; save(PATH)")


def _folder(path: Path, name: str) -> Rich:
    files = [one for one in sorted(path.rglob("*")) if one.is_file()]
    rows = [[one.relative_to(path).as_posix(), _size(one.stat().st_size)] for one in files[:FILES]]
    more = [[f"and {len(files) - FILES} more files", ""]] if len(files) > FILES else []
    text = "\n".join(columns([[clean(cell) for cell in row] for row in (*rows, *more)], 2))
    return Rich(f"{clean(name)}/\n{text}", html=table([f"{name}/", "Size"], [*rows, *more]))


def _size(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"
