"""What an API server checks of an object before it stores it, and what it makes of it."""

from __future__ import annotations

import base64
import binascii
import json
import re

from tests.kube.storage import KINDS, Refused, invalid

ARGO = "argoproj.io/v1alpha1"
PATCHES = ("application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml")
STRATEGIC = "application/strategic-merge-patch+json"
UNCHECKED = (
    "<nil>",
    "FieldValueInvalid",
    (
        "Invalid value: null: some validation rules were not checked because the object was invalid; "
        "correct the existing errors to complete validation"
    ),
)
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL_KEY = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
SCHEMA = {
    "spec": "object",
    "spec.entrypoint": "string",
    "spec.suspend": "boolean",
    "spec.parallelism": "integer",
    "spec.activeDeadlineSeconds": "integer",
    "spec.shutdown": "string",
    "spec.templates": "array",
    "spec.templates[].name": "string",
    "spec.templates[].container.command[]": "string",
    "spec.arguments": "object",
    "spec.arguments.parameters": "array",
    "spec.arguments.parameters[].name": "string",
    "spec.arguments.parameters[].value": "string",
}
"""A few fields of the custom resource's schema; the real one has thousands, and these are what tests get wrong."""


def bad_request(message):
    return Refused(400, "BadRequest", message)


def decoded(kind, raw):
    """The object that a body holds."""
    named = KINDS[kind][0]
    start = raw.decode(errors="replace")[:35]
    must = f"the object provided is unrecognized (must be of type {named})"
    try:
        found = json.loads(raw)
    except ValueError as error:
        said = "couldn't get version/kind; json parse error: unexpected end of JSON input"
        raise bad_request(f"{must}: {said} ({start})") from error
    return found


def check_kind(kind, obj):
    """The kind and version that an object says it is of, if it is one of Argo's."""
    if kind[0] != ARGO:
        return
    if not obj.get("kind"):
        text = json.dumps(obj)
        must = f"the object provided is unrecognized (must be of type {KINDS[kind][0]})"
        raise bad_request(f"{must}: Object 'Kind' is missing in '{text}' ({text[:30]} ...)")
    if obj.get("apiVersion") != ARGO:
        raise bad_request(
            f"the API version in the data ({obj.get('apiVersion')}) does not match the expected API version ({ARGO})"
        )
    if obj["kind"] != KINDS[kind][0]:
        named = obj["kind"]
        causes = [("kind", "FieldValueInvalid", f'Invalid value: "{named}": must be {KINDS[kind][0]}')]
        raise invalid(kind, obj.get("metadata", {}).get("name", ""), causes, named)


def check_place(namespace, obj, name=None):
    """That an object says no other namespace or name than the request."""
    metadata = obj.get("metadata") or {}
    if metadata.get("namespace") and metadata["namespace"] != namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if name is not None and metadata.get("name", name) != name:
        raise bad_request(
            f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
        )


def admitted(kind, obj):
    """The object as it would be stored. Raises Refused for what the server finds wrong with it."""
    check_texts(kind, obj, "ObjectMeta", obj.get("metadata") or {}, ("labels", "annotations"))
    found = {**obj, "metadata": cleaned(obj.get("metadata") or {})}
    if kind[0] == ARGO:
        found = {**pruned(found), "metadata": found["metadata"]}
    elif kind[1] == "secrets":
        found = secret(kind, found)
    elif kind[1] == "configmaps":
        check_texts(kind, obj, "ConfigMap", obj, ("data",))
    causes = [*wrong_names(found["metadata"]), *wrong_types(kind, found)]
    if causes:
        unchecked = kind[0] == ARGO and any(reason != "FieldValueInvalid" for _, reason, _ in causes)
        raise invalid(kind, found["metadata"].get("name", ""), [*causes, UNCHECKED] if unchecked else causes)
    return found


def cleaned(metadata):
    """Without what is empty, and what no server keeps."""
    dropped = {"selfLink"}
    return {k: v for k, v in metadata.items() if k not in dropped and v not in (None, {}, [], "")}


