import hashlib
import os
import sqlite3
import stat
import threading

import pytest

from nbflow.errors import NbflowError
from nbflow.store import Home, StoreFullError, connection, open_store
from nbflow.store.connection import examine, is_healthy, is_made, translated
from nbflow.store.statements import resource

NEXT = connection.VERSION + 1


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_home_is_readable_by_its_owner_alone(home):
    before = os.umask(0)
    try:
        with open_store(home) as store:
            store.objects.create("Secret", "s", {})
            files = [path for path in home.root.iterdir() if path.name.startswith("nbflow.sqlite")]
            assert sorted(path.name for path in files) == [
                "nbflow.sqlite",
                "nbflow.sqlite-shm",
                "nbflow.sqlite-wal",
            ]
            assert {mode(path) for path in files} == {0o600}
    finally:
        os.umask(before)
    assert mode(home.root) == 0o700


def test_a_folder_that_others_could_read_is_closed(home):
    home.root.mkdir(mode=0o755)
    open_store(home).close()
    assert mode(home.root) == 0o700


@pytest.mark.parametrize("under", ["a file", "/proc/nbflow"])
def test_an_unwritable_home_is_refused_with_a_way_out(tmp_path, under):
    if under == "a file":
        (tmp_path / "file").write_text("")
        root = tmp_path / "file" / "home"
    else:
        root = Home(tmp_path).root.__class__(under)
    with pytest.raises(NbflowError) as refused:
        open_store(Home(root))
    assert refused.value.problem.startswith("NBFLOW_HOME cannot be used: ")
    assert refused.value.where == str(root)
    assert refused.value.fix == "set NBFLOW_HOME to a folder you can write to"


def test_a_database_that_cannot_be_written_is_refused(home):
    home.root.mkdir()
    home.database.mkdir()
    with pytest.raises(NbflowError, match="NBFLOW_HOME cannot be used"):
        open_store(home)


@pytest.mark.parametrize(
    "content", [b"this is no database, but long enough to be one" * 40, b"SQLite format 3\0" + b"x" * 5000]
)
def test_a_damaged_database_is_named(home, content):
    home.root.mkdir()
    home.database.write_bytes(content)
    with pytest.raises(NbflowError) as refused:
        open_store(home)
    assert refused.value.problem.startswith("the store is damaged: ")
    assert refused.value.where == str(home.database)
    assert home.database.read_bytes() == content


def test_a_database_from_the_future_is_refused(home):
    open_store(home).close()
    raw = sqlite3.connect(home.database)
    raw.execute("PRAGMA user_version = 999")
    raw.close()
    with pytest.raises(NbflowError) as refused:
        open_store(home)
    assert refused.value.problem == (
        f"this home was written by a newer nbflow (its store has version 999, this nbflow knows {connection.VERSION})"
    )
    assert refused.value.fix == "upgrade nbflow, or use another NBFLOW_HOME"


