import gc
import weakref

import pytest

from nbflow.controller.garbage import Garbage, spare


@pytest.fixture
def unspared():
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_what_an_ended_workflow_left_is_let_go_once_nothing_else_is_to_be_done(house, make, unspared):
    spare()
    gc.collect()
    name = house.submit([make["container"]("main")])
    house.until(lambda: house.loop.workflows.active and house.runtime.running())
    (workflow,) = house.loop.workflows.active.values()
    run = weakref.ref(workflow.observer)
    house.runtime.end(house.runtime.running()[0])
    del workflow
    house.until(lambda: house.settled(name))
    house.until(lambda: run() is None)


def test_while_others_run_it_waits_for_a_while(unspared):
    garbage = Garbage(some=True, collected_at=100.0)
    garbage.collect(105.0, idle=False)
    assert garbage == Garbage(some=True, collected_at=100.0)
    garbage.collect(110.0, idle=False)
    assert garbage == Garbage(some=False, collected_at=110.0)
    garbage.collect(111.0, idle=True)
    assert garbage == Garbage(some=False, collected_at=110.0)
