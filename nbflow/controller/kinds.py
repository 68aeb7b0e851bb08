"""Which kinds of objects a resource template may name here, and which object one means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nbflow.errors import NbflowError


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind. runs: it starts pods. custom: defined by a custom resource, so it has no strategic merge."""

    name: str
    plural: str
    group: str = ""
    runs: bool = False
    custom: bool = False

    @property
    def said(self) -> str:
        """As kubectl says it: job.batch."""
        return f"{self.name.lower()}.{self.group}" if self.group else self.name.lower()


KINDS = {
    kind.name: kind
    for kind in (
        Kind("Job", "jobs.batch", "batch", runs=True),
        Kind("Pod", "pods", runs=True),
        Kind("ConfigMap", "configmaps"),
        Kind("Secret", "secrets"),
        Kind("PersistentVolumeClaim", "persistentvolumeclaims"),
        Kind("Workflow", "workflows.argoproj.io", "argoproj.io", runs=True, custom=True),
    )
}
_SHORT = {"cm": "ConfigMap", "pvc": "PersistentVolumeClaim", "po": "Pod", "wf": "Workflow"}
_IGNORED = (
    "--validate",
    "--force",
    "--grace-period",
    "--cascade",
    "--wait",
    "--server-side",
    "--field-manager",
    "--now",
)


@dataclass(frozen=True, slots=True)
class Target:
    """The object that is meant. word, api_version: how its kind is written, "" for a version that is not said.

    name: "" for one that is to be made by its generateName. selector: of labels, for all objects that have them; ""
    if one is named. namespace: "" if none is said.
    """

    word: str
    name: str
    api_version: str = ""
    namespace: str = ""
    ignore_missing: bool = False
    selector: str = ""


def target_of(manifest: object, flags: Sequence[str], action: str) -> Target:
    """Raises NbflowError for an object without a kind or name, and for a flag that is not understood."""
    words, ignore, selector, namespace = _words(flags)
    item = manifest if isinstance(manifest, Mapping) else {}
    metadata = item.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    kind, name = str(item.get("kind") or ""), str(metadata.get("name") or "")
    if words and not kind:
        kind, _, name = words[0].partition("/")
        name = name or (words[1] if len(words) > 1 else "")
    if not kind:
        raise NbflowError(
            "Must provide at least one of flags or manifest." if not item else "kind is required"
        )
    if selector and (name or action != "delete"):
        raise NbflowError(
            "a selector is for `delete` of objects that are not named", fix="leave out one of them"
        )
    version = str(item.get("apiVersion") or "") if item.get("kind") else ""
    target = Target(kind, name, version, namespace or str(metadata.get("namespace") or ""), ignore, selector)
    if selector:
        return target
    if not name and not (action == "create" and metadata.get("generateName")):
        raise NbflowError(
            f"resource name may not be empty: {kind} to {action} has no metadata.name",
            fix="give the manifest a metadata.name",
        )
    return target


def kind_of(word: str) -> Kind | None:
    """The kind of this machine of that name, as manifests or kubectl's command line write it."""
    plain = word.partition(".")[0].lower()
    for kind in KINDS.values():
        if plain in {kind.name.lower(), kind.plural.partition(".")[0]} or _SHORT.get(plain) == kind.name:
            return kind
    return None


def no_such_kind(word: str) -> NbflowError:
    """Neither this machine nor a cluster has objects of that kind."""
    return NbflowError(
        f"there are no objects of the kind {word} on this target, only {', '.join(KINDS)}",
        fix="submit it to a cluster, with --on argo, or set KUBECONFIG to a cluster that has them",
    )


def _words(flags: Sequence[str]) -> tuple[list[str], bool, str, str]:
    """The words that are no flags, whether a missing object is no error, a selector of labels, a namespace."""
    words, ignore, selector, namespace = [], False, "", ""
    left = list(flags)
    while left:
        flag = left.pop(0)
        name, equals, value = flag.partition("=")
        if not flag.startswith("-"):
            words.append(flag)
        elif name in {"-n", "--namespace", "-l", "--selector"}:
            value = value if equals else "".join(left[:1])
            del left[: 0 if equals else 1]
            if name in {"-l", "--selector"}:
                selector = value
            else:
                namespace = value
        elif name == "--ignore-not-found":
            ignore = value != "false"
        elif name not in _IGNORED:
            raise NbflowError(
                f"the flag {name} is not understood on this target", fix="leave it out, or use --on argo"
            )
    return words, ignore, selector, namespace
