import base64
import json

import pytest

from nbflow.errors import ConflictError, ManifestError, NbflowError


def test_secret_from_everywhere(nbflow, client, tmp_path):
    (tmp_path / "key.pem").write_bytes(b"\xff\x00")
    (tmp_path / "env").write_text("# comment\n\nUSER=me\nEMPTY=\n")
    done = nbflow(
        "secret", "create", "mine", "--from-literal=password=a=b c", "--from-file=key.pem", "--from-file=k=key.pem",
        "--from-env-file=env",
    )  # fmt: skip
    assert (done.code, done.out, done.err) == (0, "secret/mine created\n", "")
    data = client.stored["Secret", "mine"]["data"]
    assert {key: base64.b64decode(value) for key, value in data.items()} == {
        "password": b"a=b c",
        "key.pem": b"\xff\x00",
        "k": b"\xff\x00",
        "USER": b"me",
        "EMPTY": b"",
    }
    with pytest.raises(ConflictError, match='secrets "mine" already exists'):
        nbflow("secret", "create", "mine", "--from-literal=password=x")


def test_configmap(nbflow, client):
    nbflow("configmap", "create", "settings", "--from-literal=a=1", "-l", "kind=x")
    assert client.stored["ConfigMap", "settings"] == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "labels": {"kind": "x"}},
        "data": {"a": "1"},
    }
    assert nbflow("configmap", "list").out == "NAME       DATA   AGE\nsettings   1      0s\n"
    assert nbflow("configmap", "delete", "settings").out == 'configmap "settings" deleted\n'
    assert nbflow("configmap", "list").out == "No resources found\n"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--from-literal=onlyvalue"], "--from-literal takes KEY=VALUE"),
        (["--from-literal=bad key=1"], "'bad key' is no key"),
        (["--from-literal=a=1", "--from-literal=a=2"], "key 'a' is given twice"),
        (["--from-file=missing"], "cannot be read: No such file or directory"),
        (["--from-env-file=missing"], "cannot be read: No such file or directory"),
    ],
)
def test_refusals_do_not_repeat_values(nbflow, client, words, problem):
    with pytest.raises(NbflowError) as refused:
        nbflow("secret", "create", "mine", *words)
    assert refused.value.problem == problem
    assert "onlyvalue" not in str(refused.value)
    assert client.stored == {}


def test_names_are_checked(nbflow):
    with pytest.raises(NbflowError, match="'My_Secret' is no name for a Secret"):
        nbflow("secret", "create", "My_Secret")


def test_create(nbflow, client, tmp_path, hello):
    path = tmp_path / "objects.yaml"
    path.write_text(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {}\n---\n"
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: b}\n"
    )
    assert nbflow("create", "-f", path).out == "persistentvolumeclaim/data created\nsecret/s created\n"
    assert nbflow("create", "-f", path).out.count("unchanged: it exists already") == 2
    assert nbflow("create", "-f", hello).out == "workflow/hello-0 created\n"
    assert json.loads(nbflow("secret", "list", "-o", "json").out)[0]["metadata"]["name"] == "s"


def test_volume(nbflow, client):
    assert nbflow("volume", "create", "data", "--size=2Gi").out == "volume/data created\n"
    assert client.objects("PersistentVolumeClaim")[0]["spec"] == {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}},
    }  # fmt: skip
    with pytest.raises(ConflictError, match='volumes "data" already exists'):
        nbflow("volume", "create", "data")
    assert nbflow("volume", "list", "-o", "name").out == "data\n"
    assert nbflow("volume", "delete", "data").out == 'volume "data" deleted\n'
    assert nbflow("volume", "list").out == "No resources found\n"


def test_create_refuses_a_template_with_faults(nbflow, client, tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(
        "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nmetadata: {name: t}\n"
        "spec: {templates: [{name: a, steps: [[{name: b, template: nope}]]}]}\n"
    )
    with pytest.raises(ManifestError):
        nbflow("create", "-f", path)
    assert client.stored == {}


def test_create_with_nothing_to_create(nbflow, tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text("kind: Service\nmetadata: {name: a}\n")
    with pytest.raises(NbflowError, match="nothing to create"):
        nbflow("create", "-f", path)


def test_create_takes_a_template_that_refers_to_one_that_is_not_there_yet(nbflow, client, tmp_path):
    (tmp_path / "outer.yaml").write_text(
        "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nmetadata: {name: outer}\n"
        "spec: {templates: [{name: a, steps: [[{name: b, templateRef: {name: inner, template: c}}]]}]}\n"
    )
    done = nbflow("create", "-f", "outer.yaml")
    assert (done.code, done.out) == (0, "workflowtemplate/outer created\n")
    assert '"inner" not found; create it before a workflow uses it' in done.err
    assert [name for _, name in client.stored] == ["outer"]


@pytest.mark.parametrize(
    ("manifest", "problem", "column"),
    [
        ("kind: Secret\nmetadata: {name: ../a}\n", "'../a' is no name for a Secret", 18),
        ("kind: ConfigMap\nmetadata: {name: A}\n", "'A' is no name for a ConfigMap", 18),
        ("kind: Secret\nmetadata: {name: a}\ndata: {../a: YQ==}\n", "'../a' is no name for a key", 8),
        (
            "kind: PersistentVolumeClaim\nmetadata: {name: /a}\n",
            "'/a' is no name for a PersistentVolumeClaim",
            18,
        ),
        (
            "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nmetadata: {name: a_b}\nspec: {}\n",
            "'a_b' is no name for a WorkflowTemplate",
            18,
        ),
    ],
)
def test_what_kubernetes_would_refuse_is_not_created(nbflow, client, tmp_path, manifest, problem, column):
    path = tmp_path / "object.yaml"
    path.write_text(manifest if manifest.startswith("api") else f"apiVersion: v1\n{manifest}")
    with pytest.raises(ManifestError) as refused:
        nbflow("create", "-f", path)
    assert [(f.problem, f.position.column) for f in refused.value.findings] == [(problem, column)]
    assert client.stored == {}
