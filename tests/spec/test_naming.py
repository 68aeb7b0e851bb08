"""By the rules of Kubernetes' apimachinery: validation.IsDNS1123Subdomain, IsQualifiedName, IsValidLabelValue."""

import pytest

from nbflow.spec import naming

CASES = {
    naming.is_name: (
        ["a", "0", "a-b.c", "a" * 253],
        ["", "A", "a_b", "-a", "a-", "a..b", ".a", "a/b", "../a", "@latest", "a\n", "ä", "a" * 254],
    ),
    naming.is_prefix: (["a", "a-", "a--", "a.b-"], ["-", "a/b-", "A-", "-a-", "a."]),
    naming.is_namespace: (["default", "a" * 63], ["a.b", "..", "a" * 64]),
    naming.is_label_key: (
        ["a", "A_b.c-d", "example.com/App"],
        ["", "a b", "a/b/c", "/a", "a/", "-a", "Example.com/a", "a" * 64],
    ),
    naming.is_label_value: (["", "A_b.c", "a" * 63], ["b c", "a/b", "-a", "a\n", "a" * 64]),
    naming.is_data_key: (["a", ".dockerconfigjson", "A_b"], ["", ".", "..", "../a", "..a", "a/b", "a b"]),
}


@pytest.mark.parametrize("rule", CASES, ids=lambda rule: rule.__name__)
def test_what_is_taken(rule):
    taken, refused = CASES[rule]
    assert [text for text in (*taken, *refused) if rule(text)] == taken
