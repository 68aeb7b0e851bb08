"""Artifacts of a node as Python objects: read, load as a table, save, look at."""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

from nbflow.errors import NbflowError
from nbflow.notebook.near import near

if TYPE_CHECKING:
    import pandas as pd

Fetch = Callable[[Path], None]
"""Puts an artifact as it is stored at a path: a file, or a folder."""
_LOCATIONS = ("s3", "gcs", "oss", "azure", "hdfs", "http", "artifactory", "git", "raw", "plugin")


class NoSuchArtifactError(NbflowError, KeyError):
    """There is no artifact of that name, or no file of that name in it."""


class Artifact:
    """One artifact. Its bytes are fetched when they are first asked for, and unpacked as Argo packed them.

    data: as the status holds it. fetch: gets it.
    """

    def __init__(self, data: Mapping[str, object], fetch: Fetch) -> None:
        self.data = data
        self._fetch = fetch
        self._place: Path | None = None

    @property
    def name(self) -> str:
        """Its name in the manifest."""
        return str(self.data.get("name", ""))

    @property
    def path(self) -> str:
        """Where it was in the pod; "" if that is not known."""
        return str(self.data.get("path") or "")

    @property
    def location(self) -> str:
        """Where it is stored: the kind of place and its key or address; "" if it is stored nowhere."""
        for kind in _LOCATIONS:
            found = self.data.get(kind)
            if isinstance(found, Mapping):
                keys = ("key", "url", "blob", "path", "repo")
                return f"{kind}: {next((str(found[key]) for key in keys if found.get(key)), '')}".rstrip(": ")
        return ""

    @property
    def files(self) -> list[str]:
        """The names of the files in a folder; of a file, its own."""
        place = self.local
        if place.is_file():
            return [self.file_name]
        found = (path for path in sorted(place.rglob("*")) if path.is_file())
        return [path.relative_to(place).as_posix() for path in found]

    @property
    def file_name(self) -> str:
        """The name of its file in the pod, which tells what it is."""
        return Path(self.path).name or self.name

    @property
    def local(self) -> Path:
        """A copy on this machine, a file or a folder; it goes when this object goes."""
        if self._place is None:
            folder = Path(tempfile.mkdtemp(prefix="nbflow-"))
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            self._fetch(folder / "stored")
            self._place = _unpacked(folder / "stored", self.data)
        return self._place

    def open(self, file: str = "", mode: str = "rb", *, encoding: str = "utf-8") -> IO[bytes] | IO[str]:
        """Open it to be read: "rb" gives bytes, "r" text. file: which one, of a folder.

        Raises NoSuchArtifactError if a folder has no such file.
        """
        if mode not in ("rb", "r", "rt"):
            raise NbflowError(
                f"an artifact cannot be opened with mode {mode!r}", fix='"rb" or "r": it is read only'
            )
        place = self._file(file)
        return place.open("rb") if mode == "rb" else place.open("r", encoding=encoding)

    def read_bytes(self, file: str = "") -> bytes:
        """All of it. file: which one, of a folder."""
        return self._file(file).read_bytes()

    def read_text(self, file: str = "", *, encoding: str = "utf-8") -> str:
        """All of it as text. Raises NbflowError if it is none."""
        data = self.read_bytes(file)
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            raise NbflowError(
                f"artifact {self.name} is no text in {encoding}: {error.reason} at byte {error.start}",
                fix="read_bytes(), or another encoding",
            ) from None

    def json(self, file: str = "") -> object:
        """What its JSON says. Raises NbflowError if it is none."""
        try:
            return json.loads(self.read_text(file))
        except ValueError as error:
            raise NbflowError(
                f"artifact {self.name} is no JSON: {error}", fix="read_text() shows it"
            ) from None

    def to_frame(self, file: str = "", **options: object) -> pd.DataFrame:
        """A CSV, TSV, JSON, JSON lines, Parquet, Feather or Excel file as a DataFrame. options: for pandas' reader.

        Raises NbflowError if pandas is not installed, or the file is of another kind.
        """
        from nbflow.notebook.frames import read_frame

        return read_frame(self._file(file), file or self.file_name, options)

    def save(self, path: str | Path) -> Path:
        """Copy it to `path`, or into it if that is a folder; where it is now. Raises NbflowError if it cannot be."""
        target = Path(path)
        if target.is_dir():
            target /= Path(self.file_name).name
        try:
            if self.local.is_dir():
                shutil.copytree(self.local, target)
            else:
                shutil.copyfile(self.local, target)
        except OSError as error:
            raise NbflowError(
                f"artifact {self.name} cannot be saved: {error.strerror}", where=str(target)
            ) from error
        return target

    def show(self, file: str = "", *, scripts: bool = False) -> None:
        """Look at it here: images, HTML in a frame of its own, tables, JSON, text; what is long is cut.

        file: which one, of a folder. scripts: let those of an HTML file run, in their frame only.
        """
        from nbflow.notebook.preview import preview

        found = preview(self._file(file) if file else self.local, file or self.file_name, scripts=scripts)
        from IPython import get_ipython

        if get_ipython() is None:
            print(found)  # noqa: T201  # a plain Python has nothing else to show it with
        else:
            from IPython.display import display

            display(found)  # type: ignore[no-untyped-call]

    def __repr__(self) -> str:
        from nbflow.views.text import clean

        told = ", ".join(clean(one) for one in (self.path, self.location) if one)
        return f"<artifact {clean(self.name)}{f' ({told})' if told else ''}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """What `show` shows; if it cannot be had, why."""
        from nbflow.notebook.preview import preview

        try:
            return preview(self.local, self.file_name)._repr_mimebundle_()
        except NbflowError as error:
            return {"text/plain": f"{self!r}\n{error}"}

    def _file(self, name: str) -> Path:
        place = self.local
        if place.is_file() and name in ("", self.file_name):
            return place
        files = self.files
        if name in files:
            return place / name
        if not name and len(files) == 1:
            return place / files[0]
        problem = (
            f"artifact {self.name} has no file {name!r}" if name else f"artifact {self.name} is a folder"
        )
        fix = near(name, files) if name else f"name a file of it: {near('', files)}"
        raise NoSuchArtifactError(problem, fix=fix)


class Artifacts(Mapping[str, Artifact]):
    """Artifacts by name. owner: whose they are, for messages."""

    def __init__(self, found: Mapping[str, Artifact], owner: str) -> None:
        self._found, self._owner = found, owner

    def __getitem__(self, name: str) -> Artifact:
        if name not in self._found:
            raise NoSuchArtifactError(f"{self._owner} has no artifact {name!r}", fix=near(name, self._found))
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._found)

    def __repr__(self) -> str:
        return "\n".join(repr(one) for one in self._found.values()) or f"{self._owner} has no artifacts"

    def _repr_html_(self) -> str:
        from nbflow.notebook.rich import escape, table

        rows = [[one.name, one.path, one.location] for one in self._found.values()]
        return table(["Artifact", "Path", "Stored"], rows) if rows else f"<em>{escape(repr(self))}</em>"


def _unpacked(stored: Path, artifact: Mapping[str, object]) -> Path:
    """What an artifact is: out of the archive that Argo makes where nothing else is said.

    Raises NbflowError if the archive is broken.
    """
    from nbflow.artifacts import archive

    said = artifact.get("archive")
    how = said if isinstance(said, Mapping) else {}
    target = stored.with_name("artifact")
    if stored.is_dir() or "none" in how:
        return stored
    if "zip" in how:
        archive.unpack_zip(stored, target)
    elif archive.is_tar(stored):
        archive.unpack_tar(stored, target)
    else:
        return stored
    return target
