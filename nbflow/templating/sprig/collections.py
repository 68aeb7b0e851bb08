"""sprig's functions on lists, maps and defaults."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Final

from nbflow.templating.exprlang.builtins.lists import MAX_UNIQUE
from nbflow.templating.golang.jsontext import marshal, unmarshal
from nbflow.templating.golang.text import sorted_items
from nbflow.templating.golang.values import Fault, Function, NilList, go_type
from nbflow.templating.sprig.conversions import deep_equal, empty, kind_of, to_int, to_text
from nbflow.templating.sprig.signature import function

Map = dict[object, object]
List = list[object]


def _list(value: object, doing: str) -> List:
    if isinstance(value, bytes):
        return list(value)
    if not isinstance(value, list):
        raise Fault(f"Cannot {doing} type {kind_of(value)}")
    return value


def chunk(size: int, items: object) -> List:
    elements = _list(items, "chunk")
    if size <= 0:
        raise Fault("runtime error: makeslice: len out of range")
    return [elements[i : i + size] for i in range(0, len(elements), size)]


def cut(items: object, *bounds: object) -> object:
    elements = _list(items, "slice")
    if not elements:
        return None
    start = to_int(bounds[0]) if bounds else 0
    end = to_int(bounds[1]) if len(bounds) > 1 else len(elements)
    if not 0 <= start <= end <= len(elements):
        raise Fault("reflect.Value.Slice: slice index out of bounds")
    return elements[start:end]


def unique(items: object) -> List:
    result: List = []
    for item in _list(items, "find uniq on"):
        if not _holds(result, item):
            result.append(item)
            if len(result) > MAX_UNIQUE:
                raise Fault(f"uniq: more than {MAX_UNIQUE} different elements")
    return result


def _holds(items: Iterable[object], wanted: object) -> bool:
    return any(deep_equal(wanted, item) for item in items)


def without(items: object, *omitted: object) -> List:
    return [item for item in _list(items, "find without on") if not _holds(omitted, item)]


def has(wanted: object, items: object) -> bool:
    return items is not None and _holds(_list(items, "find has on"), wanted)


def concat(*lists: object) -> object:
    return [item for items in lists for item in _list(items, "concat as list")] or NilList()


def _some(items: List, part: List) -> object:
    return part if items else NilList()


def new_map(*values: object) -> Map:
    return {
        to_text(values[i]): values[i + 1] if i + 1 < len(values) else "" for i in range(0, len(values), 2)
    }


def pluck(key: str, *maps: Map) -> List:
    return [each[key] for each in maps if key in each]


def dig(*arguments: object) -> object:
    """The value at a path of keys: the keys, what to give if there is none, and the map."""
    if len(arguments) < 3:
        raise Fault("dig needs at least three arguments")
    *keys, default, here = arguments
    for index, key in enumerate(keys):
        if not isinstance(here, dict):
            raise Fault(
                f"interface conversion: interface {{}} is {go_type(here)}, not map[string]interface {{}}"
            )
        if not isinstance(key, str):
            raise Fault(f"interface conversion: interface {{}} is {go_type(key)}, not string")
        if key not in here:
            return default
        here = here[key]
        if index == len(keys) - 1:
            return here
    return here


def _with(target: Map, key: str, value: object) -> Map:
    target[key] = value
    return target


def _unset(target: Map, key: str) -> Map:
    target.pop(key, None)
    return target


def _merging(*, overwrite: bool) -> Callable[..., object]:
    def merge(target: Map, *sources: Map) -> object:
        for source in sources:
            _merge_into(target, source, overwrite, 0)
        return target

    return merge


def _merge_into(target: Map, source: Map, overwrite: bool, depth: int) -> None:
    if depth > 100:
        raise Fault("merge: the maps are nested too deeply")
    for key, value in source.items():
        if value is None:
            continue
        mine = target.get(key)
        if isinstance(mine, dict) and isinstance(value, dict):
            _merge_into(mine, value, overwrite, depth + 1)
        elif overwrite or empty(mine):
            target[key] = value


def _deep_copy(value: object) -> object:
    if value is None:
        raise Fault("reflect: call of reflect.Value.Type on zero Value")
    try:
        return copy.deepcopy(value)
    except RecursionError:
        raise Fault("deepCopy error: the value is nested too deeply") from None


def ignoring(work: Callable[..., object], otherwise: object) -> Callable[..., object]:
    """`work`, with `otherwise` in place of an error."""

    def quiet(*arguments: object, **options: object) -> object:
        try:
            return work(*arguments, **options)
        except Fault:
            return otherwise

    return quiet


def _pretty(value: object) -> str:
    return marshal(value, indent="  ")


def _raw(value: object) -> str:
    return marshal(value, html=False)


def _default(otherwise: object, *given: object) -> object:
    return otherwise if not given or empty(given[0]) else given[0]


def _table() -> dict[str, tuple[str, Callable[..., object]]]:
    get_keys: Callable[..., object] = lambda *maps: [key for each in maps for key, _ in sorted_items(each)]  # noqa: E731
    make_list: Callable[..., object] = lambda *values: list(values)  # noqa: E731
    return {
        "default": ("any any*", _default),
        "empty": ("any", empty),
        "coalesce": ("any*", lambda *values: next((v for v in values if not empty(v)), None)),
        "all": ("any*", lambda *values: not any(map(empty, values))),
        "any": ("any*", lambda *values: not all(map(empty, values))),
        "fromJson": ("string", ignoring(unmarshal, None)),
        "mustFromJson": ("string", unmarshal),
        "toJson": ("any", ignoring(marshal, "")),
        "mustToJson": ("any", marshal),
        "toPrettyJson": ("any", ignoring(_pretty, "")),
        "mustToPrettyJson": ("any", _pretty),
        "toRawJson": ("any", _raw),
        "mustToRawJson": ("any", _raw),
        "ternary": ("any any bool", lambda yes, no, test: yes if test else no),
        "deepCopy": ("any", _deep_copy),
        "mustDeepCopy": ("any", _deep_copy),
        "typeOf": ("any", go_type),
        "typeIs": ("string any", lambda name, value: name == go_type(value)),
        "typeIsLike": ("string any", lambda name, value: go_type(value) in (name, f"*{name}")),
        "kindOf": ("any", kind_of),
        "kindIs": ("string any", lambda name, value: name == kind_of(value)),
        "deepEqual": ("any any", deep_equal),
        "tuple": ("any*", make_list),
        "list": ("any*", make_list),
        "dict": ("any*", new_map),
        "get": ("dict string", lambda each, key: each.get(key, "")),
        "set": ("dict string any", _with),
        "unset": ("dict string", _unset),
        "hasKey": ("dict string", lambda each, key: key in each),
        "pluck": ("string dict*", pluck),
        "keys": ("dict*", get_keys),
        "pick": ("dict string*", lambda each, *keys: {k: each[k] for k in keys if k in each}),
        "omit": ("dict string*", lambda each, *keys: {k: v for k, v in each.items() if k not in keys}),
        "merge": ("dict dict*", _merging(overwrite=False)),
        "mergeOverwrite": ("dict dict*", _merging(overwrite=True)),
        "values": ("dict", lambda each: [value for _, value in sorted_items(each)]),
        "concat": ("any*", concat),
        "dig": ("any*", dig),
    }


_LISTS: Final[dict[str, tuple[str, Callable[..., object]]]] = {
    "append": ("any any", lambda items, value: [*_list(items, "push on"), value]),
    "push": ("any any", lambda items, value: [*_list(items, "push on"), value]),
    "prepend": ("any any", lambda items, value: [value, *_list(items, "prepend on")]),
    "first": ("any", lambda items: next(iter(_list(items, "find first on")), None)),
    "last": ("any", lambda items: next(iter(_list(items, "find last on")[::-1]), None)),
    "rest": ("any", lambda items: _some(_list(items, "find rest on"), items[1:])),
    "initial": ("any", lambda items: _some(_list(items, "find initial on"), items[:-1])),
    "reverse": ("any", lambda items: _list(items, "find reverse on")[::-1]),
    "uniq": ("any", unique),
    "without": ("any any*", without),
    "has": ("any any", has),
    "slice": ("any any*", cut),
    "chunk": ("int any", chunk),
    "compact": ("any", lambda items: [item for item in _list(items, "compact on") if not empty(item)]),
}
"""These are also there with must in front: mustFirst, mustUniq, ..."""


def _functions() -> dict[str, Function]:
    table = _table() | _LISTS
    table |= {f"must{name[0].upper()}{name[1:]}": entry for name, entry in _LISTS.items()}
    table |= {f"must{name[0].upper()}{name[1:]}": table[name] for name in ("merge", "mergeOverwrite")}
    return {name: function(name, *entry) for name, entry in table.items()}


FUNCTIONS: Final[dict[str, Function]] = _functions()
