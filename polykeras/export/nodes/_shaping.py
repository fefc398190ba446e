"""Primitives that make, join and reshape tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras import dtypes
from polykeras.export._batch_sizes import BatchSize
from polykeras.export._recording import Call
from polykeras.export.nodes._rules import rule

if TYPE_CHECKING:
    from polykeras.export._onnx import Graph

__all__: list[str] = []

_LAST: Final = np.iinfo(np.int64).max


@rule("reshape")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    free = [i for i, n in enumerate(shapes[0]) if isinstance(n, BatchSize)]
    if len(free) == 1 and 0 not in shapes[0]:
        sizes = [-1 if i in free else n for i, n in enumerate(shapes[0])]
        return g.node("Reshape", g.name(call.args[0]), g.integers(sizes))
    shape = g.shape(shapes[0])
    return g.node("Reshape", g.name(call.args[0]), shape, allowzero=int(0 in shapes[0]))


@rule("transpose")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, axes = call.args[:2]
    if not axes:
        return g.node("Identity", g.name(x))
    return g.node("Transpose", g.name(x), perm=list(axes))


@rule("broadcast_to")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    if 0 in shapes[0] and not any(isinstance(n, BatchSize) for n in shapes[0]):
        # Runtimes take a size of 1 to be wanted rather than one of 0.
        dtype = dtypes.as_numpy_dtype(call.outputs[0].dtype)
        return g.constant(np.zeros(shapes[0], dtype))
    return g.node("Expand", g.name(call.args[0]), g.shape(shapes[0]))


@rule("full")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    value = call.args[1]
    dtype = call.outputs[0].dtype
    if hasattr(value, "shape"):
        start = g.cast(g.name(value), dtype)
    else:
        start = g.constant(np.array(value, dtypes.as_numpy_dtype(dtype)))
    return g.node("Expand", start, g.shape(shapes[0]))


@rule("arange")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    ends = call.args[:3]
    name = call.outputs[0].dtype
    if not any(isinstance(n, BatchSize) for n in ends):
        return g.constant(np.arange(*ends).astype(dtypes.as_numpy_dtype(name)))
    scalars = (g.node("Squeeze", g.shape([n])) for n in ends)
    return g.cast(g.node("Range", *scalars), name)


@rule("concatenate")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    return g.node("Concat", *(g.name(x) for x in call.args[0]), axis=call.args[1])


@rule("pad_constant")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, widths, value = call.args
    ends = [w[0] for w in widths] + [w[1] for w in widths]
    fill = g.constant(np.array(value, dtypes.as_numpy_dtype(x.dtype)))
    return g.node("Pad", g.name(x), g.integers(ends), fill)


@rule("flip")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, axis = call.args
    axes = [axis] if isinstance(axis, int) else list(axis)
    count = len(axes)
    if not count:
        return g.node("Identity", g.name(x))
    return g.node(
        "Slice",
        g.name(x),
        g.integers([-1] * count),
        g.integers([-_LAST] * count),
        g.integers(axes),
        g.integers([-1] * count),
    )
