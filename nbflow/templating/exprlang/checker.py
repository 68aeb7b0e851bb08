"""Finds, before an expression is evaluated, that its types cannot fit each other.

Argo compiles an expression against the values of its scope, so what only a branch not taken would get
wrong is an error as well. Only variables without a dot have a type; what is in a map is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from nbflow.templating.exprlang import syntax as tree
from nbflow.templating.exprlang.names import BUILTIN_NAMES, PREDICATES
from nbflow.templating.exprlang.signatures import METHODS, SIGNATURES
from nbflow.templating.exprlang.source import error_at
from nbflow.templating.exprlang.types import (
    ARRAY,
    BOOL,
    DURATION,
    FLOAT,
    INT,
    MAP,
    STRING,
    TIME,
    UNKNOWN,
    Type,
    array_of,
    assignable,
    comparable,
    maybe,
    type_of,
)
from nbflow.templating.failures import ExpressionError
from nbflow.templating.golang.patterns import compile_pattern
from nbflow.templating.golang.values import Fault

Shape = Type
shape_of = type_of


def check(root: tree.Node, source: str, shapes: Mapping[str, Type]) -> None:
    """Raises ExpressionError. shapes: the types of the variables that the scope has."""
    _Checker(source, shapes).visit(root)


class _Checker:
    def __init__(self, source: str, shapes: Mapping[str, Type]) -> None:
        self.source, self.shapes = source, shapes
        self.variables: dict[str, Type] = {}
        self.scopes: list[dict[str, Type]] = []

    def error(self, node: tree.Node, problem: str) -> ExpressionError:
        return error_at(self.source, node.at, problem)

    def visit(self, node: tree.Node) -> Type:
        return _VISITORS[type(node)](self, node)

    def identifier(self, node: tree.Identifier) -> Type:
        known = self.variables.get(node.name) or self.shapes.get(node.name)
        if known is not None:
            return known
        if node.name == "$env" or node.name in BUILTIN_NAMES:
            return UNKNOWN
        raise self.error(node, f"unknown name {node.name}")

    def unary(self, node: tree.Unary) -> Type:
        operand = self.visit(node.operand)
        if node.operator in ("!", "not"):
            if operand.unknown or operand.kind == "bool":
                return BOOL
        elif operand.unknown or operand.number:
            return operand
        raise self.error(node, f"invalid operation: {node.operator} (mismatched type {operand})")

    def binary(self, node: tree.Binary) -> Type:
        left, right = self.visit(node.left), self.visit(node.right)
        if node.operator == "??":
            return _coalesced(left, right)
        if node.operator == "in":
            return self.membership(node, left, right)
        if (
            node.operator == "matches"
            and isinstance(node.right, tree.Constant)
            and isinstance(node.right.value, str)
        ):
            try:
                compile_pattern(node.right.value)
            except Fault as fault:
                raise self.error(node, str(fault)) from None
        result = _OPERATORS[node.operator](left, right)
        if result is None:
            raise self.error(
                node, f"invalid operation: {node.operator} (mismatched types {left} and {right})"
            )
        return result

    def membership(self, node: tree.Binary, left: Type, right: Type) -> Type:
        if right.kind == "map":
            if not left.unknown and right.name == MAP.name and left.kind != "string":
                raise self.error(node, f"cannot use {left} as type string in map key")
            return BOOL
        if right.kind == "array":
            element = right.element or UNKNOWN
            if not comparable(left, element):
                raise self.error(node, f"cannot use {left} as type {element} in array")
            return BOOL
        if right.unknown or (left.unknown and right.kind == "string"):
            return BOOL
        raise self.error(node, f"invalid operation: in (mismatched types {left} and {right})")

    def chain(self, node: tree.Chain) -> Type:
        return self.visit(node.inner)

    def member(self, node: tree.Member) -> Type:
        key = node.property.value if isinstance(node.property, tree.Constant) else None
        if isinstance(node.base, tree.Identifier) and node.base.name == "$env":
            return self.from_env(node, key)
        base, index = self.visit(node.base), self.visit(node.property)
        if base.unknown:
            return UNKNOWN
        name = key if isinstance(key, str) else None
        if name is not None:
            if base.kind == "nil":
                raise self.error(node, f"type nil has no field {name}")
            if name in METHODS.get(base.kind, {}):
                return Type("func", f"func {name}", METHODS[base.kind][name])
        return self.element(node, base, index, name)

    def from_env(self, node: tree.Member, key: object) -> Type:
        if not isinstance(key, str):
            return UNKNOWN
        if key not in self.shapes and not node.optional:
            raise self.error(node, f"unknown name {key}")
        return self.shapes.get(key, UNKNOWN)

    def element(self, node: tree.Member, base: Type, index: Type, name: str | None) -> Type:
        if base.kind == "map":
            if not index.unknown and index.kind not in ("string", "nil") and base.name == MAP.name:
                raise self.error(node.property, f"cannot use {index} to get an element from {base}")
            return base.element or UNKNOWN
        if base.kind == "array":
            if not index.unknown and index.kind != "int":
                raise self.error(
                    node.property, f"array elements can only be selected using an integer (got {index})"
                )
            return base.element or UNKNOWN
        if name is not None:
            raise self.error(node, f"type {base} has no {'method' if node.method else 'field'} {name}")
        raise self.error(node, f"type {base}[{index}] is undefined")

    def slice(self, node: tree.Slice) -> Type:
        base = self.visit(node.base)
        if base.unknown:
            return UNKNOWN
        if base.kind not in ("string", "array"):
            raise self.error(node, f"cannot slice {base}")
        for bound in (node.start, node.end):
            if bound is not None and not (kind := self.visit(bound)).unknown and kind.kind != "int":
                raise self.error(bound, f"non-integer slice index {kind}")
        return base

    def call(self, node: tree.Call) -> Type:
        callee = self.visit(node.callee)
        if callee.unknown:
            return UNKNOWN  # of what a function under sprig. gets, nothing is checked
        for argument in node.arguments:
            self.visit(argument)
        if callee.kind != "func":
            raise self.error(node, f"{callee} is not callable")
        return callee.element or UNKNOWN

    def builtin(self, node: tree.Builtin) -> Type:
        if node.name in PREDICATES:
            return self.with_predicate(node)
        given = [self.visit(argument) for argument in node.arguments]
        signature = SIGNATURES[node.name]
        if problem := signature.problem(node.name, given):
            raise self.error(node, problem)
        if node.name == "get":
            self.check_key(node, *given)
        return signature.gives(given)

    def check_key(self, node: tree.Builtin, base: Type, key: Type) -> None:
        """What `get` looks for: an index of a list, a key of a map."""
        if key.unknown or base.unknown:
            return
        if base.kind == "array" and key.kind != "int":
            raise self.error(node.arguments[1], f"non-integer slice index {key}")
        if base.name == MAP.name and key.kind not in ("string", "nil"):
            raise self.error(node.arguments[1], f"cannot use {key} to get an element from {base}")

    def with_predicate(self, node: tree.Builtin) -> Type:
        collection = self.visit(node.arguments[0])
        if not collection.unknown and collection.kind != "array":
            raise self.error(node.arguments[0], f"builtin {node.name} takes only array (got {collection})")
        element = collection.element or UNKNOWN
        result = self.predicate_of(node, element) if len(node.arguments) > 1 else None
        for extra in node.arguments[2:]:
            self.visit(extra)
        wants_bool = node.name not in ("map", "sum", "groupBy", "sortBy", "reduce")
        if result is not None and wants_bool and not result.unknown and result.kind != "bool":
            raise self.error(node.arguments[1], f"predicate should return boolean (got {result})")
        return _result_of(node.name, collection, element, result)

    def predicate_of(self, node: tree.Builtin, element: Type) -> Type:
        pointers = {"": element}
        if node.name in ("map", "reduce"):
            pointers["index"] = INT
        if node.name == "reduce":
            pointers["acc"] = UNKNOWN
        self.scopes.append(pointers)
        try:
            return self.visit(node.arguments[1])
        finally:
            self.scopes.pop()

    def predicate(self, node: tree.Predicate) -> Type:
        return self.visit(node.body)

    def pointer(self, node: tree.Pointer) -> Type:
        if not self.scopes:
            raise self.error(node, "cannot use pointer accessor outside predicate")
        known = self.scopes[-1].get(node.name)
        if known is None:
            raise self.error(node, f"unknown pointer #{node.name}")
        return known

    def let(self, node: tree.Let) -> Type:
        if node.name in self.shapes:
            raise self.error(node, f"cannot redeclare {node.name}")
        if node.name in BUILTIN_NAMES:
            raise self.error(node, f"cannot redeclare builtin {node.name}")
        if node.name in self.variables:
            raise self.error(node, f"cannot redeclare variable {node.name}")
        self.variables[node.name] = self.visit(node.value)
        try:
            return self.visit(node.body)
        finally:
            del self.variables[node.name]

    def sequence(self, node: tree.Sequence) -> Type:
        return [self.visit(each) for each in node.nodes][-1]

    def conditional(self, node: tree.Conditional) -> Type:
        condition = self.visit(node.condition)
        if not condition.unknown and condition.kind != "bool":
            raise self.error(node.condition, f"non-bool expression (type {condition}) used as condition")
        then, otherwise = self.visit(node.then), self.visit(node.otherwise)
        if "nil" in (then.kind, otherwise.kind):
            return otherwise if then.kind == "nil" else then
        if not assignable(then, otherwise):
            return UNKNOWN
        return ARRAY if then.kind == "array" and then.element != otherwise.element else then

    def array(self, node: tree.Array) -> Type:
        elements = [self.visit(each) for each in node.nodes]
        same = len({(e.kind, e.name) for e in elements}) == 1
        return array_of(elements[0]) if same else ARRAY

    def map(self, node: tree.Map) -> Type:
        for key, value in node.pairs:
            self.visit(key)
            self.visit(value)
        return MAP

    def constant(self, node: tree.Constant) -> Type:
        return type_of(node.value)


def _result_of(name: str, collection: Type, element: Type, predicate: Type | None) -> Type:
    match name:
        case "all" | "any" | "none" | "one":
            return BOOL
        case "count" | "findIndex" | "findLastIndex":
            return INT
        case "filter":
            return ARRAY if collection.unknown else array_of(element)
        case "map":
            return array_of(predicate or UNKNOWN)
        case "groupBy":
            return Type("map", "map[interface {}][]interface {}", array_of(element))
        case "sortBy":
            return collection
        case "sum" if predicate is None:
            return element
        case "sum" | "reduce":
            return predicate or UNKNOWN
    return element


def _coalesced(left: Type, right: Type) -> Type:
    if left.kind == "nil":
        return right
    if right.kind == "nil" or assignable(right, left):
        return left
    return UNKNOWN


_Rule = Callable[[Type, Type], Type | None]


def _boolean(*pairs: str) -> _Rule:
    """An operator that gives a bool for two of the same kind out of `pairs`."""

    def rule(left: Type, right: Type) -> Type | None:
        same = left.kind == right.kind and left.kind in pairs
        numbers = left.number and right.number and "int" in pairs
        return BOOL if same or numbers or maybe(left, right, *pairs) else None

    return rule


def _arithmetic(known: Mapping[tuple[str, str], Type], *kinds: str) -> _Rule:
    def rule(left: Type, right: Type) -> Type | None:
        if left.number and right.number:
            return FLOAT if "float" in (left.kind, right.kind) else INT
        result = known.get((left.kind, right.kind))
        return result or (UNKNOWN if maybe(left, right, "int", "float", *kinds) else None)

    return rule


def _numeric(result: Type, *kinds: str) -> _Rule:
    return lambda left, right: (
        result if (left.kind in kinds and right.kind in kinds) or maybe(left, right, *kinds) else None
    )


_ORDERED: Final = _boolean("int", "float", "string", "time", "duration")
_TEXTS: Final = _boolean("string")
_LOGICAL: Final = _boolean("bool")
_EQUAL: Final[_Rule] = lambda left, right: BOOL if comparable(left, right) else None  # noqa: E731

_OPERATORS: Final[dict[str, _Rule]] = {
    "==": _EQUAL,
    "!=": _EQUAL,
    **dict.fromkeys(("and", "&&", "or", "||"), _LOGICAL),
    **dict.fromkeys(("<", ">", "<=", ">="), _ORDERED),
    **dict.fromkeys(("contains", "startsWith", "endsWith", "matches"), _TEXTS),
    "+": _arithmetic(
        {
            ("string", "string"): STRING,
            ("time", "duration"): TIME,
            ("duration", "time"): TIME,
            ("duration", "duration"): DURATION,
        },
        "string", "time", "duration",
    ),
    "-": _arithmetic(
        {("time", "time"): DURATION, ("time", "duration"): TIME, ("duration", "duration"): DURATION},
        "time", "duration",
    ),
    "*": _arithmetic(
        dict.fromkeys(
            (
                ("int", "duration"), ("float", "duration"), ("duration", "int"), ("duration", "float"),
                ("duration", "duration"),
            ),
            DURATION,
        ),
        "duration",
    ),
    "/": _numeric(FLOAT, "int", "float"),
    "**": _numeric(FLOAT, "int", "float"),
    "^": _numeric(FLOAT, "int", "float"),
    "%": _numeric(INT, "int"),
    "..": _numeric(array_of(INT), "int"),
}  # fmt: skip

_VISITORS: Final[dict[type[tree.Node], Callable[..., Type]]] = {
    tree.Constant: _Checker.constant,
    tree.Identifier: _Checker.identifier,
    tree.Unary: _Checker.unary,
    tree.Binary: _Checker.binary,
    tree.Chain: _Checker.chain,
    tree.Member: _Checker.member,
    tree.Slice: _Checker.slice,
    tree.Call: _Checker.call,
    tree.Builtin: _Checker.builtin,
    tree.Predicate: _Checker.predicate,
    tree.Pointer: _Checker.pointer,
    tree.Let: _Checker.let,
    tree.Sequence: _Checker.sequence,
    tree.Conditional: _Checker.conditional,
    tree.Array: _Checker.array,
    tree.Map: _Checker.map,
}
