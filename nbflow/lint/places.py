"""Where artifacts are, and what pods may ask for."""

from __future__ import annotations

from posixpath import normpath

from nbflow.lint.objects import Json, items, mapping, text
from nbflow.lint.report import Report, Where


def path_fault(artifact: Json) -> str:
    """What is wrong with the path of an artifact in a container; "" if nothing is."""
    name, path = text(artifact, "name"), text(artifact, "path")
    if not path:
        return f"Artifact '{name}' did not specify a path"
    safe, slash, _ = path.partition("/../")
    if not slash:
        safe = path.removesuffix("/..") if path.endswith("/..") else ""
    inside = normpath(path)
    if safe and not (inside.startswith(f"{safe}/") and len(inside) > len(safe) + 1):
        return (
            f"Artifact '{name}' attempted to use a path containing '..'. Directory traversal is not permitted"
        )
    return ""


def check_location(report: Report, where: Where, artifact: Json, said: str) -> None:
    """What a place needs to be complete."""
    if isinstance(artifact.get("git"), dict) and not text(mapping(artifact, "git"), "repo"):
        report.error("NBF162", where.at("git"), f"{said}.git.repo is required", "add `repo:`")
    if isinstance(artifact.get("hdfs"), dict):
        problem = _hdfs_fault(mapping(artifact, "hdfs"), f"{said}.hdfs")
        if problem:
            report.error("NBF162", where.at("hdfs"), problem)


def _hdfs_fault(hdfs: Json, said: str) -> str:
    if not hdfs.get("addresses"):
        return f"{said}.addresses is required"
    if not text(hdfs, "path"):
        return f"{said}.path is required"
    if not text(hdfs, "path").startswith("/"):
        return f"{said}.path must be a absolute file path"
    keytab, cache = hdfs.get("krbKeytabSecret") is not None, hdfs.get("krbCCacheSecret") is not None
    if not text(hdfs, "hdfsUser") and not keytab and not cache:
        return f"either {said}.hdfsUser, {said}.krbCCacheSecret or {said}.krbKeytabSecret is required"
    needed = [
        "krbServicePrincipalName",
        "krbConfigConfigMap",
        *(("krbUsername", "krbRealm") if keytab else ()),
    ]
    if (keytab or cache) and any(not hdfs.get(field) for field in needed):
        fields = [f"{said}.{field}" for field in needed]
        secret = "krbKeytabSecret" if keytab else "krbCCacheSecret"
        return f"{', '.join(fields[:-1])} and {fields[-1]} are required with {said}.{secret}"
    return ""


def check_pod_resources(report: Report, where: Where, resources: Json, said: str) -> None:
    """Kubernetes takes cpu, memory and huge pages for a whole pod, and nothing else."""
    if items(resources, "claims"):
        problem = f"{said}.claims is not supported for pod-level resources"
        report.error("NBF156", where.at("claims"), problem, "move it to the container's `resources`")
    for kind in ("limits", "requests"):
        for name in mapping(resources, kind):
            if name not in {"cpu", "memory"} and not name.startswith("hugepages-"):
                problem = f'{said}: "{name}" is not a valid pod-level resource,'
                problem += " only cpu, memory and hugepages-* are supported"
                report.error(
                    "NBF156",
                    where.at(kind, name),
                    problem,
                    "move it to the container's `resources`",
                    key=True,
                )
