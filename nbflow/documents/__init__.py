"""Notebooks from manifests, manifests from notebooks, reports."""
