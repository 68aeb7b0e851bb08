import os
import signal
from datetime import timedelta

import pytest

from nbflow.store import open_store
from nbflow.store.presence import Bell, Lock, controller_of, is_listening, ring


@pytest.fixture
def lock(home):
    open_store(home).close()
    taken = Lock(home)
    assert taken.take()
    yield taken
    taken.release()


def test_a_lock_is_taken_once_and_says_by_whom(home, lock):
    assert not Lock(home).take()
    lock.sign("1.2.3")
    holder = controller_of(home)
    assert (holder.pid, holder.version, holder.host) == (os.getpid(), "1.2.3", os.uname().nodename)
    lock.release()
    assert controller_of(home) is None
    home.controller_lock.write_text('{"pid": 1, "version": "0.1", "host": "x", "started": 1}')
    other = Lock(home)
    assert other.take()
    assert (controller_of(home).pid, controller_of(home).version) == (0, "")
    other.release()


def test_nobody_holds_a_home_that_does_not_exist(home):
    assert controller_of(home) is None
    assert not is_listening(home)
    assert not ring(home)
    assert not home.root.exists()


def test_the_lock_goes_with_its_process_however_it_ends(home, lock):
    lock.release()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        Lock(home).take()
        mine = Lock(home)
        os.write(writer, b"1" if not mine.take() else b"0")
        signal.pause()
    assert os.read(reader, 1) == b"1"
    assert controller_of(home) is not None
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert controller_of(home) is None
    os.close(reader)
    os.close(writer)


def test_a_lock_knows_when_its_home_is_gone(home, lock):
    assert lock.still_ours()
    home.controller_lock.rename(home.root / "other")
    assert not lock.still_ours()
    home.controller_lock.write_text("")
    assert not lock.still_ours()


def test_the_bell_wakes_and_tells_who_rings_that_somebody_hears(home, lock):
    assert not ring(home)
    bell = Bell(home)
    assert is_listening(home)
    assert not bell.wait(timedelta(0))
    assert ring(home)
    assert ring(home)
    assert bell.wait(timedelta(seconds=5))
    assert not bell.wait(timedelta(0))
    bell.take_down()
    assert not is_listening(home)
    assert not ring(home)
    again = Bell(home)
    assert ring(home)
    assert again.wait(timedelta(seconds=5))
    again.take_down()


def test_looking_whether_somebody_listens_does_not_wake_him(home, lock):
    bell = Bell(home)
    assert is_listening(home)
    assert not bell.wait(timedelta(seconds=0.01))
    bell.take_down()


def test_a_bell_that_is_full_of_rings_still_counts(home, lock):
    bell = Bell(home)
    for _ in range(70_000):
        assert ring(home)
    assert bell.wait(timedelta(seconds=5))
    bell.take_down()
