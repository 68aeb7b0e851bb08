"""What the pod of a resource template runs: the engine orders it, a program of the controller does it."""

from __future__ import annotations

RESOURCE_IMAGE = "nbflow/resource"
"""The image of such a pod: it means this nbflow. Its source is the order as JSON."""

REPORT = "resource.json"
"""The file beside the pod's logs where it says what became of it: `message`, `parameters`."""
