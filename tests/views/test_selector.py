from nbflow.spec.status import NodeStatus, NodeType, Phase
from nbflow.views.podnames import pod_name
from nbflow.views.selector import matches, parse_selector

NODE = NodeStatus(
    id="wf-1",
    name="wf[0].a",
    display_name="a",
    type=NodeType.POD,
    template_name="echo",
    phase=Phase.FAILED,
    inputs={"parameters": [{"name": "color", "value": "a,b"}]},
    extra={"templateRef": {"name": "lib", "template": "say"}},
)


def test_all_terms_must_hold():
    for text, expected in {
        "": True,
        "phase=Failed": True,
        "phase==Failed,displayName!=b": True,
        "phase=Failed,displayName=b": False,
        "templateRef.name=lib,templateName=say": True,
        r"inputs.parameters.color.value=a\,b": True,
        "inputs.parameters.other.value=": True,
        "name=wf[0].a,id=wf-1": True,
    }.items():
        assert matches(parse_selector(text), NODE) is expected, text


def test_pods_are_named_as_argo_names_them(builder):
    made = builder()
    made.add("wf")
    workflow = made.build()
    assert pod_name(workflow, NODE) == "wf-say-3986212215"
    assert pod_name(workflow, workflow.status.nodes["wf"]) == "wf"
