"""The names of the functions of the language; a variable of the same name hides one."""

from __future__ import annotations

from typing import Final, NamedTuple


class Argument(NamedTuple):
    """One argument of a function that takes a predicate."""

    predicate: bool = False
    optional: bool = False


_LIST, _TEST = Argument(), Argument(predicate=True)
_MAYBE_TEST, _MAYBE = Argument(predicate=True, optional=True), Argument(optional=True)

PREDICATES: Final[dict[str, tuple[Argument, ...]]] = {
    **dict.fromkeys(("all", "none", "any", "one", "filter", "map"), (_LIST, _TEST)),
    **dict.fromkeys(("find", "findIndex", "findLast", "findLastIndex", "groupBy"), (_LIST, _TEST)),
    **dict.fromkeys(("count", "sum"), (_LIST, _MAYBE_TEST)),
    **dict.fromkeys(("sortBy", "reduce"), (_LIST, _TEST, _MAYBE)),
}

BUILTIN_NAMES: Final = frozenset(PREDICATES) | frozenset(
    (
        "len", "type", "abs", "ceil", "floor", "round", "int", "float", "string", "trim", "trimPrefix",
        "trimSuffix", "upper", "lower", "split", "splitAfter", "replace", "repeat", "join", "indexOf",
        "lastIndexOf", "hasPrefix", "hasSuffix", "max", "min", "mean", "median", "toJSON", "fromJSON",
        "toBase64", "fromBase64", "now", "duration", "date", "timezone", "first", "last", "get", "take",
        "keys", "values", "toPairs", "fromPairs", "reverse", "uniq", "concat", "flatten", "sort",
        "bitand", "bitor", "bitxor", "bitnand", "bitshl", "bitshr", "bitushr", "bitnot",
    )
)  # fmt: skip
