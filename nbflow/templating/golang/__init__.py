"""How Go, in which Argo is written, spells values: texts, JSON, times, regular expressions."""
