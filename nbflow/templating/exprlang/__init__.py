"""The expression language of {{=...}}: text to tokens, tree, checked tree, closures, value."""
