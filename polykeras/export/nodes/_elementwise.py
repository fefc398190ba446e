"""Primitives that take tensors entry by entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from polykeras import dtypes
from polykeras.errors import OperationNotSupported
from polykeras.export._recording import Call
from polykeras.export.nodes._rules import RULES, number, rule, same
from polykeras.ops.random_normal import SINGLE

if TYPE_CHECKING:
    from polykeras.export._onnx import Graph

__all__: list[str] = []

for _name, _kind in {
    "abs": "Abs",
    "add": "Add",
    "arccos": "Acos",
    "arccosh": "Acosh",
    "arcsin": "Asin",
    "arcsinh": "Asinh",
    "arctan": "Atan",
    "arctanh": "Atanh",
    "cos": "Cos",
    "cosh": "Cosh",
    "divide": "Div",
    "equal": "Equal",
    "erf": "Erf",
    "exp": "Exp",
    "floor": "Floor",
    "less": "Less",
    "log": "Log",
    "logical_and": "And",
    "logical_not": "Not",
    "logical_or": "Or",
    "matmul": "MatMul",
    "maximum": "Max",
    "minimum": "Min",
    "multiply": "Mul",
    "negative": "Neg",
    "power": "Pow",
    "sin": "Sin",
    "sinh": "Sinh",
    "sqrt": "Sqrt",
    "stop_gradient": "Identity",
    "subtract": "Sub",
    "tan": "Tan",
    "tanh": "Tanh",
}.items():
    RULES[_name] = same(_kind)

# What runtimes choose between; other integers go through a wider one.
_CHOSEN: Final = (*dtypes.FLOATS, "int32", "int64", "uint8")


@rule("where")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    chosen, x, y = (g.name(a) for a in call.args)
    dtype = call.outputs[0].dtype
    if dtype == "bool":
        first = g.node("And", chosen, x)
        return g.node("Or", first, g.node("And", g.node("Not", chosen), y))
    if dtype in _CHOSEN:
        return g.node("Where", chosen, x, y)
    wide = g.node("Where", chosen, g.cast(x, "int64"), g.cast(y, "int64"))
    return g.cast(wide, dtype)


@rule("log1p")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    # Goldberg, 1991, "What every computer scientist should know about floating-point
    # arithmetic", theorem 4: what 1 + x loses, the quotient gives back.
    x, dtype = g.name(call.args[0]), call.args[0].dtype
    one = number(g, 1, dtype)
    u = g.node("Add", x, one)
    log = g.node("Log", u)
    kept = g.node("Sub", u, one)
    exact = g.node("Mul", log, g.node("Div", x, kept))
    nothing = g.node("Equal", kept, number(g, 0, dtype))
    small = g.node("Where", nothing, x, exact)
    return g.node("Where", g.node("Less", x, one), small, log)


@rule("expm1")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    # Higham, 2002, "Accuracy and Stability of Numerical Algorithms", algorithm 1.14.1.
    x, dtype = g.name(call.args[0]), call.args[0].dtype
    one = number(g, 1, dtype)
    u = g.node("Exp", x)
    kept = g.node("Sub", u, one)
    exact = g.node("Mul", kept, g.node("Div", x, g.node("Log", u)))
    small = g.node("Where", g.node("Equal", u, one), x, exact)
    is_small = g.node("Less", g.node("Abs", x), one)
    return g.node("Where", is_small, small, kept)


@rule("arctan2")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    y, x = (g.name(a) for a in call.args)
    dtype = call.outputs[0].dtype
    zero = number(g, 0, dtype)
    half_turn = number(g, 3.141592653589793, dtype)
    # The quotient knows the angle but for half a turn; 1/y tells -0 from 0.
    angle = g.node("Atan", g.node("Div", y, x))
    below = g.node(
        "Or",
        g.node("Less", y, zero),
        g.node("Less", g.node("Div", number(g, 1, dtype), y), zero),
    )
    turn = g.node("Where", below, g.node("Neg", half_turn), half_turn)
    left = g.node("Where", g.node("Less", x, zero), g.node("Add", angle, turn), angle)
    nothing = g.node("And", g.node("Equal", x, zero), g.node("Equal", y, zero))
    return g.node("Where", nothing, y, left)


@rule("erfinv")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, dtype = g.name(call.args[0]), call.args[0].dtype
    if dtype == "float64":
        raise OperationNotSupported("ONNX has no inverse error function of float64.")
    one = number(g, 1, dtype)
    product = g.node("Mul", g.node("Sub", one, x), g.node("Add", one, x))
    w = g.node("Neg", g.node("Log", product))

    def polynomial(at: str, shift: float, coefficients: tuple[float, ...]) -> str:
        at = g.node("Sub", at, number(g, shift, dtype))
        value = number(g, coefficients[0], dtype)
        for c in coefficients[1:]:
            value = g.node("Add", g.node("Mul", value, at), number(g, c, dtype))
        return value

    (bound, shift, central), (_, tail_shift, tail) = SINGLE
    near = polynomial(w, shift, central)
    far = polynomial(g.node("Sqrt", w), tail_shift, tail)
    factor = g.node("Where", g.node("Less", w, number(g, bound, dtype)), near, far)
    at_end = g.node("Equal", g.node("Abs", x), one)
    factor = g.node("Where", at_end, number(g, float("inf"), dtype), factor)
    return g.node("Mul", factor, x)


def _modulo(g: Graph, x: Any, y: Any) -> Any:
    a, b = g.name(x), g.name(y)
    if dtypes.is_integer(x.dtype):
        return g.node("Mod", a, b)
    return g.node("Sub", a, g.node("Mul", g.node("Floor", g.node("Div", a, b)), b))


@rule("mod")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    return _modulo(g, *call.args)


@rule("floor_divide")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, y = call.args
    if dtypes.is_integer(x.dtype):
        return g.node("Div", g.node("Sub", g.name(x), _modulo(g, x, y)), g.name(y))
    return g.node("Floor", g.node("Div", g.name(x), g.name(y)))


@rule("round")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, decimals = call.args
    if not decimals:
        return g.node("Round", g.name(x))
    scale = number(g, 10.0 ** abs(decimals), x.dtype)
    there, back = ("Mul", "Div") if decimals > 0 else ("Div", "Mul")
    return g.node(back, g.node("Round", g.node(there, g.name(x), scale)), scale)


@rule("cast")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, dtype = call.args
    return g.cast(g.name(x), dtype)
