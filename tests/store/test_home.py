import pytest

from nbflow.errors import NbflowError
from nbflow.store import Home


@pytest.mark.parametrize("name", ["", ".", "..", "/tmp/victim", "../../etc", "a/b", "a\0b"])
def test_no_name_leaves_its_folder(tmp_path, name):
    home = Home(tmp_path)
    for path in (
        lambda: home.workflow(name),
        lambda: home.pod(name, "pod"),
        lambda: home.pod("uid", name),
        lambda: home.log("uid", name, "main"),
        lambda: home.log("uid", "pod", name),
        lambda: home.log_marks("uid", "pod", name),
    ):
        with pytest.raises(NbflowError, match="cannot be the name of a file"):
            path()


def test_the_places_of_a_pod(tmp_path):
    home = Home(tmp_path)
    assert home.pod("uid", "pod") == tmp_path / "workflows" / "uid" / "pod"
    assert home.log("uid", "pod", "main") == tmp_path / "workflows" / "uid" / "pod" / "main.log"
