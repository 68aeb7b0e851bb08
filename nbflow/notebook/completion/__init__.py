"""Completion in `%%workflow` cells: flags on the first line, the manifest below, variables inside {{ }}.

Nothing here reads YAML as a parser does: what is being written is seldom YAML yet.
"""
