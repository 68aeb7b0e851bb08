"""jqFilter and Kubernetes' JSONPath, by the examples of their documentation."""

import pytest

from nbflow.errors import NbflowError
from nbflow.templating.failures import ExpressionError
from nbflow.templating.jqfilter import jq_filter
from nbflow.templating.jsonpath_kubernetes import json_path

NODES = {
    "kind": "List",
    "items": [
        {
            "kind": "None",
            "metadata": {"name": "127.0.0.1", "labels": {"kubernetes.io/hostname": "127.0.0.1"}},
            "status": {
                "capacity": {"cpu": "4"},
                "addresses": [{"type": "LegacyHostIP", "address": "127.0.0.1"}],
            },
        },
        {
            "kind": "None",
            "metadata": {"name": "127.0.0.2"},
            "status": {
                "capacity": {"cpu": "8"},
                "addresses": [
                    {"type": "LegacyHostIP", "address": "127.0.0.2"},
                    {"type": "another", "address": "127.0.0.3"},
                ],
            },
        },
    ],
    "users": [
        {"name": "myself", "user": {}, "age": 1},
        {"name": "e2e", "user": {"username": "admin", "password": "secret"}, "age": 2, "note": None},
    ],
}


@pytest.mark.parametrize(
    ("template", "printed"),
    [
        ("text", "text"),
        ("kind is {.kind}", "kind is List"),
        ("{['kind']}", "List"),
        ("{..name}", "127.0.0.1 127.0.0.2 myself e2e"),
        ("{.items[*].metadata.name}", "127.0.0.1 127.0.0.2"),
        ("{.users[0].name}", "myself"),
        ("{.items[*]['metadata.name', 'status.capacity']}", '127.0.0.1 127.0.0.2 {"cpu":"4"} {"cpu":"8"}'),
        ('{.users[?(@.name=="e2e")].user.password}', "secret"),
        ("{.users[?(@.age>1)].name}", "e2e"),
        ("{.users[?(@.user.username)].name}", "e2e"),
        ('{.users[?(@.name=~"^my")].name}', "myself"),
        (
            "{range .items[*]}[{.metadata.name}, {.status.capacity}] {end}",
            '[127.0.0.1, {"cpu":"4"}] [127.0.0.2, {"cpu":"8"}] ',
        ),
        ('{range .items[*]}{range .status.addresses[*]}{.address}{"\\n"}{end}-{end}!',
         "127.0.0.1\n-127.0.0.2\n127.0.0.3\n-!"),
        ("{range .nope[*]}{.x}{end}rest", "rest"),
        ("{.items[0].metadata.labels.kubernetes\\.io/hostname}", "127.0.0.1"),
        ("{.items[-1:].metadata.name}", "127.0.0.2"),
        ("{.items[0:2:2].metadata.name}", "127.0.0.1"),
        ("{.users[*].age} {true} {1.50}", "1 2 true 1.5"),
        ("{.users[1].note}", "<nil>"),
        ("{.nope.at.all}", ""),
        ("{.users[0].user}", "{}"),
    ],
)  # fmt: skip
def test_what_kubectl_prints(template, printed):
    assert json_path(NODES, template) == printed


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{.items[5]}", "JSONPath '{.items[5]}': array index out of bounds: index 5, length 2"),
        ("{.kind", "unclosed action in the JSONPath '{.kind'"),
        ("{.items[0", "unterminated array in the JSONPath '{.items[0'"),
        ("{.items[x]}", "invalid array index x"),
        ("{....a}", "invalid multiple recursive descent"),
        ("{end}", "JSONPath '{end}': not in range, nothing to end"),
        ("{nope}", "JSONPath '{nope}': unrecognized identifier nope"),
        ("{.users[?(@.age>1.5)]}", "JSONPath '{.users[?(@.age>1.5)]}': incompatible types for comparison"),
        ("{*}", "unrecognized character in action: '*' in the JSONPath '{*}'"),
    ],
)
def test_what_kubectl_refuses(template, problem):
    with pytest.raises(ExpressionError) as refused:
        json_path(NODES, template)
    assert refused.value.problem == problem


def test_a_path_that_looks_at_too_much_ends():
    nested = [[[[[0] * 8] * 8] * 8] * 8] * 8
    with pytest.raises(ExpressionError, match="more than a million values"):
        json_path(nested, "{" + "..[*]" * 6 + "}")


@pytest.mark.parametrize(
    ("source", "output"),
    [
        (".items[].metadata.name", "127.0.0.1\n127.0.0.2"),
        (".users[1].user", '{"password":"secret","username":"admin"}'),
        (".users | length", "2"),
        ('"  x\\n"', "x"),
        ("empty", ""),
        ("def f: .kind; f", "List"),
        ("env, $ENV", "{}\n{}"),
    ],
)
def test_jq_filters(source, output, monkeypatch):
    monkeypatch.setenv("SECRET", "s3cret")
    assert jq_filter(NODES, source) == output


@pytest.mark.parametrize(
    "source", ['include "a"; .', 'import "a" as a; .', '"a" | modulemeta', ".kind |", ".kind.x", "{"]
)
def test_a_filter_that_fails_or_reaches_out_is_refused(source):
    with pytest.raises(ExpressionError, match="jq filter"):
        jq_filter(NODES, source)


def test_a_filter_that_never_stops_writing_is_stopped():
    with pytest.raises(ExpressionError, match="more than 16 MB"):
        jq_filter(None, 'repeat("x" * 100000)')


def test_a_missing_jq_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "jq", None)
    with pytest.raises(NbflowError) as missing:
        jq_filter(None, ".")
    assert missing.value.fix == "pip install 'nbflow[jq]'"
