"""Workflow in, text or rows out: graph (DOT), tree, tables."""
