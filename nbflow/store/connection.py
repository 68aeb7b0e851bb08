"""Open the SQLite file of a home: folder, rights, journal, version, and what its errors mean."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from nbflow.errors import NbflowError
from nbflow.store.filesystem import is_network
from nbflow.store.home import Home
from nbflow.store.statements import resource

VERSION = 3
"""PRAGMA user_version of schema.sql with all migrations."""

_BUSY_SECONDS = 20.0
_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600
_OTHERS = 0o077
_OURS = ("nbflow.sqlite", "controller.", "settings.toml", "workflows", "artifacts", "errors", ".nbflow-")


class StoreFullError(NbflowError):
    """Nothing can be written now, but may be later: the disk is full, or another program holds the file."""


def connect(home: Home) -> sqlite3.Connection:
    """A connection to the home's file; folder, file and tables are made if they are missing.

    Transactions are begun by hand. It may be used by any thread, by one at a time.
    Raises NbflowError if the home is unwritable, damaged, or of a newer nbflow.
    """
    with translated(home):
        new = not home.database.exists()
        if new:
            _make_private(home)
        connection = sqlite3.connect(
            home.database,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            _prepare(connection, home)
        except BaseException:
            connection.close()
            raise
        return connection


def _prepare(connection: sqlite3.Connection, home: Home) -> None:
    shared = is_network(home.root)
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    wanted = "delete" if shared else "wal"
    if mode != wanted:
        connection.execute(f"PRAGMA journal_mode = {wanted}")
    # WAL with NORMAL survives a killed process, and a power cut without damage; a rollback journal needs FULL for that.
    connection.execute(f"PRAGMA synchronous = {'FULL' if shared else 'NORMAL'}")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version < VERSION:
        _migrate(connection)
    elif version > VERSION:
        raise NbflowError(
            f"this home was written by a newer nbflow (its store has version {version}, this nbflow knows {VERSION})",
            where=str(home.database),
            fix="upgrade nbflow, or use another NBFLOW_HOME",
        )


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables to VERSION. Whoever comes first does it; the others wait, look again and find it done."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        for number in range(version + 1, VERSION + 1):
            for statement in _script(number):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _script(number: int) -> list[str]:
    text = resource("schema.sql" if number == 1 else f"migrations/{number:04}.sql")
    code = "\n".join(line.partition("--")[0] for line in text.splitlines())
    return [statement for statement in code.split(";") if statement.strip()]


def _make_private(home: Home) -> None:
    """The folder and the file, for their owner alone. SQLite gives its journals the rights of the file."""
    try:
        home.root.mkdir(mode=_PRIVATE_FOLDER, parents=True)
    except FileExistsError:
        if check_folder(home):
            home.root.chmod(_PRIVATE_FOLDER)
    os.close(os.open(home.database, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, _PRIVATE_FILE))


def check_folder(home: Home) -> bool:
    """Whether the rights of a folder that is there must be, and may be, taken from others.

    Raises NbflowError if they are not ours to take: it is no folder, somebody else's, or holds other things.
    """
    with translated(home):
        status = home.root.stat()
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not status.st_mode & _OTHERS:
            return False
        strangers = sorted(p.name for p in home.root.iterdir() if not p.name.startswith(_OURS))
    if status.st_uid == os.geteuid() and not strangers:
        return True
    reason = f"it holds other things ({strangers[0]})" if strangers else "it belongs to somebody else"
    raise NbflowError(
        f"NBFLOW_HOME is open to other users, and cannot be closed: {reason}",
        where=str(home.root),
        fix=f"set NBFLOW_HOME to a folder of its own, for example {home.root / 'nbflow'}",
    )


def is_made(home: Home) -> bool:
    """Whether the home has a store. Raises NbflowError if none can be made there, and leaves no trace."""
    with translated(home):
        if home.database.exists():
            return True
        if home.root.exists():
            check_folder(home)
        existing = next(path for path in (home.root, *home.root.parents) if path.exists())
        trial = existing / f".nbflow-trial-{os.getpid()}-{threading.get_ident()}"
        trial.mkdir()
        trial.rmdir()
        return False


@contextmanager
def translated(home: Home) -> Iterator[None]:
    """Turns errors of SQLite and of the file system into errors that say what to do."""
    try:
        yield
    except OSError as error:
        raise _unwritable(home.root, error.strerror or str(error)) from error
    except sqlite3.DatabaseError as error:
        raise _meaning(home, error) from error


def _meaning(home: Home, error: sqlite3.DatabaseError) -> NbflowError:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreFullError(
            "another program holds the store", where=str(home.database), fix="end it, and try again"
        )
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return StoreFullError(
            f"the store cannot be written: {error}", where=str(home.database), fix="free space on its disk"
        )
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return NbflowError(
            f"the store is damaged: {error}",
            where=str(home.database),
            fix="move the file away (its workflows are lost), or use another NBFLOW_HOME",
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return _unwritable(home.root, str(error))
    return NbflowError(
        f"the store failed: {error}", where=str(home.database), fix="`nbflow doctor` may know more"
    )


def _unwritable(root: Path, reason: str) -> NbflowError:
    return NbflowError(
        f"NBFLOW_HOME cannot be used: {reason}",
        where=str(root),
        fix="set NBFLOW_HOME to a folder you can write to",
    )


def is_healthy(home: Home) -> bool:
    """Whether SQLite finds nothing wrong with the file (reads all of it)."""
    with closing(connect(home)) as connection:
        return bool(connection.execute("PRAGMA quick_check").fetchone() == ("ok",))


def examine(home: Home) -> tuple[int, tuple[str, ...]]:
    """The version of the file and what is wrong with it (reads all of it, changes nothing).

    Raises NbflowError if it cannot be read at all.
    """
    with translated(home), closing(sqlite3.connect(f"{home.database.as_uri()}?mode=ro", uri=True)) as found:
        (version,) = found.execute("PRAGMA user_version").fetchone()
        faults = [str(text) for (text,) in found.execute("PRAGMA quick_check(5)") if text != "ok"]
        if version <= VERSION:
            missing = _tables_of(version) - _tables(found)
            faults += [f"table {name} is missing" for name in sorted(missing)]
        return version, tuple(faults)


def _tables_of(version: int) -> set[str]:
    """The tables that a file of a version has."""
    with closing(sqlite3.connect(":memory:")) as model:
        for number in range(1, version + 1):
            for statement in _script(number):
                model.execute(statement)
        return _tables(model)


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {
        str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    }
