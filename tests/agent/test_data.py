"""Lists of artifacts, and what expressions make of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.agent.data import _NOT_LISTED, carry_out
from nbflow.artifacts import driver_for
from nbflow.errors import NbflowError
from tests.artifacts.servers import s3_server

SECRETS = {"cred": {"accesskey": b"admin", "secretkey": b"password"}}
FILES = ("foo.py", "bar.pdf", "goo/foo.py", "moo/bar.pdf")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for file in FILES:
        place = tmp_path / "repository" / "in" / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(file)
    return tmp_path / "repository"


def run(repository: Path, *expressions: str, **artifact: object) -> str:
    place = artifact or {"s3": {"key": "in"}}
    data = {
        "source": {"artifactPaths": {"name": "", **place}},
        "transformation": [{"expression": text} for text in expressions],
    }
    return carry_out(data, repository, SECRETS.get)


@pytest.mark.parametrize(
    ("expressions", "expected"),
    [
        ((), '["in/bar.pdf","in/foo.py","in/goo/foo.py","in/moo/bar.pdf"]'),
        (('filter(data, {# endsWith ".py"})',), '["in/foo.py","in/goo/foo.py"]'),
        (('filter(data, {# contains "oo/"})', 'filter(data, {# contains "foo"})'), '["in/goo/foo.py"]'),
        (('map(data, {# + ".processed"})', "data[0]"), '"in/bar.pdf.processed"'),
        (("len(data)", "data + 1", ""), "5"),
        (("filter(data, {false})",), "[]"),
        (('map(data[:1], {{"a": "<" + #}})',), '[{"a":"\\u003cin/bar.pdf"}]'),
    ],
)
def test_expressions_follow_one_another(
    repository: Path, expressions: tuple[str, ...], expected: str
) -> None:
    assert run(repository, *expressions) == expected


@pytest.mark.parametrize(
    ("expressions", "artifact", "problem"),
    [
        (
            ("data", "map(data, {# + 1})"),
            {},
            "unable to process data transformation: error processing data step 1: ",
        ),
        (
            ("asInt(1)",),
            {},
            "unable to process data transformation: error processing data step 0: unknown name",
        ),
        (
            (),
            {"s3": {"key": "none"}},
            "unable to process data source: unable to source artifact paths: no key found of name none",
        ),
        (
            (),
            {"git": {"repo": "https://host/x.git"}},
            f"unable to process data source: unable to source artifact paths: {_NOT_LISTED}",
        ),
    ],
)
def test_what_goes_wrong_is_said(
    repository: Path, expressions: tuple[str, ...], artifact: dict[str, object], problem: str
) -> None:
    with pytest.raises(NbflowError) as caught:
        run(repository, *expressions, **artifact)
    assert caught.value.problem.startswith(problem)


def test_a_source_is_needed(tmp_path: Path) -> None:
    with pytest.raises(NbflowError) as caught:
        carry_out({"source": {}, "transformation": []}, tmp_path, SECRETS.get)
    assert caught.value.problem == (
        "unable to process data source: no valid source is used for data template"
    )


def test_buckets_are_listed_whole(repository: Path, tmp_path: Path) -> None:
    with s3_server() as endpoint:
        place = {
            "endpoint": endpoint,
            "bucket": "test",
            "insecure": True,
            "createBucketIfNotPresent": {},
            "accessKeySecret": {"name": "cred", "key": "accesskey"},
            "secretKeySecret": {"name": "cred", "key": "secretkey"},
        }
        saved = {"name": "a", "s3": {**place, "key": "in"}}
        driver_for(saved, tmp_path, SECRETS.get).save(repository / "in", saved, take=False)
        assert run(repository, s3={**place, "key": ""}) == run(repository)
        assert run(repository, s3={**place, "key": "in/goo"}) == '["in/goo/foo.py"]'
        assert run(repository, s3={**place, "key": "in/foo.py"}) == "[]"
        with pytest.raises(NbflowError, match="no key found of name in/f"):
            run(repository, s3={**place, "key": "in/f"})