def test_an_older_database_is_migrated_once_whoever_comes_first(home, monkeypatch):
    open_store(home).close()
    monkeypatch.setattr(connection, "VERSION", NEXT)
    scripts = []
    monkeypatch.setattr(connection, "_script", lambda n: scripts.append(n) or ["CREATE TABLE later (x)"])
    threads = [threading.Thread(target=lambda: open_store(home).close()) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert scripts == [NEXT]


def test_a_migration_that_fails_leaves_the_old_version(home, monkeypatch):
    open_store(home).close()
    monkeypatch.setattr(connection, "VERSION", NEXT)
    monkeypatch.setattr(connection, "_script", lambda _: ["CREATE TABLE later (x)", "no sql"])
    with pytest.raises(NbflowError, match="the store failed"):
        open_store(home)
    monkeypatch.setattr(connection, "VERSION", NEXT - 1)
    with open_store(home) as store:
        tables = store._connection.execute("SELECT name FROM sqlite_master WHERE name = 'later'").fetchall()
    assert tables == []


def test_many_open_a_new_home_at_once(home):
    errors = []

    def open_it():
        try:
            open_store(home).close()
        except NbflowError as error:
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert is_healthy(home)


def test_on_a_local_disk_the_journal_is_a_wal(home):
    with open_store(home) as store:
        assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert store._connection.execute("PRAGMA synchronous").fetchone() == (1,)


def test_on_a_network_file_system_the_journal_is_rolled_back(home, monkeypatch):
    open_store(home).close()
    monkeypatch.setattr(connection, "is_network", lambda _: True)
    with open_store(home) as store:
        assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_full_disk_is_told_apart_from_other_errors(home, ledger):
    ledger._connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(StoreFullError) as refused:
        ledger.objects.create("Secret", "s", {"data": {"k": "x" * 1_000_000}})
    assert refused.value.problem == "the store cannot be written: database or disk is full"
    assert refused.value.fix == "free space on its disk"


def test_a_store_that_another_program_holds(home, ledger):
    holder = sqlite3.connect(home.database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    ledger._connection.execute("PRAGMA busy_timeout = 10")
    with pytest.raises(StoreFullError, match="another program holds the store"):
        ledger.objects.create("Secret", "s", {})
    holder.close()


def test_errors_of_the_file_system_are_translated(home):
    with (
        pytest.raises(NbflowError, match="NBFLOW_HOME cannot be used: No space left on device"),
        translated(home),
    ):
        raise OSError(28, "No space left on device")


def test_a_folder_with_other_things_is_left_as_it_is(home):
    home.root.mkdir()
    home.root.chmod(0o755)
    (home.root / "thesis.tex").write_text("")
    for call in (open_store, is_made):
        with pytest.raises(NbflowError) as refused:
            call(home)
        assert refused.value.problem == (
            "NBFLOW_HOME is open to other users, and cannot be closed: it holds other things (thesis.tex)"
        )
        assert refused.value.fix == f"set NBFLOW_HOME to a folder of its own, for example {home.root}/nbflow"
    assert (mode(home.root), [path.name for path in home.root.iterdir()]) == (0o755, ["thesis.tex"])
    home.root.chmod(0o700)
    open_store(home).close()


def test_a_folder_with_settings_is_a_home(home):
    home.root.mkdir()
    home.root.chmod(0o755)
    home.settings.write_text("max_pods = 1")
    open_store(home).close()
    assert mode(home.root) == 0o700


def test_looking_for_a_store_leaves_no_trace(home):
    assert not is_made(home)
    assert list(home.root.parent.iterdir()) == []
    open_store(home).close()
    assert is_made(home)


@pytest.mark.parametrize("name", ["file", "file/below", "/proc/nb"])
def test_where_no_store_can_be(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(NbflowError, match="NBFLOW_HOME cannot be used"):
        is_made(Home(tmp_path / name))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look anywhere")
def test_a_home_of_somebody_else(home):
    home.root.mkdir(mode=0)
    with pytest.raises(NbflowError, match="NBFLOW_HOME cannot be used: Permission denied"):
        is_made(home)


def test_a_home_of_somebody_else_as_root_sees_it(home, monkeypatch):
    def exists(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.exists", exists)
    with pytest.raises(NbflowError, match="NBFLOW_HOME cannot be used: Permission denied"):
        is_made(home)


def test_a_home_of_version_1_gets_what_came_later(home):
    """Also one that has the table of notices already: version 1 had it for a while."""
    for early in (False, True):
        open_store(home).close()
        raw = sqlite3.connect(home.database)
        if not early:
            raw.execute("DROP TABLE notices")
        raw.execute("ALTER TABLE workflows DROP COLUMN status")
        raw.execute("PRAGMA user_version = 1")
        raw.close()
        with open_store(home) as store:
            assert store.take_notices() == []
        assert examine(home) == (connection.VERSION, ())


def test_the_schema_changes_by_migrations_alone():
    """Homes exist: a change is a new file in migrations/, VERSION counts them."""
    known = {
        "schema.sql": "21efca9e33403732",
        "migrations/0002.sql": "b527ed805668c500",
        "migrations/0003.sql": "795fcf0d40bcdac8",
    }
    found = {
        name: hashlib.sha256("".join(resource(name).split()).encode()).hexdigest()[:16] for name in known
    }
    assert found == known
    assert len(known) == connection.VERSION


def test_a_file_is_examined_without_changing_it(home):
    open_store(home).close()
    raw = sqlite3.connect(home.database)
    raw.execute("DROP TABLE notices")
    raw.close()
    assert examine(home) == (connection.VERSION, ("table notices is missing",))
    assert examine(home) == (connection.VERSION, ("table notices is missing",))
