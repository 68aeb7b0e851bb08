"""Staging and capturing, on plain processes (quickest) unless the sandbox matters."""

from __future__ import annotations

import gzip
import io
import shutil
import stat
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from nbflow.runtimes.capture import RESULT_LIMIT
from nbflow.runtimes.runtime import PodRejected, PodStatus
from nbflow.spec.pod import Pod
from nbflow.spec.status import Phase
from nbflow.store.home import Home
from tests.contracts.runtime import UID, Cluster, command, shell

TARGETS = ["host", *(["sandbox"] if shutil.which("bwrap") else [])]


@pytest.fixture(params=TARGETS)
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Cluster:
    return Cluster.on(request.param, Home(tmp_path / "home"))


def outputs_of(cluster: Cluster, pod: Pod) -> dict[str, object]:
    outcome = cluster.run(pod)
    assert outcome.phase is Phase.SUCCEEDED, (outcome, cluster.log(pod.name))
    assert outcome.outputs is not None
    return dict(outcome.outputs)


def parameters(*given: tuple[str, str | None]) -> dict[str, object]:
    found = []
    for number, (path, default) in enumerate(given):
        value_from = {"path": path} if default is None else {"path": path, "default": default}
        found.append({"name": f"p{number}", "valueFrom": value_from})
    return {"parameters": found}


# --- parameters, result, phases ---


def test_exactly_one_newline_is_cut_from_parameters_and_result(cluster: Cluster) -> None:
    script = r"printf 'a\n\n' > /tmp/a; printf 'b' > /tmp/b; printf '\n' > /tmp/c; printf 'r\n\n'"
    pod = shell(
        script, wants_result=True, outputs=parameters(("/tmp/a", None), ("/tmp/b", None), ("/tmp/c", None))
    )
    outputs = outputs_of(cluster, pod)
    assert [p["value"] for p in outputs["parameters"]] == ["a\n", "b", ""]  # type: ignore[attr-defined]
    assert outputs["result"] == "r\n"


def test_a_missing_file_takes_the_default(cluster: Cluster) -> None:
    outputs = outputs_of(cluster, shell("true", outputs=parameters(("/tmp/none", "default\n"))))
    assert outputs["parameters"] == [
        {"name": "p0", "valueFrom": {"path": "/tmp/none", "default": "default\n"}, "value": "default"}
    ]


def test_a_missing_output_is_an_error_and_the_others_are_kept(cluster: Cluster) -> None:
    outputs = {
        **parameters(("/tmp/none", None), ("/tmp/x", None)),
        "artifacts": [{"name": "a", "path": "/tmp/gone"}],
    }
    outcome = cluster.run(shell("echo x > /tmp/x", outputs=outputs))
    reason = "open /tmp/none: no such file or directory; /tmp/gone: no such file or directory"
    assert (outcome.phase, outcome.message) == (Phase.ERROR, f"wait: Error (exit code 64): {reason}")
    assert outcome.outputs is not None
    assert outcome.outputs["parameters"] == [
        {"name": "p0", "valueFrom": {"path": "/tmp/none"}},
        {"name": "p1", "valueFrom": {"path": "/tmp/x"}, "value": "x"},
    ]


def test_outputs_of_a_failed_container_are_captured(cluster: Cluster) -> None:
    outcome = cluster.run(
        shell("echo x > /tmp/x; exit 2", outputs=parameters(("/tmp/x", None), ("/tmp/none", None)))
    )
    assert (outcome.phase, outcome.message) == (Phase.FAILED, "main: Error (exit code 2)")
    assert outcome.outputs is not None
    assert outcome.outputs["parameters"][0]["value"] == "x"  # type: ignore[index]


def test_a_long_result_keeps_its_end(cluster: Cluster) -> None:
    script = f"import sys; sys.stdout.write('a' * 100 + 'b' * {RESULT_LIMIT} + '\\n')"
    outputs = outputs_of(cluster, command(["python3", "-c", script], wants_result=True))
    assert outputs["result"] == "b" * RESULT_LIMIT


