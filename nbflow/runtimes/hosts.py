"""hostAliases: lines that a pod's /etc/hosts has besides those of the machine."""

from __future__ import annotations

from collections.abc import Mapping

from nbflow.runtimes.runtime import PodRejected
from nbflow.spec.pod import Pod

HOSTS = "/etc/hosts"


def own_hosts(pod: Pod) -> str:
    """What the pod's own /etc/hosts says, "" if it needs none. Raises PodRejected for an alias that is none."""
    aliases = pod.extra.get("hostAliases")
    if not isinstance(aliases, list | tuple) or not aliases:
        return ""
    lines = ["# Entries added by HostAliases.", *(_line(alias) for alias in aliases)]
    try:
        with open(HOSTS, encoding="utf-8", errors="surrogateescape") as file:
            machines = file.read()
    except OSError:
        machines = ""
    return "\n".join([machines.rstrip("\n"), *lines, ""])


def _line(alias: object) -> str:
    address = alias.get("ip") if isinstance(alias, Mapping) else None
    names = alias.get("hostnames") if isinstance(alias, Mapping) else None
    words = [str(address or ""), *map(str, names if isinstance(names, list | tuple) else ())]
    if not address or any(not word or set(word) & set(" \t\n#") for word in words):
        raise PodRejected(
            "hostAliases: each needs an ip and its hostnames",
            fix="hostAliases: [{ip: ..., hostnames: [...]}]",
        )
    return "\t".join(words)
