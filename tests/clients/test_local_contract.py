import pytest

from nbflow.clients.local import LocalClient
from nbflow.store import Home
from tests.clients.conftest import end_controller
from tests.contracts.client import ClientContract


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("contract") / "home")
    yield LocalClient("host", home)
    end_controller(home)


class TestLocalClient(ClientContract):
    pass
