import pytest

from nbflow.errors import NbflowError
from nbflow.store.settings import Settings, read_settings


def write(home, text):
    home.root.mkdir()
    home.settings.write_text(text)


def test_defaults(home):
    assert read_settings(home, {}) == Settings()
    assert Settings().pod_slots >= 8


def test_the_environment_wins_over_the_file(home):
    write(home, 'target = "host"\nmax_pods = 3\nidle_seconds = 7\n')
    assert read_settings(home, {"NBFLOW_MAX_PODS": "5"}) == Settings(
        target="host", max_pods=5, idle_seconds=7
    )
    assert read_settings(home, {"NBFLOW_MAX_PODS": "5"}).pod_slots == 5


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("max_pod = 3", "unknown setting 'max_pod'"),
        ("max_pods = true", "max_pods must be a whole number, not True"),
        ("max_pods = -1", "max_pods must be a whole number, not -1"),
        ('max_pods = "many"', "max_pods must be a whole number, not 'many'"),
        ("target = 3", "target must be a text"),
        ("max_pods", "the settings are no TOML: "),
    ],
)
def test_what_is_no_setting_is_refused(home, text, problem):
    write(home, text)
    with pytest.raises(NbflowError) as refused:
        read_settings(home, {})
    assert refused.value.problem.startswith(problem)
    assert refused.value.where == str(home.settings)