def test_a_folder_is_no_parameter(cluster: Cluster) -> None:
    outcome = cluster.run(shell("mkdir -p /tmp/folder", outputs=parameters(("/tmp/folder", None))))
    assert outcome.phase is Phase.ERROR
    assert outcome.message.endswith("open /tmp/folder: is a directory")


def test_a_vanished_pod_has_no_outputs(cluster: Cluster) -> None:
    pod = shell("echo x > /tmp/x", outputs=parameters(("/tmp/x", None)))
    cluster.run(pod)
    outcome = cluster.executor.finish(pod, PodStatus("pod-1", finished=True, vanished=True))
    assert (outcome.phase, outcome.outputs) == (Phase.ERROR, None)


# --- artifacts ---


def test_files_and_folders_travel_packed_as_argo_packs_them(cluster: Cluster) -> None:
    artifacts = [
        {"name": "tar", "path": "/out/file"},
        {"name": "none", "path": "/out/file", "archive": {"none": {}}},
        {"name": "zip", "path": "/out/file", "archive": {"zip": {}}},
        {"name": "plain", "path": "/out/file", "archive": {"tar": {"compressionLevel": 0}}},
        {"name": "folder", "path": "/out/folder"},
        {"name": "folder-none", "path": "/out/folder", "archive": {"none": {}}},
        {"name": "folder-zip", "path": "/out/folder", "archive": {"zip": {}}},
        {"name": "named", "path": "/out/file", "s3": {"key": "my/own/key.tgz"}},
        {"name": "optional", "path": "/out/none", "optional": True},
    ]
    script = (
        "mkdir -p /out/folder/deep; echo content > /out/file; echo 1 > /out/folder/a; "
        "echo 2 > /out/folder/deep/b; chmod 750 /out/folder/a"
    )
    outputs = outputs_of(cluster, shell(script, "maker", outputs={"artifacts": artifacts}))
    keys = {a["name"]: a["s3"]["key"] for a in outputs["artifacts"]}  # type: ignore[attr-defined]
    assert keys == {
        "tar": "wf/maker/tar.tgz",
        "none": "wf/maker/file",
        "zip": "wf/maker/zip.zip",
        "plain": "wf/maker/plain.tgz",
        "folder": "wf/maker/folder.tgz",
        "folder-none": "wf/maker/folder",
        "folder-zip": "wf/maker/folder-zip.zip",
        "named": "my/own/key.tgz",
    }
    repository = cluster.home.artifacts
    with tarfile.open(repository / keys["folder"], "r:gz") as tar:
        assert tar.getnames() == ["folder", "folder/a", "folder/deep", "folder/deep/b"]
    assert zipfile.ZipFile(repository / keys["folder-zip"]).namelist() == ["folder/a", "folder/deep/b"]
    assert (repository / keys["none"]).read_text() == "content\n"
    assert (repository / keys["folder-none"] / "deep/b").read_text() == "2\n"
    cluster.runtime.forget_pod("maker", keep_root=False)

    archives = {"zip": {"zip": {}}, "folder-zip": {"zip": {}}, "none": {"none": {}}, "tar": {"tar": {}}}
    inputs = tuple(
        {
            "name": name,
            "path": f"/in/{name}",
            "s3": {"key": key},
            **({"archive": archives[name]} if name in archives else {}),
        }
        for name, key in keys.items()
    )
    script = (
        "for f in tar none zip plain named; do cat $f; done; "
        "for d in folder folder-none folder-zip; do cat $d/a $d/deep/b; done; stat -c %a /in/folder/a"
    )
    cluster.run(shell(script, "taker", inputs=inputs, working_dir="/in"))
    assert cluster.log("taker") == "content\n" * 5 + "1\n2\n" * 3 + "750\n"


def test_an_input_with_a_mode(cluster: Cluster) -> None:
    inputs = (
        {"name": "tool", "path": "/tools/run", "mode": 0o755, "raw": {"data": "#!/bin/sh\necho runs\n"}},
    )
    cluster.run(command(["/tools/run"], inputs=inputs))
    assert cluster.log("pod-1") == "runs\n"


