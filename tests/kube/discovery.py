"""What an API server says about itself: its version, groups and kinds."""

from __future__ import annotations

from tests.kube.storage import KINDS


def discovery(words, missing):
    """What clients ask to learn what there is; None for any other path."""
    if words == ["version"]:
        return {"major": "1", "minor": "36", "gitVersion": "v1.36.0", "platform": "linux/amd64"}
    if words == ["api"]:
        return {"kind": "APIVersions", "versions": ["v1"]}
    groups = sorted({api for api, plural in KINDS if "/" in api and plural not in missing})
    if words == ["apis"]:
        versions = [{"groupVersion": g, "version": g.split("/")[1]} for g in groups]
        named = [
            {"name": v["groupVersion"].split("/")[0], "versions": [v], "preferredVersion": v}
            for v in versions
        ]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": named}
    version = words[1] if words[0] == "api" and len(words) == 2 else "/".join(words[1:])
    kinds = [(k, v) for k, v in KINDS.items() if k[0] == version and k[1] not in missing]
    if len(words) > 3 or words[0] not in {"api", "apis"} or not kinds:
        return None
    found = [
        {
            "name": plural,
            "singularName": named.lower(),
            "kind": named,
            "namespaced": namespaced,
            "shortNames": short,
            "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
        }
        for (_, plural), (named, namespaced, short) in kinds
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": found}
