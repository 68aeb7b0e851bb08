"""The language as data: manifests, a run, a Pod and what became of it; YAML in with positions, YAML out."""