def test_an_input_may_be_an_output(cluster: Cluster) -> None:
    inputs = ({"name": "in", "path": "/tmp/file", "raw": {"data": "one"}},)
    outputs = {"artifacts": [{"name": "out", "path": "/tmp/file", "archive": {"none": {}}}]}
    outputs_of(
        cluster,
        shell(
            "mv /tmp/file /tmp/file.old; (cat /tmp/file.old; echo two) > /tmp/file",
            inputs=inputs,
            outputs=outputs,
        ),
    )
    saved = (cluster.home.artifacts / "wf/pod-1/file").read_text()
    assert saved == "onetwo\n"


def test_a_raw_tarball_is_unpacked_unless_told_otherwise(cluster: Cluster) -> None:
    packed = cluster.home.artifacts / "a.tgz"
    packed.parent.mkdir(parents=True)
    with tarfile.open(packed, "w:gz") as tar:
        member = tarfile.TarInfo("x")
        member.size = 2
        tar.addfile(member, io.BytesIO(b"in"))
    inputs = (
        {"name": "auto", "path": "/in/auto", "s3": {"key": "a.tgz"}},
        {"name": "none", "path": "/in/none", "s3": {"key": "a.tgz"}, "archive": {"none": {}}},
    )
    cluster.run(shell("cat /in/auto; tar xzOf /in/none", inputs=inputs))
    assert cluster.log("pod-1") == "inin"


def test_what_is_missing_or_out_of_reach_is_refused_by_name(cluster: Cluster) -> None:
    def refusal(**fields: object) -> str:
        with pytest.raises(PodRejected) as caught:
            cluster.executor.start(shell("true", **fields))
        assert cluster.runtime.list_pods(UID) == {}
        return caught.value.problem

    absent = {"name": "in", "path": "/in", "s3": {"key": "no/key"}}
    assert refusal(inputs=(absent,)) == (
        "artifact in failed to load: artifact in is not in the repository: no key no/key"
    )
    assert refusal(inputs=({"name": "in", "path": "/in"},)) == "required artifact 'in' not supplied"
    far = {"name": "in", "path": "/in", "hdfs": {"addresses": ["h"], "path": "k"}}
    assert "names the place hdfs, which local runs do not reach" in refusal(inputs=(far,))
    assert "names the place hdfs, which local runs do not reach" in refusal(outputs={"artifacts": [far]})
    escape = {"name": "in", "path": "/in", "s3": {"key": "../../etc/passwd"}}
    assert "which is no path" in refusal(inputs=(escape,))


def test_optional_inputs_may_be_missing(cluster: Cluster) -> None:
    inputs = (
        {"name": "a", "path": "/in/a", "optional": True},
        {"name": "b", "path": "/in/b", "optional": True, "s3": {"key": "no/key"}},
    )
    cluster.run(shell("ls /in/a /in/b 2>/dev/null | wc -l", inputs=inputs))
    assert cluster.log("pod-1").strip() == "0"


def test_large_files_are_captured_in_little_memory(cluster: Cluster) -> None:
    import resource

    outputs = {
        "artifacts": [
            {"name": "big", "path": "/tmp/big"},
            {"name": "raw", "path": "/tmp/big", "archive": {"none": {}}},
        ]
    }
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outputs_of(cluster, shell("truncate -s 300M /tmp/big", outputs=outputs))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000  # KiB
    with gzip.open(cluster.home.artifacts / "wf/pod-1/big.tgz") as file:
        assert tarfile.TarInfo.frombuf(file.read(512), "utf-8", "strict").size == 300 * 1024 * 1024


# --- scripts, environment, volumes ---


def test_a_script_is_a_file_after_the_command(cluster: Cluster) -> None:
    pod = command(["sh", "-e"], args=(), source="echo $0\nfalse\necho never")
    outcome = cluster.run(pod)
    assert cluster.log("pod-1").endswith("/argo/staging/script\n")
    assert outcome.exit_code == 1


