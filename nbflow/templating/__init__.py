"""What {{ }} means: tags, expressions, `when`, `depends`, loops over items, and the catalogue of variables.

Knows strings and scopes, not workflows. Pure: the time and a random seed come in as a `Clock`.
"""
