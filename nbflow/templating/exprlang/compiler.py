"""Turns the tree of an expression into nested closures, once, to be called with a frame many times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from nbflow.templating.exprlang import syntax as tree
from nbflow.templating.exprlang.access import OPEN, cut, fetch
from nbflow.templating.exprlang.builtins import FUNCTIONS, GROWING
from nbflow.templating.exprlang.frame import UNREADABLE, Code, Frame
from nbflow.templating.exprlang.names import PREDICATES
from nbflow.templating.exprlang.operators import OPERATORS, invert, negate, text, to_int, truth
from nbflow.templating.exprlang.predicates import MAKERS, count
from nbflow.templating.golang.moments import Location, Time
from nbflow.templating.golang.values import Fault, Function, NilList, go_type


class _Chain(Exception):
    """A part of a chain with ?. is nil: the chain is nil."""


def compile_tree(node: tree.Node) -> Code:
    """The code of `node`."""
    return _COMPILERS[type(node)](node)


def _constant(node: tree.Constant) -> Code:
    value = node.value
    return lambda frame: value


def _identifier(node: tree.Identifier) -> Code:
    name = node.name
    if name == "$env":
        return lambda frame: frame.env

    def code(frame: Frame) -> object:
        variables = frame.variables
        return variables[name] if name in variables else frame.env.get(name)

    return code


def _unary(node: tree.Unary) -> Code:
    operand = compile_tree(node.operand)
    if node.operator == "+":
        return operand
    operate: Callable[[object], object] = negate if node.operator == "-" else invert
    return lambda frame: operate(operand(frame))


def _binary(node: tree.Binary) -> Code:
    if node.operator in ("and", "&&", "or", "||") and (folded := _folded(node)) is not node:
        return compile_tree(folded)
    left, right = _counted(node) or compile_tree(node.left), compile_tree(node.right)
    if node.operator in ("and", "&&"):
        return lambda frame: right(frame) if truth(left(frame)) else False
    if node.operator in ("or", "||"):
        return lambda frame: True if truth(left(frame)) else right(frame)
    if node.operator == "..":
        return _range(left, right)
    if node.operator == "??":
        return _coalesce(left, right)
    operate = OPERATORS[node.operator]
    return lambda frame: operate(left(frame), right(frame))


def _folded(node: tree.Node) -> tree.Node:
    """The node without what constants decide: `x and false` is false, and `x or false` is x, whatever x is."""
    if isinstance(node, tree.Unary) and node.operator in ("!", "not"):
        known = _truth(_folded(node.operand))
        return node if known is None else tree.Constant(node.at, not known)
    if not isinstance(node, tree.Binary):
        return node
    if (
        node.operator == "=="
        and isinstance(node.left, tree.Constant)
        and isinstance(node.right, tree.Constant)
    ):
        left, right = node.left.value, node.right.value
        same = type(left) is type(right) and isinstance(left, bool | int | str)
        return tree.Constant(node.at, left == right) if same else node
    if node.operator not in ("and", "&&", "or", "||"):
        return node
    one, other = _folded(node.left), _folded(node.right)
    idle = node.operator in ("and", "&&")
    if _truth(one) is idle:
        return other
    if _truth(other) is idle:
        return one
    decided = _truth(one) is not None or _truth(other) is not None
    return tree.Constant(node.at, not idle) if decided else node


def _truth(node: tree.Node) -> bool | None:
    """Of a constant true or false."""
    return node.value if isinstance(node, tree.Constant) and isinstance(node.value, bool) else None


def _counted(node: tree.Binary) -> Code | None:
    """`count(...) > 2` needs to know of three elements; None if it is nothing like that."""
    left, right = node.left, node.right
    more = {">": 1, "<=": 1, ">=": 0, "<": 0}.get(node.operator)
    if more is None or not isinstance(left, tree.Builtin) or left.name != "count" or len(left.arguments) != 2:
        return None
    if not isinstance(right, tree.Constant) or type(right.value) is not int:
        return None
    most = right.value + more
    if most < 1 or (most == 1 and node.operator in ("<", "<=")):
        return None
    test = left.arguments[1]
    body = test.body if isinstance(test, tree.Predicate) else test
    return count(compile_tree(left.arguments[0]), compile_tree(body), most)


def _coalesce(left: Code, right: Code) -> Code:
    def code(frame: Frame) -> object:
        value = left(frame)
        return right(frame) if value is None or isinstance(value, NilList) else value

    return code


def _range(left: Code, right: Code) -> Code:
    def code(frame: Frame) -> object:
        first, last = to_int(left(frame)), to_int(right(frame))
        frame.grow(max(last - first + 1, 0))
        return list(range(first, last + 1))

    return code


def _chain(node: tree.Chain) -> Code:
    inner = compile_tree(node.inner)

    def code(frame: Frame) -> object:
        try:
            return inner(frame)
        except _Chain:
            return None

    return code


def _member(node: tree.Member) -> Code:
    base, optional = compile_tree(node.base), node.optional
    if isinstance(node.property, tree.Constant) and isinstance(node.property.value, str) and not optional:
        return _field(base, node.property.value)
    key = compile_tree(node.property)

    def code(frame: Frame) -> object:
        value = base(frame)
        if optional and value is None:
            raise _Chain
        return fetch(value, key(frame))

    return code


def _field(base: Code, name: str) -> Code:
    def code(frame: Frame) -> object:
        value = base(frame)
        return value.get(name) if type(value) is dict else fetch(value, name)

    return code


def _slice(node: tree.Slice) -> Code:
    base = compile_tree(node.base)
    start = compile_tree(node.start) if node.start else None
    end = compile_tree(node.end) if node.end else None

    def code(frame: Frame) -> object:
        value = base(frame)
        to = end(frame) if end else OPEN
        return cut(value, start(frame) if start else OPEN, to)

    return code


def _call(node: tree.Call) -> Code:
    callee, arguments = compile_tree(node.callee), [compile_tree(a) for a in node.arguments]

    def code(frame: Frame) -> object:
        values = [argument(frame) for argument in arguments]
        function = callee(frame)
        if not isinstance(function, Function):
            if function is None:
                raise Fault("invalid operation: cannot call nil")
            raise Fault(f"invalid operation: cannot call non-function of type {go_type(function)}")
        if function.needs_frame:
            return function.call(frame, *values)
        return function.call(*values)

    return code


def _summed(node: tree.Builtin) -> tree.Node | None:
    """`sum([a, b, c])` is a + (b + c), which texts have, too; None if it is nothing like that, or all are constants."""
    if node.name != "sum" or len(node.arguments) != 1 or not isinstance(node.arguments[0], tree.Array):
        return None
    *others, last = node.arguments[0].nodes or [node]
    if not others or all(map(_is_constant, node.arguments[0].nodes)):
        return None
    for each in reversed(others):
        last = tree.Binary(node.at, "+", each, last)
    return last


def _is_constant(node: tree.Node) -> bool:
    return isinstance(node.operand if isinstance(node, tree.Unary) else node, tree.Constant)


def _builtin(node: tree.Builtin) -> Code:
    if (summed := _summed(node)) is not None:
        return compile_tree(summed)
    if node.name in PREDICATES:
        codes = [compile_tree(a.body if isinstance(a, tree.Predicate) else a) for a in node.arguments]
        padded: list[Code | None] = [*codes[1:], None, None]
        return MAKERS[node.name](codes[0], padded[0], padded[1])
    arguments = [compile_tree(a) for a in node.arguments]
    if node.name == "now":
        return lambda frame: _now(frame, *(argument(frame) for argument in arguments))
    function, grows = FUNCTIONS[node.name], node.name in GROWING

    def code(frame: Frame) -> object:
        result = function(*[argument(frame) for argument in arguments])
        if grows and isinstance(result, list | str):
            frame.grow(len(result))
        return result

    return code


def _now(frame: Frame, *places: object) -> object:
    now = Time.of(frame.clock.now)
    return now.seen_in(places[0]) if places and isinstance(places[0], Location) else now


def _pointer(node: tree.Pointer) -> Code:
    match node.name:
        case "index":
            return lambda frame: frame.index
        case "acc":
            return lambda frame: frame.accumulated
    return _item


def _item(frame: Frame) -> object:
    if frame.item is UNREADABLE:
        raise Fault("reflect: call of reflect.Value.Index on map Value")
    return frame.item


def _predicate(node: tree.Predicate) -> Code:
    return compile_tree(node.body)


def _let(node: tree.Let) -> Code:
    name, value, body = node.name, compile_tree(node.value), compile_tree(node.body)

    def code(frame: Frame) -> object:
        outer = frame.variables
        frame.variables = {**outer, name: value(frame)}
        try:
            return body(frame)
        finally:
            frame.variables = outer

    return code


def _sequence(node: tree.Sequence) -> Code:
    codes = [compile_tree(n) for n in node.nodes]

    def code(frame: Frame) -> object:
        result: object = None
        for part in codes:
            result = part(frame)
        return result

    return code


def _conditional(node: tree.Conditional) -> Code:
    condition, then, otherwise = map(compile_tree, (node.condition, node.then, node.otherwise))
    return lambda frame: then(frame) if truth(condition(frame)) else otherwise(frame)


def _array(node: tree.Array) -> Code:
    codes = [compile_tree(n) for n in node.nodes]

    def code(frame: Frame) -> object:
        frame.grow(len(codes))
        return [part(frame) for part in codes]

    return code


def _map(node: tree.Map) -> Code:
    pairs = [(compile_tree(key), compile_tree(value)) for key, value in node.pairs]

    def code(frame: Frame) -> object:
        frame.grow(len(pairs))
        made: dict[object, object] = {}
        for key, value in pairs:
            name, content = text(key(frame)), value(frame)
            made.setdefault(name, content)  # of two with one key the first counts
        return made

    return code


_COMPILERS: Final[dict[type[tree.Node], Callable[..., Code]]] = {
    tree.Constant: _constant,
    tree.Identifier: _identifier,
    tree.Unary: _unary,
    tree.Binary: _binary,
    tree.Chain: _chain,
    tree.Member: _member,
    tree.Slice: _slice,
    tree.Call: _call,
    tree.Builtin: _builtin,
    tree.Predicate: _predicate,
    tree.Pointer: _pointer,
    tree.Let: _let,
    tree.Sequence: _sequence,
    tree.Conditional: _conditional,
    tree.Array: _array,
    tree.Map: _map,
}
