"""The one object that Go's clients write in protobuf here: a SelfSubjectAccessReview, inside a runtime.Unknown."""

from __future__ import annotations

PREFIX = b"k8s\0"


def access_review(raw):
    unknown = fields_of(raw[len(PREFIX) :])
    attributes = fields_of(fields_of(fields_of(unknown[2])[2])[1])
    names = ("namespace", "verb", "group", "version", "resource", "subresource", "name")
    given = {name: attributes.get(number, b"").decode() for number, name in enumerate(names, 1)}
    return {"spec": {"resourceAttributes": given}}


def fields_of(data):
    """The fields of a protobuf message that holds nothing but texts and messages: number -> bytes."""
    found, at = {}, 0

    def number():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    while at < len(data):
        key, length = number() >> 3, number()
        found[key] = data[at : at + length]
        at += length
    return found
