"""Primitives that reduce, scan, search and sort along axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras.errors import OperationNotSupported
from polykeras.export._batch_sizes import BatchSize
from polykeras.export._recording import Call
from polykeras.export.nodes._rules import RULES, Rule, cast_back, number, rule

if TYPE_CHECKING:
    from polykeras.export._onnx import Graph

__all__: list[str] = []

# Runtimes have no reductions of these; they are integers meanwhile.
_NARROW: Final = {
    "bool": "int32",
    "int8": "int32",
    "int16": "int32",
    "uint8": "int32",
    "uint16": "int32",
    "uint32": "int64",
}


def _numbers(g: Graph, x: Any) -> tuple[str, str]:
    """Return a tensor in a dtype that is reduced and sorted, and that dtype."""
    dtype = _NARROW.get(x.dtype, x.dtype)
    return (g.name(x) if dtype == x.dtype else g.cast(g.name(x), dtype)), dtype


def _reduction(kind: str) -> Rule:
    def apply(g: Graph, call: Call, shapes: list[Any]) -> Any:
        x, axis, keepdims = call.args[:3]
        axes = range(len(x.shape)) if axis is None else axis
        axes = [axes] if isinstance(axes, int) else list(axes)
        if not axes:
            return g.node("Identity", g.name(x))
        name, dtype = _numbers(g, x)
        name = g.node(kind, name, g.integers(axes), keepdims=int(keepdims))
        if kind in ("ReduceMax", "ReduceMin") and call.args[3] is not None:
            first = number(g, call.args[3], dtype)
            name = g.node(kind.removeprefix("Reduce"), name, first)
        return cast_back(g, name, dtype, call)

    return apply


for _name, _kind in {
    "sum": "ReduceSum",
    "prod": "ReduceProd",
    "max": "ReduceMax",
    "min": "ReduceMin",
}.items():
    RULES[_name] = _reduction(_kind)


def _extreme(kind: str) -> Rule:
    def apply(g: Graph, call: Call, shapes: list[Any]) -> Any:
        x, axis, keepdims = call.args
        name, _ = _numbers(g, x)
        if axis is None:
            name = g.node("Reshape", name, g.integers([-1]))
            name = g.node(kind, name, axis=0, keepdims=0)
            if keepdims:
                name = g.node("Reshape", name, g.shape(shapes[0]))
        else:
            name = g.node(kind, name, axis=axis, keepdims=int(keepdims))
        return g.cast(name, call.outputs[0].dtype)

    return apply


RULES["argmax"] = _extreme("ArgMax")
RULES["argmin"] = _extreme("ArgMin")


@rule("cumsum")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, axis = call.args[:2]
    return g.node("CumSum", g.name(x), g.constant(np.array(axis, np.int64)))


@rule("cumprod")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, axis = call.args[:2]
    size = g.size_of(x, axis)
    if isinstance(size, BatchSize):
        raise OperationNotSupported("Products along the batch.")
    dtype = call.outputs[0].dtype
    name = g.cast(g.name(x), dtype)
    one = number(g, 1, dtype)
    where = g.integers([axis])
    # Hillis and Steele, 1986, "Data parallel algorithms": after each round an entry
    # is the product of twice as many.
    step = 1
    while step < size:
        kept = g.node("Slice", name, g.integers([0]), g.integers([size - step]), where)
        moved = g.node("Pad", kept, g.integers([step, 0]), one, where)
        name = g.node("Mul", name, moved)
        step *= 2
    return g.node("Identity", name)


@rule("searchsorted")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    ordered, values, side = call.args
    # The place is the number of entries below the value, or not above it.
    value = g.node("Unsqueeze", g.name(values), g.integers([-1]))
    kind = "Less" if side == "left" else "LessOrEqual"
    below = g.cast(g.node(kind, g.name(ordered), value), "int32")
    found = g.node("ReduceSum", below, g.integers([-1]), keepdims=0)
    return g.cast(found, call.outputs[0].dtype)


@rule("top_k")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, k = call.args[:2]
    name, dtype = _numbers(g, x)
    values, indices = g.node("TopK", name, g.integers([k]), outputs=2)
    values = cast_back(g, values, dtype, call)
    return [values, g.cast(indices, call.outputs[1].dtype)]


def _ascending(g: Graph, call: Call) -> tuple[Any, str]:
    """Return the values in rising order with their indices; equal ones keep theirs."""
    x, axis = call.args
    size = g.size_of(x, axis)
    name, dtype = _numbers(g, x)
    return g.node("TopK", name, g.shape([size]), outputs=2, axis=axis, largest=0), dtype


@rule("sort")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    found, dtype = _ascending(g, call)
    return cast_back(g, found[0], dtype, call)


@rule("argsort")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    return g.cast(_ascending(g, call)[0][1], call.outputs[0].dtype)
