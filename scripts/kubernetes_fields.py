"""Write nbflow/spec/kubernetes.json: the fields of Kubernetes' types that a manifest may hold, and their types.

The names and types come from the models of the official Python client; what its generator forgot (which texts are
quantities, which untyped values are numbers or names) is said here. Run it after a new release of the client:

    python scripts/kubernetes_fields.py
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from kubernetes import client

SPEC = Path(__file__).resolve().parent.parent / "nbflow" / "spec"
CORE_KINDS = ("V1Secret", "V1ConfigMap", "V1PersistentVolumeClaim", "V1Service", "V1ServiceAccount")
SCALARS = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "datetime": "time",
    "bytes": "string",
    "object": "any",
}
QUANTITIES = {"limits", "requests", "sizeLimit", "divisor", "capacity", "allocatedResources"}
INT64 = {
    "activeDeadlineSeconds", "defaultUser", "deletionGracePeriodSeconds", "expirationSeconds", "fsGroup", "generation",
    "observedGeneration", "runAsGroup", "runAsUser", "seconds", "supplementalGroups", "terminationGracePeriodSeconds",
    "tolerationSeconds", "user",
}  # fmt: skip
"""Integers of 64 bits; all others have 32."""
INT_OR_STRING = {"port", "targetPort", "maxUnavailable", "minAvailable"}


LATER: dict[str, set[str]] = {
    "V1ClusterTrustBundleProjection": {"user"},
    "V1ConfigMapVolumeSource": {"defaultUser"},
    "V1DownwardAPIVolumeFile": {"user"},
    "V1DownwardAPIVolumeSource": {"defaultUser"},
    "V1EmptyDirVolumeSource": {"mode"},
    "V1GRPCAction": {"mode"},
    "V1HTTPGetAction": {"protocol"},
    "V1KeyToPath": {"user"},
    "V1PersistentVolumeClaimStatus": {"healthStatus"},
    "V1PodCertificateProjection": {"user"},
    "V1ProjectedVolumeSource": {"defaultUser"},
    "V1SecretVolumeSource": {"defaultUser"},
    "V1ServiceAccountTokenProjection": {"user"},
    "V1VolumeMount": {"bindMountOptions"},
}
"""Fields that the client (1.36) knows, and the API that Argo v4.1 is built with (1.35) does not: Argo refuses them."""


def field_type(name: str, declared: str) -> str:
    """The type of a field in the words of our table: `string`, `[]V1EnvVar`, `map quantity`, ..."""
    listed = re.fullmatch(r"[Ll]ist\[(.*)\]", declared)
    if listed:
        return "[]" + field_type(name, listed.group(1))
    mapped = re.fullmatch(r"[Dd]ict[\[(]str, (.*)[\])]", declared)
    if mapped:
        return "map " + ("quantity" if name in QUANTITIES else field_type("", mapped.group(1)))
    if name in QUANTITIES and declared == "str":
        return "quantity"
    if name in INT_OR_STRING and declared == "object":
        return "int-or-string"
    if declared == "int" and name not in INT64:
        return "int32"
    return SCALARS.get(declared, declared)


def fields(type_name: str) -> dict[str, str]:
    """Field names, as JSON spells them, and their types."""
    model = getattr(client, type_name)
    return {
        model.attribute_map[attribute]: field_type(model.attribute_map[attribute], declared)
        for attribute, declared in sorted(model.openapi_types.items())
        if model.attribute_map[attribute] not in LATER.get(type_name, ())
    }


def named_types(text: str) -> set[str]:
    """The types of the client that a table mentions."""
    return {name for name in re.findall(r"\b\w*V[12]\w+", text) if hasattr(client, name)}


def closure(roots: set[str]) -> dict[str, dict[str, str]]:
    """These types and all that they hold."""
    table: dict[str, dict[str, str]] = {}
    todo = sorted(roots)
    while todo:
        name = todo.pop()
        if name not in table:
            table[name] = fields(name)
            todo += sorted(named_types(" ".join(table[name].values())))
    return dict(sorted(table.items()))


def render(table: dict[str, dict[str, str]]) -> str:
    """JSON with a type a line, so that a new release shows as a readable diff."""
    rows = (f"{json.dumps(name)}: {json.dumps(types)}" for name, types in table.items())
    return "{\n" + ",\n".join(rows) + "\n}\n"


def main() -> int:
    """Write the table."""
    roots = named_types((SPEC / "argo.json").read_text()) | set(CORE_KINDS)
    text = render(closure(roots))
    (SPEC / "kubernetes.json").write_text(text)
    print(f"{len(text.splitlines()) - 2} types")
    return 0


if __name__ == "__main__":
    sys.exit(main())
