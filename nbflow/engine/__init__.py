"""Decide what a workflow needs next: (workflow, nodes, event) -> decision, without I/O."""
