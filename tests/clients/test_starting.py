"""The controller as a process: started when needed, single, gone when idle or asked to, never in the way."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import nbflow
from nbflow.clients.client import LogOptions, Request
from nbflow.clients.local import LocalClient
from nbflow.clients.starting import Starter
from nbflow.errors import NbflowError, NotFoundError
from nbflow.spec.status import Phase
from nbflow.store import Home, open_store
from nbflow.store.presence import controller_of, is_listening
from tests.contracts.client import wait, wait_until, workflow


def is_alive(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_looking_at_a_home_that_does_not_exist_creates_nothing(client, home):
    assert client.list() == []
    assert client.objects("Secret") == []
    for call in (
        lambda: client.get("x"),
        lambda: client.get("@latest"),
        lambda: client.watch("x"),
        lambda: client.logs("x", LogOptions(follow=True)),
        lambda: client.ask("x", Request("stop")),
        lambda: client.delete("x"),
        lambda: client.delete_object("Secret", "x"),
    ):
        with pytest.raises(NotFoundError):
            call()
    assert not home.root.exists()


def test_what_was_prepared_and_not_needed_leaves_no_trace(client, home):
    client.prepare()
    child = client._starter._child
    assert is_alive(child)
    client.close()
    wait_until(lambda: client._starter._reap() or not client._starter._dismissed)
    assert not is_alive(child)
    assert not home.root.exists()


def test_what_was_prepared_while_another_controller_came_up_is_let_go(client, home):
    client.prepare()
    with open_store(home) as store:
        other = Starter(home)
        other.ensure(store)
        while other._child:
            other.check()
            time.sleep(0.005)
    assert wait(client, client.submit(workflow("true")).name) is Phase.SUCCEEDED
    wait_until(lambda: client._starter._reap() or not client._starter._dismissed)
    assert client._starter._child == 0


def test_a_home_is_quiet_once_a_watch_ended(client, home):
    for number in range(5):
        name = client.submit(workflow("exit 1" if number % 2 else "true")).name
        list(client.watch(name))
        with open_store(home) as store:
            snapshot, _ = store.find_with_nodes(name)
            assert (store.is_finished(snapshot.key), store.is_settled(snapshot.key)) == (True, True)


def test_in_the_foreground_it_ends_by_an_interrupt_and_is_single(client, home):
    command = [sys.executable, "-m", "nbflow.controller", "--home", str(home.root), "--foreground"]
    environment = {**os.environ, "PYTHONPATH": str(Path(nbflow.__file__).parent.parent)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as first:
        wait_until(lambda: controller_of(home) is not None and controller_of(home).pid == first.pid)
        assert wait(client, client.submit(workflow("true")).name) is Phase.SUCCEEDED
        second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert second.returncode == 3
        assert second.stderr == f"{home.root}: another controller runs already\n  fix: stop it first\n"
        first.send_signal(signal.SIGINT)
        assert first.wait(20) == 0
        assert first.stderr.read() == ""


def test_an_unwritable_home_is_refused_and_nothing_is_created(tmp_path):
    (tmp_path / "file").write_text("")
    client = LocalClient("host", Home(tmp_path / "file" / "home"))
    client.prepare()
    with pytest.raises(NbflowError, match="NBFLOW_HOME cannot be used"):
        client.submit(workflow("true"))
    client.close()
    assert (tmp_path / "file").read_text() == ""


def test_a_controller_that_cannot_start_says_why(client, home):
    home.root.mkdir()
    home.settings.write_text("max_pods = 'many'")
    with pytest.raises(NbflowError) as refused:
        client.submit(workflow("true"))
    assert refused.value.problem == (
        f"the controller could not start: {home.settings}: max_pods must be a whole number, not 'many'"
    )
    assert client.list() == []  # what was refused does not stay


def test_a_controller_that_breaks_tells_its_traceback_to_the_log_alone(client, home, monkeypatch, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import sqlite3, sys\n"
        "if 'nbflow.controller' in sys.orig_argv:\n"
        "    def connect(*_, **__): raise RuntimeError('no luck')\n"
        "    sqlite3.connect = connect\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(NbflowError) as refused:
        client.submit(workflow("true"))
    assert refused.value.problem == "the controller could not start: exit code 1"
    assert (refused.value.where, refused.value.fix) == (
        str(home.controller_log),
        "run `nbflow doctor`; that log has the details",
    )
    assert "RuntimeError: no luck" in home.controller_log.read_text()
    with open_store(home) as store:
        assert list(store.listing()) == []


def test_a_controller_that_dies_again_and_again_is_not_started_for_ever(client, home, monkeypatch):
    monkeypatch.setenv("NBFLOW_IDLE_SECONDS", "0")
    with open_store(home) as store:
        starter = Starter(home)
        for _ in range(3):
            starter.ensure(store)
            wait_until(lambda: starter.check() or not starter._child)
            wait_until(lambda: controller_of(home) is None)
        with pytest.raises(NbflowError, match="the controller could not start"):
            starter.ensure(store)
        starter.close()


def test_it_survives_its_client_and_listens_no_terminal(client, home):
    name = client.submit(workflow("true")).name
    wait(client, name)
    pid = controller_of(home).pid
    assert os.getsid(pid) != os.getsid(0)
    assert os.getppid() != pid
    assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")
    files = {str(Path(f"/proc/{pid}/fd/{n}").readlink()) for n in (0, 1, 2)}
    assert files == {"/dev/null", str(home.controller_log)}
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    ignored = next(int(line.split()[1], 16) for line in status if line.startswith("SigIgn"))
    assert ignored & 1  # SIGHUP
    assert ignored & 2  # SIGINT


def test_modules_in_the_current_folder_are_not_taken_for_python_s(client, home, tmp_path, monkeypatch):
    for name in ("random", "yaml", "logging", "nbflow"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)
    assert wait(client, client.submit(workflow("true")).name) is Phase.SUCCEEDED


def test_many_starts_at_once_give_one_controller(home):
    store = open_store(home)
    store.close()
    starters = [Starter(home) for _ in range(4)]

    def start(starter):
        with open_store(home) as own:
            starter.ensure(own)
        while starter._child:
            starter.check()
            time.sleep(0.005)

    threads = [threading.Thread(target=start, args=(starter,)) for starter in starters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pid = controller_of(home).pid
    command = f"--home\0{home.root}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found += [int(entry.name)] if command in (entry / "cmdline").read_bytes() else []
            except OSError:
                continue
    assert found == [pid]


def test_a_submit_while_the_controller_ends_is_not_lost(home, monkeypatch):
    """Idle at once: nearly every submit meets a controller that is just about to end."""
    monkeypatch.setenv("NBFLOW_IDLE_SECONDS", "0")
    monkeypatch.setattr("nbflow.clients.starting._MOST_STARTS", 1000)
    client = LocalClient("host", home)
    names = []
    for number in range(12):
        name = client.submit(workflow("true")).name
        names.append(name)
        if number % 3:
            wait(client, name)
            time.sleep(number * 0.0007)
    assert [wait(client, name) for name in names] == [Phase.SUCCEEDED] * 12


def test_submits_from_many_clients_at_once(home):
    names, errors = [], []

    def submit():
        try:
            names.append(LocalClient("host", home).submit(workflow("true")).name)
        except NbflowError as error:
            errors.append(error)

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    client = LocalClient("host", home)
    assert [wait(client, name) for name in names] == [Phase.SUCCEEDED] * 8


def test_a_newer_client_asks_an_older_controller_to_hand_over(client, home):
    name = client.submit(workflow("sleep 0.5", "true")).name
    old = controller_of(home).pid
    signature = home.controller_lock.read_text()
    home.controller_lock.write_text(signature.replace(nbflow.__version__, "0.0.9"))
    client.submit(workflow("true"))
    wait_until(lambda: not is_alive(old))
    wait_until(lambda: controller_of(home) is not None)
    assert controller_of(home).pid != old
    assert wait(client, name) is Phase.SUCCEEDED


def test_touching_any_verb_goes_on_with_what_a_killed_controller_left(client, home, kill_controller):
    name = client.submit(workflow("sleep 0.2", "true")).name
    kill_controller(home)
    assert not is_listening(home)
    client.list()
    wait_until(lambda: is_listening(home))
    assert wait(client, name) is Phase.SUCCEEDED


def test_a_watch_goes_on_although_the_controller_is_killed_under_it(client, home, kill_controller):
    name = client.submit(workflow("sleep 0.2", "true")).name
    updates = client.watch(name)
    next(updates)
    kill_controller(home)
    *_, last = updates
    assert last.workflow.status.phase is Phase.SUCCEEDED


def test_it_ends_when_idle(home, monkeypatch):
    monkeypatch.setenv("NBFLOW_IDLE_SECONDS", "0")
    client = LocalClient("host", home)
    wait(client, client.submit(workflow("true")).name)
    wait_until(lambda: controller_of(home) is None)
    assert "Traceback" not in home.controller_log.read_text()


def test_it_ends_when_the_home_is_removed(client, home):
    client.submit(workflow("sleep 3"))
    controller = controller_of(home).pid
    shutil.rmtree(home.root, ignore_errors=True)
    wait_until(lambda: not is_alive(controller))


def test_a_damaged_store_is_named_by_every_verb(client, home):
    home.root.mkdir()
    home.database.write_bytes(b"this is no database" * 100)
    for call in (client.list, lambda: client.get("x"), lambda: client.submit(workflow("true"))):
        with pytest.raises(NbflowError, match="the store is damaged"):
            call()


def test_the_controller_holds_nothing_that_its_starter_had_open(client, home, tmp_path):
    held = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    os.set_inheritable(held, True)
    client.submit(workflow("sleep 60"))
    wait_until(lambda: controller_of(home) is not None)
    running = controller_of(home)
    assert running is not None
    descriptors = Path(f"/proc/{running.pid}/fd").iterdir()
    open_files = {str(entry.readlink()) for entry in descriptors if entry.is_symlink()}
    os.close(held)
    assert str(tmp_path / "lock") not in open_files


def test_who_waits_learns_that_the_controller_cannot_go_on(client, home, monkeypatch):
    monkeypatch.setattr("nbflow.clients.waiting._BEAR_TROUBLE", 0.01)
    monkeypatch.setattr("nbflow.clients.waiting._LOOK_AFTER_CONTROLLER", 0.01)
    name = client.submit(workflow("sleep 2", "true")).name
    signature = home.controller_lock.read_text()
    assert client.trouble() == ""
    home.controller_lock.write_text(signature.replace('"trouble": ""', '"trouble": "disk full"'))
    assert client.trouble() == "disk full"
    with pytest.raises(NbflowError) as refused:
        list(client.watch(name))
    assert (refused.value.problem, refused.value.where) == ("nothing goes on: disk full", str(home.root))
    home.controller_lock.write_text(signature)
    assert wait(client, name) is Phase.SUCCEEDED


def test_workflows_without_a_controller_are_spoken_of(client, home, kill_controller):
    assert client.trouble() == ""
    assert not home.root.exists()
    name = client.submit(workflow("sleep 0.2", "true")).name
    kill_controller(home)
    assert client.trouble() == "their controller had ended; another one is started"
    client.get(name)
    assert wait(client, name) is Phase.SUCCEEDED
    assert client.trouble() == ""