def test_the_environment_is_resolved(cluster: Cluster) -> None:
    cluster.objects.secrets["s"] = {"user": b"me", "pass": b"p\xffw"}
    cluster.objects.config_maps["c"] = {"one": "1", "two words": "2"}
    env = (
        {"name": "PLAIN", "value": "plain"},
        {"name": "NUMBER", "value": 5},
        {"name": "REFERS", "value": "<$(PLAIN)> $(UNKNOWN) $$(PLAIN)"},
        {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "s", "key": "user"}}},
        {"name": "BYTES", "valueFrom": {"secretKeyRef": {"name": "s", "key": "pass"}}},
        {"name": "MAP", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "one"}}},
        {"name": "NONE", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y", "optional": True}}},
        {"name": "NO_KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "y", "optional": True}}},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
    )
    env_from = ({"prefix": "S_", "secretRef": {"name": "s"}}, {"configMapRef": {"name": "c"}})
    names = "PLAIN NUMBER REFERS SECRET MAP NONE NO_KEY POD LABEL S_user one"
    script = f'for n in {names}; do eval "echo $n=\\${{$n-unset}}"; done; printf %s "$BYTES" | od -An -tx1'
    pod = shell(script + "; echo $(PLAIN)", env=env, env_from=env_from, labels={"app": "web"})
    cluster.run(pod)
    assert cluster.log("pod-1").splitlines() == [
        "PLAIN=plain", "NUMBER=5", "REFERS=<plain> $(UNKNOWN) $(PLAIN)", "SECRET=me", "MAP=1", "NONE=unset",
        "NO_KEY=unset", "POD=pod-1", "LABEL=web", "S_user=me", "one=1", " 70 ff 77", "plain",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "problem", "fix"),
    [
        (
            {"secretKeyRef": {"name": "my-secret", "key": "k"}},
            'secret "my-secret" not found',
            "nbflow secret create my-secret --from-literal=k=...",
        ),
        (
            {"secretKeyRef": {"name": "there", "key": "k"}},
            'couldn\'t find key k in Secret "there"',
            "nbflow secret create there --from-literal=k=...",
        ),
        (
            {"configMapKeyRef": {"name": "my-map", "key": "k"}},
            'configmap "my-map" not found',
            "nbflow configmap create my-map --from-literal=k=...",
        ),
        ({"fieldRef": {"fieldPath": "spec.x"}}, "a pod has no field spec.x", None),
        (
            {"resourceFieldRef": {"resource": "limits.gpu"}},
            "Unsupported container resource : limits.gpu",
            None,
        ),
        (
            {"fileKeyRef": {"path": "x"}},
            "environment variable V is taken from fileKeyRef",
            None,
        ),
    ],
)
def test_what_the_environment_lacks_is_named(
    cluster: Cluster, source: object, problem: str, fix: str | None
) -> None:
    cluster.objects.secrets["there"] = {"other": b"hidden-value"}
    with pytest.raises(PodRejected) as caught:
        cluster.executor.start(shell("true", env=({"name": "V", "valueFrom": source},)))
    assert caught.value.problem.startswith(problem)
    assert fix is None or caught.value.fix == fix
    assert "hidden-value" not in str(caught.value)


def test_volumes_of_secrets_and_config_maps(cluster: Cluster) -> None:
    cluster.objects.secrets["s"] = {"user": b"me", "password": b"Secret-Word"}
    cluster.objects.config_maps["c"] = {"app.conf": "a=1\n", "other": "x"}
    volumes = (
        {"name": "s", "secret": {"secretName": "s"}},
        {
            "name": "c",
            "configMap": {
                "name": "c",
                "items": [{"key": "app.conf", "path": "deep/conf"}],
                "defaultMode": 0o640,
            },
        },
        {"name": "one", "configMap": {"name": "c"}},
        {"name": "e", "emptyDir": {}},
        {"name": "p", "projected": {"sources": [{"secret": {"name": "s"}}, {"configMap": {"name": "c"}}]}},
    )
    mounts = (
        {"name": "s", "mountPath": "/secret"},
        {"name": "c", "mountPath": "/conf"},
        {"name": "one", "mountPath": "/app/other", "subPath": "other"},
        {"name": "e", "mountPath": "/empty"},
        {"name": "p", "mountPath": "/projected"},
    )
    script = (
        "cat /secret/password /conf/deep/conf; stat -c %a /secret/password /conf/deep/conf; cat /app/other; "
        "echo x > /empty/x && ls /empty /projected"
    )
    cluster.run(shell(script, volumes=volumes, volume_mounts=mounts))
    assert cluster.log("pod-1").splitlines() == [
        "Secret-Worda=1", "400", "640", "x/empty:".replace("/empty", f"{_at(cluster, '/empty')}"), "x", "",
        f"{_at(cluster, '/projected')}:", "app.conf", "other", "password", "user",
    ]  # fmt: skip
    volumes_of_pod = cluster.home.pod(UID, "pod-1") / "volumes"
    assert sorted(path.name for path in volumes_of_pod.iterdir()) == ["c", "e", "one"]
    assert (volumes_of_pod / "e/x").exists()


