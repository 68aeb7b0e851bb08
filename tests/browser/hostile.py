"""What strangers may write where a person reads: each of these has broken some page."""

from __future__ import annotations

STRINGS = [
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "<svg onload=window.hacked=1><script>window.hacked=1</script></svg>",
    "\"><iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
    "' onmouseover='window.hacked=1' autofocus onfocus='window.hacked=1",
    "</pre></td></table></textarea></style></script><script>window.hacked=1</script>",
    "]]><!--><script>window.hacked=1</script>-->",
    "javascript:window.hacked=1",
    "[click](javascript:window.hacked=1) ![x](https://example.invalid/x.png)",
    "$(window.hacked=1) {{7*7}} ${window.hacked=1} `window.hacked=1`",
    "$$\\href{javascript:window.hacked=1}{x}$$ \\(\\unicode{x}\\)",
    "&lt;script&gt;window.hacked=1&lt;/script&gt; &amp;#x3c;",
    "\u202egnp.exe\u202c \u2066isolated\u2069 a\u0301\u0301\u0301\u0301\u0301\u0301 \U0001f468\u200d\U0001f469",
    "\x00\x01\x1b]0;title\x07\x1b[31mred\x1b[0m\x1b[2J\x7f\x9b31m",
    "\ufeff\ufffe\uffff\ufffd",
    "line one\nline two\r\nline three\u2028line four",
    "x" * 5000,
    "word " * 1000,
    " ",
    "__proto__", "constructor", "toString", "hasOwnProperty",
    '"; DROP TABLE workflows; --',
    'digraph { a -> b [URL="javascript:window.hacked=1"] } \\N \\G \\E',
    "../../../etc/passwd", "%00%2e%2e%2f", "null", "NaN", "-1e999", "true",
]  # fmt: skip