def pruned(value):
    """Without null, which the schema allows nowhere but for some times."""
    if isinstance(value, dict):
        return {k: pruned(v) for k, v in value.items() if v is not None or k in {"startedAt", "finishedAt"}}
    return [pruned(one) for one in value] if isinstance(value, list) else value


def secret(kind, obj):
    check_texts(kind, obj, "Secret", obj, ("data", "stringData"))
    data = dict(obj.get("data") or {})
    for text in data.values():
        try:
            base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise unreadable(kind, "illegal base64 data at input byte 0") from error
    data |= {k: base64.b64encode(v.encode()).decode() for k, v in (obj.get("stringData") or {}).items()}
    rest = {k: v for k, v in obj.items() if k not in {"stringData", "data"}}
    return {"type": "Opaque", **rest, **({"data": data} if data else {})}


def check_texts(kind, obj, struct, place, fields):
    for field in fields:
        for value in (place.get(field) or {}).values():
            if not isinstance(value, str):
                json_type = {"integer": "number", "boolean": "bool"}.get(
                    TYPES[type(value)], TYPES[type(value)]
                )
                raise unreadable(
                    kind,
                    f"json: cannot unmarshal {json_type} into Go struct field {struct}.{field} of type string",
                )


def unreadable(kind, why):
    version = kind[0].split("/")[-1]
    named = KINDS[kind][0]
    return bad_request(f'{named} in version "{version}" cannot be handled as a {named}: {why}')


def wrong_names(metadata):
    name = metadata.get("name", "")
    if not name and not metadata.get("generateName"):
        yield "metadata.name", "FieldValueRequired", "Required value: name or generateName is required"
    elif name and not SUBDOMAIN.fullmatch(name):
        yield (
            "metadata.name",
            "FieldValueInvalid",
            (
                f'Invalid value: "{name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric '
                "characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', "
                f"regex used for validation is '{SUBDOMAIN.pattern}')"
            ),
        )
    for key, value in metadata.get("labels", {}).items():
        if not LABEL_KEY.fullmatch(key.rpartition("/")[2]):
            yield (
                "metadata.labels",
                "FieldValueInvalid",
                (
                    f"Invalid value: \"{key}\": name part must consist of alphanumeric characters, '-', '_' or '.', "
                    "and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name', "
                    f" or '123-abc', regex used for validation is '{LABEL_KEY.pattern}')"
                ),
            )
        if not LABEL_VALUE.fullmatch(value):
            yield (
                "metadata.labels",
                "FieldValueInvalid",
                (
                    f'Invalid value: "{value}": a valid label must be an empty string or consist of alphanumeric '
                    "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
                    f"'MyValue',  or 'my_value',  or '12345', regex used for validation is '{LABEL_VALUE.pattern}')"
                ),
            )


def wrong_types(kind, obj):
    """What the schema of the custom resource refuses."""
    if kind != (ARGO, "workflows"):
        return
    if "spec" not in obj:
        yield "spec", "FieldValueRequired", "Required value"
    for path, wanted in SCHEMA.items():
        for place, value in places(obj, path.split("."), ""):
            found = TYPES.get(type(value), "null")
            if found != wanted:
                said = f'Invalid value: "{found}": {place} in body must be of type {wanted}: "{found}"'
                yield place, "FieldValueTypeInvalid", said


def places(value, steps, so_far):
    """(path, value) of each place that the steps lead to."""
    if not steps:
        yield so_far, value
        return
    step, *rest = steps
    key, listed = step.removesuffix("[]"), step.endswith("[]")
    if not isinstance(value, dict) or key not in value:
        return
    path = f"{so_far}.{key}" if so_far else key
    if not listed:
        yield from places(value[key], rest, path)
    elif isinstance(value[key], list):
        for index, one in enumerate(value[key]):
            yield from places(one, rest, f"{path}[{index}]")


def check_patch_type(kind, content):
    accepted = PATCHES if kind[0] == ARGO else (*PATCHES[:2], STRATEGIC, PATCHES[2])
    if content not in accepted:
        raise Refused(
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: "
            + ", ".join(accepted),
        )