def _at(cluster: Cluster, path: str) -> str:
    return path if cluster.target == "sandbox" else f"{cluster.home.pod(UID, 'pod-1')}/root{path}"


def test_secret_files_are_private(cluster: Cluster) -> None:
    cluster.objects.secrets["s"] = {"key": b"word"}
    fields = {
        "volumes": ({"name": "s", "secret": {"secretName": "s"}},),
        "volume_mounts": ({"name": "s", "mountPath": "/s"},),
    }
    pod = shell("true", **fields)
    cluster.executor.start(pod)
    folder = cluster.home.pod(UID, "pod-1")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    cluster.wait("pod-1")


@pytest.mark.parametrize(
    ("volume", "problem"),
    [
        (
            {"name": "v", "nfs": {"server": "x"}},
            "volume 'v' is of the type nfs, which means nothing outside of a cluster",
        ),
        ({"name": "v", "secret": {"secretName": "gone"}}, 'secret "gone" not found'),
        ({"name": "v", "configMap": {"name": "gone"}}, 'configmap "gone" not found'),
        ({"name": "other", "emptyDir": {}}, "volume 'v' not found in workflow spec"),
    ],
)
def test_volumes_that_cannot_be(cluster: Cluster, volume: dict[str, object], problem: str) -> None:
    with pytest.raises(PodRejected) as caught:
        cluster.executor.start(
            shell("true", volumes=(volume,), volume_mounts=({"name": "v", "mountPath": "/v"},))
        )
    assert caught.value.problem == problem


def test_images_without_a_command(cluster: Cluster) -> None:
    def runs(image: str, *args: str, **fields: object) -> str:
        pod = shell("", **fields)
        main = replace(pod.main, image=image, command=(), args=args)
        name = f"pod-{len(cluster.runtime.list_pods(UID))}"
        cluster.run(replace(pod, name=name, containers=(main,)))
        return cluster.log(name)

    assert runs("argoproj/argosay:v2", "echo", "hello") == "hello\n"
    assert runs("argoproj/argosay:v2") == "hello argo\n"
    assert runs("docker/whalesay", "cowsay", "boo").splitlines()[:3] == [" _____", "< boo >", " -----"]
    assert runs("python:3.12", "python", "-c", "print(1)") == "1\n"
    with pytest.raises(PodRejected, match="nobody knows what image 'my/own:1' runs"):
        runs("my/own:1")


def test_an_argument_that_is_too_long_says_so(cluster: Cluster) -> None:
    with pytest.raises(PodRejected) as caught:
        cluster.executor.start(command(["echo", "x" * 200_000]))
    assert caught.value.problem == "cannot start the pod: argument list too long"
    assert "128 KiB" in caught.value.fix
    assert cluster.runtime.list_pods(UID) == {}


def test_what_moves_artifacts_is_not_quick(cluster: Cluster) -> None:
    quick = cluster.executor.is_quick
    assert quick(shell("true", outputs=parameters(("/x", None))))
    assert not quick(shell("true", inputs=({"name": "a", "path": "/a", "raw": {"data": ""}},)))
    assert not quick(shell("true", outputs={"artifacts": [{"name": "a", "path": "/a"}]}))


def test_what_needs_privileges_is_refused_by_name(cluster: Cluster) -> None:
    with pytest.raises(PodRejected) as caught:
        cluster.executor.start(shell("true", extra={"securityContext": {"privileged": True}}))
    assert caught.value.problem == "container 'main' asks to be privileged, which no plain process can be"
