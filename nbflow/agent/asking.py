"""Asks executor plugins that are servers beside it: the main program of a pod whose sidecars they are.

It runs in that pod, with whatever Python there is, so it imports nothing of nbflow. Its last line on stdout is the
node's result as JSON. ORDER: addresses of the plugins, and what to ask them.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

WAITS = (0.1, 0.2, 0.4, 0.8, 1.5, 2, 4, 8, 8, 8)
"""Seconds between attempts while a plugin starts, or is not to be had."""
ENDS = ("Succeeded", "Failed", "Error", "Skipped")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
Json = dict[str, object]


def ask(address: str, request: Json, token: str) -> Json:
    """What a plugin answers; {} if it does not do such templates. Raises OSError."""
    body = json.dumps(request).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    for wait in (*WAITS, None):
        try:
            question = urllib.request.Request(f"{address}/api/v1/template.execute", body, headers)  # noqa: S310
            with urllib.request.urlopen(question, timeout=30) as answer:  # noqa: S310 - of this pod
                found: Json = json.loads(answer.read() or b"{}")
                return found
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return {}
            if error.code != 503 or wait is None:
                raise
        except OSError:
            if wait is None:
                raise
        time.sleep(wait)
    return {}


def seconds(text: str) -> float:
    """A duration such as 500ms, 2s or 1m30s."""
    total, number, unit = 0.0, "", ""
    for letter in f"{text}0":
        if (letter.isdigit() or letter == ".") and unit:
            total += float(number) * UNITS[unit]
            number, unit = "", ""
        if letter.isdigit() or letter == ".":
            number += letter
        else:
            unit += letter
    return total


def carry_out(order: Json, token: str) -> Json:
    """The result of the node: of the first plugin that has one, asked again as long as it wants."""
    addresses, request = order["addresses"], order["request"]
    assert isinstance(addresses, list)
    assert isinstance(request, dict)
    for address in addresses:
        while True:
            reply = ask(address, request, token)
            node = reply.get("node")
            if not isinstance(node, dict):
                break
            if node.get("phase") in ENDS:
                return node
            print(node.get("phase"), node.get("message") or "", file=sys.stderr, flush=True)  # noqa: T201
            time.sleep(seconds(str(reply["requeue"])))
    return {"phase": "Failed", "message": "no plugin executed the template"}


def main(place: str) -> None:
    """Say what became of it."""
    order: Json = json.loads(Path(place).read_text(encoding="utf-8"))
    token = Path("/var/run/argo/token").read_text(encoding="utf-8").strip()
    try:
        node = carry_out(order, token)
    except OSError as error:
        answered = isinstance(error, urllib.error.HTTPError)
        reason = error if answered else getattr(error, "reason", error)
        node = {"phase": "Failed", "message": f"executor plugin: {reason}", "unreachable": not answered}
    except (ValueError, KeyError) as error:
        node = {"phase": "Failed", "message": f"executor plugin: {type(error).__name__}: {error}"}
    print(json.dumps(node))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
