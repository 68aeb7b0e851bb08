from __future__ import annotations

import json

from nbflow.engine.resources import resource_container
from nbflow.spec.resource import RESOURCE_IMAGE
from nbflow.spec.template import Template


def test_the_order_says_all_that_the_program_needs() -> None:
    template = Template.from_dict(
        {
            "name": "t",
            "inputs": {"artifacts": [{"name": "m", "path": "/m.yaml"}]},
            "outputs": {"parameters": [{"name": "p", "valueFrom": {"jsonPath": "{.a}"}}]},
            "resource": {"action": "create", "manifestFrom": {"artifact": {"name": "m"}}},
        }
    )
    container = resource_container(template, "wf", "uid", "wf-t-1")
    assert (container.name, container.image) == ("main", RESOURCE_IMAGE)
    assert json.loads(container.source or "") == {
        "pod": "wf-t-1",
        "uid": "uid",
        "workflow": "wf",
        "resource": {"action": "create", "manifestFrom": {"artifact": {"name": "m"}}},
        "parameters": [{"name": "p", "valueFrom": {"jsonPath": "{.a}"}}],
        "paths": {"m": "/m.yaml"},
    }
