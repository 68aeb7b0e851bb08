"""Manifest in, findings out: what Argo refuses (errors) and what only we advise against (warnings)."""
