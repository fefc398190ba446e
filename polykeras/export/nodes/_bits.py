"""Primitives of truth values and bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polykeras import dtypes
from polykeras.export._recording import Call
from polykeras.export.nodes._rules import RULES, Rule, number, rule

if TYPE_CHECKING:
    from polykeras.export._onnx import Graph

__all__: list[str] = []


def _logical(of_truths: str, of_integers: str) -> Rule:
    def apply(g: Graph, call: Call, shapes: list[Any]) -> Any:
        kind = of_truths if call.outputs[0].dtype == "bool" else of_integers
        return g.node(kind, *(g.name(x) for x in call.args))

    return apply


RULES["bitwise_and"] = _logical("And", "BitwiseAnd")
RULES["bitwise_not"] = _logical("Not", "BitwiseNot")
RULES["bitwise_or"] = _logical("Or", "BitwiseOr")
RULES["bitwise_xor"] = _logical("Xor", "BitwiseXor")


def _shifted(g: Graph, x: str, places: str, dtype: str, direction: str) -> str:
    """Shift bits as those of an unsigned number, which is all that ONNX shifts."""
    unsigned = "uint64" if dtype in ("int64", "uint64") else "uint32"
    moved = g.node(
        "BitShift", g.cast(x, unsigned), g.cast(places, unsigned), direction=direction
    )
    return g.cast(moved, dtype)


def _fitting(g: Graph, places: str, dtype: str) -> tuple[str, str]:
    """Return which places are within the width, and places that all are."""
    width = 8 * dtypes.as_numpy_dtype(dtype).itemsize
    wide = g.cast(places, "int64")
    fits = g.node(
        "And",
        g.node("GreaterOrEqual", wide, number(g, 0, "int64")),
        g.node("Less", wide, number(g, width, "int64")),
    )
    return fits, g.node("Where", fits, wide, number(g, 0, "int64"))


@rule("left_shift")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, y = call.args
    fits, places = _fitting(g, g.name(y), x.dtype)
    moved = _shifted(g, g.name(x), places, x.dtype, "LEFT")
    return g.node("Mul", moved, g.cast(fits, x.dtype))


@rule("right_shift")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, y = call.args
    fits, places = _fitting(g, g.name(y), x.dtype)
    # Negative numbers shift in ones: their complements shift in zeros.
    value = g.cast(g.name(x), "int64") if x.dtype != "uint64" else g.name(x)
    wide = "uint64" if x.dtype == "uint64" else "int64"
    if dtypes.as_numpy_dtype(x.dtype).kind == "u":
        moved = _shifted(g, value, places, wide, "RIGHT")
        return g.node("Mul", g.cast(moved, x.dtype), g.cast(fits, x.dtype))
    sign = g.cast(g.node("Less", value, number(g, 0, wide)), wide)
    mask = g.node("Neg", sign)  # all ones for negative numbers
    positive = g.node("BitwiseXor", value, mask)
    moved = _shifted(g, positive, places, wide, "RIGHT")
    moved = g.node("Mul", moved, g.cast(fits, wide))
    return g.cast(g.node("BitwiseXor", moved, mask), x.dtype)
