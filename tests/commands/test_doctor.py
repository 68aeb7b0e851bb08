import os
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime

import pytest

from nbflow.clients.submitting import prepare_submit
from nbflow.commands import doctor as module
from nbflow.commands.doctor import Verdict, doctor
from nbflow.store import open_store
from nbflow.store.connection import VERSION
from nbflow.store.home import Home


def by_name(home):
    return {check.name: check for check in doctor(home)}


def test_a_home_that_does_not_exist_yet_stays_away(tmp_path):
    home = Home(tmp_path / "home")
    checks = by_name(home)
    assert checks["python"].verdict is Verdict.OK
    assert checks["home"].verdict is Verdict.OK
    assert checks["controller"].text == "not running; the next submit starts it"
    assert not home.root.exists()


def test_a_home_that_others_may_read(tmp_path):
    home = Home(tmp_path)
    tmp_path.chmod(0o755)
    assert by_name(home)["privacy"].fix == f"chmod 700 {tmp_path}"
    tmp_path.chmod(stat.S_IRWXU)
    assert "privacy" not in by_name(home)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_is_not_writable(tmp_path):
    tmp_path.chmod(0o500)
    check = by_name(Home(tmp_path / "home"))["home"]
    assert (check.verdict, check.fix) == (Verdict.FAIL, "set NBFLOW_HOME to a folder that you may write to")


def test_settings_that_are_wrong(tmp_path):
    home = Home(tmp_path)
    home.settings.write_text("colour = 1\n")
    check = by_name(home)["settings"]
    assert check.verdict is Verdict.FAIL
    assert "unknown setting 'colour'" in check.text


def test_space_is_counted(tmp_path):
    (tmp_path / "big").write_bytes(b"x" * 2048)
    assert by_name(Home(tmp_path))["space"].text.startswith("2.0 KiB used, ")


def test_a_check_that_breaks_is_a_finding(monkeypatch, tmp_path):
    def _broken(_):
        raise OSError("disk on fire")

    monkeypatch.setattr(module, "_LOOKS", (_broken,))
    assert [(c.name, c.verdict, c.text) for c in doctor(Home(tmp_path))] == [
        ("broken", Verdict.FAIL, "OSError: disk on fire")
    ]


def test_what_the_home_of_kubernetes_is(monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert by_name(Home(tmp_path))["kubernetes"].verdict is Verdict.WARN


def test_a_store_is_looked_into(tmp_path):
    home = Home(tmp_path / "home")
    assert "store" not in by_name(home)
    open_store(home).close()
    assert by_name(home)["store"].text == f"version {VERSION}, undamaged"
    with closing(sqlite3.connect(home.database)) as raw:
        raw.execute("PRAGMA user_version = 1")
    outdated = by_name(home)["store"]
    assert (outdated.verdict, outdated.text) == (
        Verdict.WARN,
        f"version 1, the next verb brings it to {VERSION}",
    )
    with closing(sqlite3.connect(home.database)) as raw:
        raw.execute(f"PRAGMA user_version = {VERSION}")
        raw.execute("DROP TABLE notices")
    damaged = by_name(home)["store"]
    assert (damaged.verdict, damaged.text) == (Verdict.FAIL, "damaged: table notices is missing")
    home.database.write_bytes(b"this is no database" * 100)
    assert by_name(home)["store"].verdict is Verdict.FAIL


def test_workflows_without_a_controller_are_a_warning(tmp_path):
    home = Home(tmp_path / "home")
    with open_store(home) as store:
        row = prepare_submit({"metadata": {"name": "w"}, "spec": {}}, "host", datetime.now(UTC))
        store.submit(row, "2024-05-01T12:00:00Z")
    check = by_name(home)["workflows"]
    assert check.verdict is Verdict.WARN
    assert check.text == (
        "unfinished workflows are held up: their controller had ended; another one is started"
    )
