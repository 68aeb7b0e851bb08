"""What a command line asks for that cannot be: said at the command line, and nothing is created."""

import pytest

from nbflow.errors import NbflowError


@pytest.fixture
def two(hello):
    hello.write_text(hello.read_text() + "---\n" + hello.read_text())
    return hello


def test_a_name_is_for_a_single_workflow(nbflow, two, client):
    with pytest.raises(NbflowError, match="--name is for a single workflow: 2 were given"):
        nbflow("submit", "--name", "foo", two)
    assert client.workflows == {}


def test_a_parameter_without_a_name_is_a_fault_of_the_command_line(nbflow, hello):
    with pytest.raises(NbflowError) as refused:
        nbflow("submit", "-p", "=x", hello)
    assert str(refused.value) == (
        "expected parameter of the form: NAME=VALUE. Received: =x\n  fix: -p NAME=VALUE"
    )


def test_a_picture_of_no_known_ending(nbflow, hello, tmp_path):
    with pytest.raises(NbflowError) as refused:
        nbflow("graph", hello, "--file", "x.bogus")
    assert (
        str(refused.value) == "x.bogus: no picture ends in .bogus\n  fix: one of .svg, .dot, .png, or say -o"
    )
    assert nbflow("graph", hello, "--file", "x.bogus", "-o", "dot").code == 0
    assert (tmp_path / "x.bogus").read_text().startswith("digraph")


def test_a_misspelt_field_of_a_secret_stops_the_submit(nbflow, hello, client):
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringdata: {a: hidden}\n"
    hello.write_text(f"{secret}---\n{hello.read_text()}")
    for verb in (["submit"], ["create", "-f"]):
        with pytest.raises(NbflowError, match='unknown field "stringdata"') as refused:
            nbflow(*verb, hello)
        assert "hidden" not in str(refused.value)
    assert (client.workflows, client.stored) == ({}, {})


@pytest.mark.parametrize(
    "verb", ["archive", "auth", "cluster", "convert", "executor-plugin", "server", "sync"]
)
def test_verbs_of_argo_that_mean_nothing_here_say_what_to_use_instead(nbflow, verb):
    with pytest.raises(NbflowError) as refused:
        nbflow(verb, "list", "--all-namespaces")
    assert refused.value.problem
    assert refused.value.fix
    assert f"  {verb} " not in nbflow("help").out


@pytest.mark.parametrize(
    ("flag", "problem"),
    [
        ("--argo-server=localhost:2746", "--argo-server: nbflow talks to no Argo Server"),
        ("-k", "-k: nbflow talks to no Argo Server"),
        ("--token=x", "--token: how a cluster is reached is taken from the kubeconfig"),
        ("-v", "-v: the verbs of nbflow write no log"),
    ],
)
def test_flags_of_argo_that_mean_nothing_here_say_what_to_do(nbflow, flag, problem):
    for words in (["list", flag], [flag, "list"]):
        with pytest.raises(NbflowError) as refused:
            nbflow(*words)
        assert refused.value.problem == problem
        assert refused.value.fix


@pytest.mark.parametrize("flags", [["-l", "a=b"], ["--previous"]])
def test_logs_of_what_is_not_kept_are_refused(nbflow, flags):
    with pytest.raises(NbflowError) as refused:
        nbflow("logs", "hello-0", *flags)
    assert refused.value.fix
