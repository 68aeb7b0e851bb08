import json

import pytest
import yaml

from nbflow import cli
from nbflow.errors import ConflictError, ManifestError, NbflowError
from nbflow.spec.status import Phase


def test_submit_shows_what_was_created(nbflow, hello, client):
    done = nbflow("submit", hello)
    assert done.code == 0
    assert done.out.splitlines()[0] == "Name:                hello-0"
    assert done.err == ""
    assert list(client.workflows) == ["hello-0"]


def test_wait_as_json_is_the_finished_workflow_alone(nbflow, hello):
    done = nbflow("submit", "--wait", "-o", "json", hello)
    workflow = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert workflow["status"]["phase"] == "Succeeded"
    assert [node["phase"] for node in workflow["status"]["nodes"].values()] == ["Succeeded"]


def test_several_are_a_list(nbflow, hello):
    done = nbflow("submit", "--wait", "-o", "yaml", hello, hello)
    whole = yaml.safe_load(done.out)
    assert (whole["kind"], len(whole["items"])) == ("List", 2)


def test_a_failed_workflow_is_exit_1_and_said_on_stderr(nbflow, hello, client):
    client.phase = Phase.FAILED
    done = nbflow("submit", "--wait", "-o", "json", hello)
    assert done.code == 1
    assert json.loads(done.out)["status"]["phase"] == "Failed"
    assert done.err == (
        "✖ hello-0 Failed after 3s: Error (exit code 1)\n"
        "  hello-0: Error (exit code 1)\n"
        "  look: nbflow get hello-0; nbflow logs hello-0\n"
    )


def test_wait_with_name(nbflow, hello):
    assert nbflow("submit", "--wait", "-o", "name", hello).out == "hello-0\n"


def test_log_prints_the_lines(nbflow, hello):
    done = nbflow("submit", "--log", hello)
    assert done.out.endswith("hello-0: hello world\n")


def test_log_with_json_keeps_stdout_pure(nbflow, hello):
    done = nbflow("submit", "--log", "--wait", "-o", "json", hello)
    assert json.loads(done.out)["metadata"]["name"] == "hello-0"
    assert done.err == "hello-0: hello world\n"


def test_watch_tells_changes_line_by_line_where_there_is_no_terminal(nbflow, hello):
    done = nbflow("submit", "--watch", hello)
    assert done.out.splitlines()[0] == "✔ hello-0 Succeeded"
    assert "STEP" in done.out
    assert "\x1b" not in done.out


def test_an_interrupt_says_how_to_come_back(nbflow, hello, client):
    client.interrupt = True
    done = nbflow("submit", "--wait", hello)
    assert done.code == 130
    assert "nbflow watch hello-0" in done.err
    assert "hello-0" in client.workflows


def test_every_option_reaches_the_workflow(nbflow, hello, client, tmp_path):
    (tmp_path / "p.yaml").write_text("extra: [1, two]\nflag: true\n")
    words = ("--name", "x", "--entrypoint", "main", "-p", "message=a=b", "-f", tmp_path / "p.yaml")
    done = nbflow(
        "submit", *words, "-l", "a=1", "--priority", "3", "--serviceaccount", "me", "-n", "ns", hello
    )
    made = client.workflows["x"]
    assert done.code == 0
    assert (made.metadata["labels"], made.metadata["namespace"]) == ({"a": "1"}, "ns")
    assert made.spec["arguments"] == {
        "parameters": [
            {"name": "message", "value": "a=b"},
            {"name": "extra", "value": '[1,"two"]'},
            {"name": "flag", "value": "true"},
        ]
    }
    assert (made.spec["priority"], made.spec["serviceAccountName"]) == (3, "me")


def test_a_near_miss_is_accepted_with_a_warning(nbflow, hello, client):
    done = nbflow("submit", "-p", "mesage=typo", hello)
    assert done.code == 0
    assert (
        done.err
        == "warning: the workflow declares no parameter 'mesage' [NBF202]\n  fix: did you mean `message`?\n"
    )
    assert len(client.workflows) == 1


def test_other_objects_of_the_file_come_first(nbflow, hello, client, tmp_path):
    hello.write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: mine}\nstringData: {password: sesame}\n---\n"
        + hello.read_text()
        + "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
    )
    first, second = nbflow("submit", hello), nbflow("submit", hello)
    left = "Service 'web' in hello.yaml is left alone: nbflow creates no Service here\n"
    assert first.err.replace(f"{tmp_path}/", "") == left + "secret/mine created\n"
    assert second.err.replace(f"{tmp_path}/", "") == left + "secret/mine exists already, kept as it is\n"
    assert "sesame" not in first.out + first.err


