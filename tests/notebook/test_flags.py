"""The flags of a cell that name Python values."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.errors import NbflowError
from nbflow.notebook.flags import take_flags
from nbflow.notebook.words import split

FRAME = object()
NAMES = {"df": FRAME, "conf": {"lr": 0.1, "n": 2}, "inner": {"conf": {"x": 1}}, "numbers": [1]}


def test_values_are_taken_by_their_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data.csv").write_text("x")
    words = split(
        "--artifact a=df --artifact=b={df} --artifact c=data.csv --params conf --params={inner.conf} run",
        NAMES,
    )
    flags, rest = take_flags(words, NAMES)
    assert flags.artifacts == {"a": FRAME, "b": FRAME, "c": Path("data.csv")}
    assert flags.parameters == {"lr": 0.1, "n": 2, "x": 1}
    assert (flags.check, rest) == (True, ["run"])
    assert take_flags(["--no-raise", "-p", "a=b"], {})[0].check is False


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--artifact",
         "--artifact wants a value\n  fix: NAME=VALUE: a DataFrame, bytes, data or a path as an input artifact"),
        ("--artifact x", "expected --artifact NAME=VALUE, received: 'x'\n  fix: --artifact data=df"),
        ("--artifact a=dff", "{dff}: there is no Python variable 'dff'\n  fix: did you mean 'df'?"),
        ("--artifact a=no/such",
         "--artifact: there is no file 'no/such'\n  fix: name a Python variable, or a path that exists"),
        ("--params numbers",
         ("--params numbers: this is of type list, not a dict\n  fix: --params NAME, where NAME = {...}; "
          "one value is `-p numbers={numbers}`")),
        ("--params 1+1", "--params 1+1: this is no name of a variable\n  fix: --params NAME, where NAME = {...}"),
        ("--params con", "{con}: there is no Python variable 'con'\n  fix: did you mean 'conf'?"),
    ],
)  # fmt: skip
def test_a_wrong_one_is_one_clear_message(line, said):
    with pytest.raises(NbflowError) as caught:
        take_flags(split(line, NAMES), NAMES)
    assert str(caught.value) == said
