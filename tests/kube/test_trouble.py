from __future__ import annotations

import pytest

from nbflow.commands.advice import advice
from nbflow.kube.trouble import trouble
from nbflow.spec.status import WorkflowObject
from tests.kube.argo import node


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ('ImagePullBackOff: Back-off pulling image "nope:1"', "the image cannot be pulled (nope:1)"),
        ("ErrImagePull: pull access denied for x", "the image cannot be pulled"),
        ("Unschedulable: 0/3 nodes are available: 3 Insufficient cpu.", "no node has room for it"),
        (
            "Unschedulable: 0/1 nodes are available: 1 node(s) had untolerated taint {a: b}.",
            "no node may take it",
        ),
        ("Unschedulable: 0/1 nodes are available: 1 node(s) were unschedulable.", "no node takes it"),
        ("pod has unbound immediate PersistentVolumeClaims.", "its volume is not there"),
        ('pods "w" is forbidden: exceeded quota: q, requested: pods=1', "the namespace's quota is used up"),
        (
            'CreateContainerConfigError: secret "s" not found',
            "a secret or config map that it names is not there",
        ),
        (
            'error looking up service account team/x: serviceaccount "x" not found',
            "its service account is not there, or lacks the rights that Argo's executor needs",
        ),
        ("OOMKilled (exit code 137)", "it ran out of memory"),
        (
            'Pod "w-Main-1" is invalid: metadata.name: Invalid value: "w-Main-1": a lowercase RFC 1123 subdomain',
            "its pod cannot be called so: the name of the template is part of it",
        ),
        (
            "artifact driver test not found",
            "the artifact repository of the controller is a plugin that is not installed",
        ),
        ('violates PodSecurity "restricted:latest"', "the namespace's pod security refuses it"),
    ],
)
def test_what_pods_wait_for_is_said(message, problem):
    found = trouble(message)
    assert found is not None
    assert found.problem == problem
    assert found.fix


def test_ordinary_failures_are_no_trouble():
    assert trouble("Error (exit code 1)") is None


def test_nodes_in_the_same_trouble_are_said_once():
    nodes = [
        node("w", f"w.{i}", phase="Pending", message='ImagePullBackOff: Back-off pulling image "x:y"')
        for i in range(7)
    ]
    nodes.append(node("w", "w.fine", phase="Succeeded", message="OOMKilled"))
    workflow = WorkflowObject.from_dict(
        {"metadata": {}, "status": {"nodes": {one["id"]: one for one in nodes}}}
    )
    (said,) = advice(workflow)
    assert said.startswith(
        "0, 1, 2, 3, 4 and 2 more: the image cannot be pulled (x:y)\n  fix: check its name and tag"
    )
