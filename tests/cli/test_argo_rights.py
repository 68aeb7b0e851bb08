"""The documented rights are enough for every verb, and no verb leaves one of them unused."""

from __future__ import annotations

import contextlib
import io
import threading
import time
from pathlib import Path

import pytest
import yaml

from nbflow import cli
from nbflow.commands.doctor_cluster import RIGHTS
from nbflow.errors import NbflowError
from nbflow.kube.resources import resource_of
from tests.kube.fixtures import argo, cluster
from tests.kube.tour import OF_THE_CLUSTER, TOUR, lying_about, words, write_files

__all__ = ["argo", "cluster", "lying_about"]
DOCS = Path(__file__).parents[2] / "docs/rbac"


def rules(name, role=""):
    found = [one for one in yaml.safe_load_all((DOCS / name).read_text()) if role in one["metadata"]["name"]]
    return [rule for one in found for rule in one["rules"]]


def pairs(documented):
    """(verb, resource) of rules."""
    return {(v, r) for rule in documented for r in rule["resources"] for v in rule["verbs"]}


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("NBFLOW_HOME", str(tmp_path / "home"))
    write_files(tmp_path)

    def do(line):
        out = io.StringIO()
        assert cli.run([*words(line, tmp_path), "--on", "argo"], out=out, err=out) == 0, (
            f"{line}: {out.getvalue()}"
        )
        return out.getvalue()

    return do


def test_a_submitter_needs_all_the_documented_rights_and_no_other(argo, lying_about, run, tmp_path):
    from nbflow.clients.argo import ArgoClient
    from nbflow.clients.client import LogOptions

    documented = rules("submitter.yaml")
    jane = argo.allow("limited", documented, "jane")
    argo.kubeconfig(tmp_path / "kubeconfig", token="limited")
    # `logs -f` of what is soon over may do without a watch; this is not over.
    logs = ArgoClient().logs("waiting", LogOptions(follow=True))
    following = threading.Thread(target=list, args=(logs,))
    following.start()
    while ("watch", "pods") not in {one[:2] for one in jane.used}:
        time.sleep(0.01)
    logs.close()
    following.join()
    for line in TOUR.splitlines():
        run(line)
    with contextlib.suppress(
        NbflowError
    ):  # the bucket is not there, but that is seen with its credentials only
        ArgoClient().artifact("stored", "stored", "a")
    claim = {"kind": "PersistentVolumeClaim", "metadata": {"name": "v"}, "spec": {}}
    assert not ArgoClient().create(claim).existed
    assert ArgoClient().create(claim).existed
    used = {(verb, resource) for verb, resource, _ in jane.used}
    assert used == pairs(documented)
    assert {namespace for _, _, namespace in jane.used} == {"default"}


def test_the_rights_for_the_whole_cluster_are_as_documented(argo, run, tmp_path):
    own = rules("submitter.yaml")
    around = [*rules("cluster-templates.yaml", "authors"), *rules("all-namespaces.yaml")]
    jane = argo.allow("limited", own, "jane", cluster=around)
    argo.kubeconfig(tmp_path / "kubeconfig", token="limited")
    for line in OF_THE_CLUSTER.splitlines():
        run(line)
    assert {(verb, resource) for verb, resource, namespace in jane.used if not namespace} == pairs(around)


def test_readers_of_cluster_templates_can_refer_to_them(argo, run, tmp_path):
    run("cluster-template create cluster")
    jane = argo.allow(
        "limited", rules("submitter.yaml"), "jane", cluster=rules("cluster-templates.yaml", "templates")
    )
    argo.kubeconfig(tmp_path / "kubeconfig", token="limited")
    assert run("submit --wait -o name --from clusterworkflowtemplate/all").startswith("all-")
    run("cluster-template get all")
    assert ("list", "clusterworkflowtemplates", "") in jane.used
    with pytest.raises(NbflowError, match=r'cannot delete resource "clusterworkflowtemplates"'):
        run("cluster-template delete all")


def test_without_the_right_to_look_around_it_is_said(argo, run, tmp_path):
    argo.allow("limited", rules("submitter.yaml"), "jane")
    argo.kubeconfig(tmp_path / "kubeconfig", token="limited")
    with pytest.raises(NbflowError) as refused:
        run("list -A")
    assert refused.value.fix == (
        'ask the administrator for the right to "list" workflows in the whole cluster; '
        "`nbflow doctor --on argo` lists them"
    )
    with pytest.raises(NbflowError, match="cannot list resource"):
        run("list -n team")


def test_doctor_asks_for_what_is_documented():
    asked = {
        (verb, resource_of(kind).plural + (f"/{part}" if part else ""))
        for kind, part, verbs, _, _ in RIGHTS
        for verb in verbs
    }
    documented = pairs(rules("submitter.yaml")) | pairs(rules("cluster-templates.yaml", "cluster-templates"))
    assert asked == documented