def test_a_dry_run_creates_nothing(nbflow, hello, client):
    done = nbflow("submit", "--dry-run", "-o", "yaml", "-p", "message=x", hello)
    assert yaml.safe_load(done.out)["spec"]["arguments"]["parameters"] == [{"name": "message", "value": "x"}]
    assert client.workflows == {}


def test_standard_input(client, hello, monkeypatch, tmp_path):
    import io
    import sys
    from types import SimpleNamespace

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(hello.read_bytes())))
    out = io.StringIO()
    assert cli.run(["submit", "-o", "name", "-"], out=out, client=client) == 0
    assert out.getvalue() == "hello-0\n"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--wait", "--watch"], "--wait cannot be combined with --watch"),
        (["--dry-run"], "--dry-run should have an output option"),
        (["--dry-run", "--wait", "-o", "json"], "--wait cannot be combined with --dry-run"),
        (["-p", "message"], "expected parameter of the form: NAME=VALUE. Received: message"),
        (
            ["-o", "xml"],
            "Invalid value for '-o' / '--output': 'xml' is not one of 'name', 'json', 'yaml', 'wide'",
        ),
        (["--on", "mars"], "there is no target 'mars'"),
        (["--on", "docker"], "target 'docker' is not supported by this version of nbflow"),
        (["--no-such-flag"], "No such option"),
        (["missing.yaml"], "no such file"),
        (["-f", "missing.yaml"], "no such file"),
        (["."], "this is a directory"),
    ],
)
def test_misuse_is_refused(nbflow, hello, client, words, problem):
    with pytest.raises(NbflowError) as refused:
        nbflow("submit", *words, hello)
    assert refused.value.problem.startswith(problem)
    assert refused.value.fix or "Invalid" in problem
    assert client.workflows == {}


def test_a_name_that_is_taken_is_refused_before_anything_is_created(nbflow, hello, client):
    nbflow("submit", "--name", "mine", hello)
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n---\n"
    hello.write_text(secret + hello.read_text())
    with pytest.raises(ConflictError, match="'mine' already exists"):
        nbflow("submit", "--name", "mine", hello)
    assert (len(client.workflows), client.stored) == (1, {})


def test_one_bad_file_of_two_stops_both(nbflow, hello, client, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text(hello.read_text().replace("entrypoint: main", "entrypoint: mian"))
    with pytest.raises(ManifestError) as refused:
        nbflow("submit", hello, bad)
    assert str(refused.value.findings[0].position) == f"{bad}:6:15"
    assert client.workflows == {}


def test_an_argument_needs_a_value_by_the_time_of_a_submit(nbflow, hello, client):
    hello.write_text(hello.read_text().replace("      value: hello world\n", ""))
    with pytest.raises(ManifestError, match="message"):
        nbflow("submit", hello)
    assert nbflow("submit", "-p", "message=x", hello).code == 0


def test_findings_point_to_the_right_line_although_parameters_are_given(nbflow, hello):
    text = hello.read_text().replace("    - name: message\n", "    - name: other\n    - name: message\n", 1)
    hello.write_text(text)
    with pytest.raises(ManifestError) as refused:
        nbflow("submit", "-p", "message=x", hello)
    lines = {finding.position.line for finding in refused.value.findings if finding.position}
    assert lines == {9}


def test_parse_submit_is_for_the_notebook():
    call = cli.parse_submit(["--wait", "-p", "a=1", "--on", "host", "f.yaml"])
    assert (call.files, call.wait, call.wait_given, call.on) == (("f.yaml",), True, True, "host")
    assert call.options.parameters == ("a=1",)
    assert cli.parse_submit([]).wait_given is False
    with pytest.raises(NbflowError, match="No such option"):
        cli.parse_submit(["--waite"])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("kind: Secret\nmetadata: {}\n", "the Secret has no name"),
        ("kind: Secret\nmetadata: {name: Not_Good}\n", "'Not_Good' is no name for a Secret"),
        ("WORKFLOW", "metadata.name or metadata.generateName is required"),
    ],
)
def test_every_object_needs_a_name(nbflow, hello, client, text, problem):
    nameless = hello.read_text().replace("generateName: hello-", "labels: {}")
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n---\n"
    hello.write_text(secret + hello.read_text() + "---\n" + (nameless if text == "WORKFLOW" else text))
    with pytest.raises(NbflowError) as refused:
        nbflow("submit", hello)
    (finding,) = refused.value.findings
    assert finding.problem == problem
    assert finding.position.file == str(hello)
    assert (client.workflows, client.stored) == ({}, {})


