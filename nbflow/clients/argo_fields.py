"""Fields that Argo's custom resource definitions require, and its command line writes where nobody did."""

from __future__ import annotations

from collections.abc import Mapping

from nbflow.kube.resources import JSONObject

_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "memoize": ("key", "maxAge"),
    "gcs": ("key",),
    "oss": ("key",),
    "plugin": ("key",),
    "raw": ("data",),
}
"""Name of an object -> the texts without which it is refused. To Argo, none and an empty one are the same."""


def completed(manifest: JSONObject) -> JSONObject:
    """The manifest with what is required of it. Nothing of what is there changes."""
    spec = manifest.get("spec")
    return {**manifest, "spec": _filled(spec)} if isinstance(spec, Mapping) else manifest


def _filled(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _required(key, _filled(one)) for key, one in value.items()}
    return [_filled(one) for one in value] if isinstance(value, list | tuple) else value


def _required(name: str, value: object) -> object:
    if name not in _REQUIRED or not isinstance(value, Mapping):
        return value
    if name == "plugin" and not isinstance(value.get("name"), str):
        return value  # a template's plugin, whose fields are its own
    return {**dict.fromkeys(_REQUIRED[name], ""), **value}