@pytest.mark.parametrize(
    ("metadata", "line", "problem"),
    [
        ('{name: "/tmp/victim"}', 3, "'/tmp/victim' is no name for a Workflow"),
        ('{name: "../../etc"}', 3, "'../../etc' is no name for a Workflow"),
        ('{name: "a\\e[31m"}', 3, "'a\\x1b[31m' is no name for a Workflow"),
        ('{name: "a\\nb"}', 3, "'a\\nb' is no name for a Workflow"),
        ("{name: Foo_Bar}", 3, "'Foo_Bar' is no name for a Workflow"),
        ("{name: -x}", 3, "'-x' is no name for a Workflow"),
        ('{name: "@latest"}', 3, "'@latest' is no name for a Workflow"),
        ('{generateName: "a/b-"}', 3, "'a/b-' begins no name for a Workflow"),
        ("{name: a, namespace: ../b}", 3, "'../b' is no name for a namespace"),
        ("{name: a, labels: {a: b c}}", 3, "'b c' is no value for label 'a'"),
        ("{name: a, labels: {a b: c}}", 3, "'a b' is no name for a label"),
        ("{name: a, annotations: {a b: c}}", 3, "'a b' is no name for an annotation"),
    ],
)
def test_a_name_that_kubernetes_refuses(nbflow, hello, client, metadata, line, problem):
    text = hello.read_text().replace("metadata:\n  generateName: hello-", f"metadata: {metadata}")
    hello.write_text(text)
    with pytest.raises(ManifestError) as refused:
        nbflow("submit", hello)
    assert [(f.problem, f.position.line) for f in refused.value.findings] == [(problem, line)]
    assert "^" in str(refused.value)
    assert client.workflows == {}
    assert nbflow("lint", hello).code == 0  # Argo's lint lets it pass


@pytest.mark.parametrize(
    ("flags", "where", "problem"),
    [
        (["--name", "/tmp/victim"], "--name", "'/tmp/victim' is no name for a Workflow"),
        (["--generate-name", "a/b-"], "--generate-name", "'a/b-' begins no name for a Workflow"),
        (["-n", "../b"], "--namespace", "'../b' is no name for a namespace"),
        (["-l", "a=b c"], "--labels", "'b c' is no value for label 'a'"),
        (["-l", "a b=c"], "--labels", "'a b' is no name for a label"),
        (["--annotations", "a b=c"], "--annotations", "'a b' is no name for an annotation"),
    ],
)
def test_an_option_that_kubernetes_refuses(nbflow, hello, client, flags, where, problem):
    with pytest.raises(NbflowError) as refused:
        nbflow("submit", hello, *flags)
    assert (refused.value.where, refused.value.problem) == (where, problem)
    assert client.workflows == {}


def test_names_that_kubernetes_takes(nbflow, hello, client):
    flags = ("-l", "example.com/App=A_b.c,empty=", "--annotations", "Example.com/Note=any thing at all")
    assert nbflow("submit", hello, "--name", "0a.b-c", "-n", "argo", *flags).code == 0
    assert list(client.workflows) == ["0a.b-c"]


DIND = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: dind-}
spec:
  entrypoint: main
  templates:
  - name: main
    container: {image: "docker:19.03.13", command: [docker, ps]}
    sidecars:
    - {name: dind, image: "docker:19.03.13-dind", command: [dockerd-entrypoint.sh], securityContext: {privileged: true}}
"""


@pytest.mark.parametrize("target", ["sandbox", "host", "podman"])
def test_docker_in_docker_is_refused_where_pods_are_processes(nbflow, client, tmp_path, target):
    (tmp_path / "dind.yaml").write_text(DIND)
    client.target = target
    assert nbflow("lint", "dind.yaml").code == 0
    if target == "podman":
        assert nbflow("submit", "dind.yaml").code == 0
        return
    with pytest.raises(NbflowError) as refused:
        nbflow("submit", "dind.yaml")
    assert refused.value.problem == (
        f"container 'dind' of template 'main' asks to be privileged, which nothing can be on {target}"
    )
    assert refused.value.fix == "run it in containers (--on podman), or submit it to a cluster (--on argo)"
    assert client.workflows == {}
