"""The nodes that stand for each primitive in ONNX (operator set 18)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras import dtypes
from polykeras.errors import OperationNotSupported
from polykeras.export._recording import BatchSize, Call

if TYPE_CHECKING:
    from polykeras.export._onnx import Graph

__all__ = ["RULES"]

Rule = Callable[["Graph", Call, list[Any]], Any]
_LAST: Final = np.iinfo(np.int64).max

RULES: dict[str, Rule] = {}


def rule(name: str) -> Callable[[Rule], Rule]:
    """Register the nodes of a primitive."""

    def add(fn: Rule) -> Rule:
        RULES[name] = fn
        return fn

    return add


def _same(kind: str) -> Rule:
    """Return the rule of a primitive that is one node of its tensors."""

    def apply(g: Graph, call: Call, shapes: list[Any]) -> Any:
        return g.node(kind, *(g.name(x) for x in call.args))

    return apply


for _name, _kind in {
    "abs": "Abs",
    "add": "Add",
    "arccos": "Acos",
    "arccosh": "Acosh",
    "arcsin": "Asin",
    "arcsinh": "Asinh",
    "arctan": "Atan",
    "arctanh": "Atanh",
    "bitwise_and": "BitwiseAnd",
    "bitwise_not": "BitwiseNot",
    "bitwise_or": "BitwiseOr",
    "bitwise_xor": "BitwiseXor",
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
    "where": "Where",
}.items():
    RULES[_name] = _same(_kind)


def _one(g: Graph, dtype: str) -> str:
    return g.constant(np.ones((), dtypes.as_numpy_dtype(dtype)))


@rule("log1p")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x = call.args[0]
    return g.node("Log", g.node("Add", g.name(x), _one(g, x.dtype)))


@rule("expm1")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x = call.args[0]
    return g.node("Sub", g.node("Exp", g.name(x)), _one(g, x.dtype))


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
    if decimals:
        raise OperationNotSupported("ONNX rounds to whole numbers only.")
    return g.node("Round", g.name(x))


@rule("cast")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, dtype = call.args
    return g.node("Cast", g.name(x), to=g.dtype(dtype))


# -- shapes ----------------------------------------------------------------------


@rule("reshape")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    free = [i for i, n in enumerate(shapes[0]) if isinstance(n, BatchSize)]
    if len(free) == 1 and 0 not in shapes[0]:
        sizes = [-1 if i in free else n for i, n in enumerate(shapes[0])]
        return g.node("Reshape", g.name(call.args[0]), g.integers(sizes))
    return g.node("Reshape", g.name(call.args[0]), g.shape(shapes[0]))


@rule("transpose")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    return g.node("Transpose", g.name(call.args[0]), perm=list(call.args[1]))


@rule("broadcast_to")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    return g.node("Expand", g.name(call.args[0]), g.shape(shapes[0]))


@rule("full")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    value = call.args[1]
    dtype = call.outputs[0].dtype
    if hasattr(value, "shape"):
        start = g.node("Cast", g.name(value), to=g.dtype(dtype))
    else:
        start = g.constant(np.array(value, dtypes.as_numpy_dtype(dtype)))
    return g.node("Expand", start, g.shape(shapes[0]))


@rule("arange")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    start, stop, step = call.args[:3]
    if any(
        isinstance(n, BatchSize) or hasattr(n, "shape") for n in (start, stop, step)
    ):
        raise OperationNotSupported("A range whose ends are tensors is not exported.")
    dtype = dtypes.as_numpy_dtype(call.outputs[0].dtype)
    return g.constant(np.arange(start, stop, step).astype(dtype))


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
    return g.node(
        "Slice",
        g.name(x),
        g.integers([-1] * count),
        g.integers([-_LAST] * count),
        g.integers(axes),
        g.integers([-1] * count),
    )


@rule("basic_index")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, key = call.args
    starts, stops, axes, steps, dropped, added = [], [], [], [], [], []
    axis = place = 0
    for entry in key:
        if entry is None:
            added.append(place)
            place += 1
            continue
        if isinstance(entry, slice):
            whole = entry.start in (0, None) and entry.step in (1, None)
            stop = entry.stop
            if not (whole and isinstance(stop, BatchSize | None)):
                starts.append(entry.start or 0)
                stops.append(_LAST if isinstance(stop, BatchSize | None) else stop)
                steps.append(entry.step or 1)
                axes.append(axis)
            place += 1
        else:
            starts.append(entry)
            stops.append(entry + 1)
            steps.append(1)
            axes.append(axis)
            dropped.append(axis)
        axis += 1
    name = g.name(x)
    if axes:
        lists = (g.integers(v) for v in (starts, stops, axes, steps))
        name = g.node("Slice", name, *lists)
    if dropped:
        name = g.node("Squeeze", name, g.integers(dropped))
    if added:
        name = g.node("Unsqueeze", name, g.integers(added))
    return name


@rule("take")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, indices, axis = call.args
    return g.node("Gather", g.name(x), g.name(indices), axis=axis)


@rule("take_along_axis")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, indices, axis = call.args
    return g.node("GatherElements", g.name(x), g.name(indices), axis=axis)


# -- reductions ------------------------------------------------------------------


def _reduction(kind: str) -> Rule:
    def apply(g: Graph, call: Call, shapes: list[Any]) -> Any:
        x, axis, keepdims = call.args[:3]
        axes = range(len(x.shape)) if axis is None else axis
        axes = [axes] if isinstance(axes, int) else list(axes)
        if not axes:
            return g.node("Identity", g.name(x))
        name = g.node(kind, g.name(x), g.integers(axes), keepdims=int(keepdims))
        if kind in ("ReduceMax", "ReduceMin") and call.args[3] is not None:
            first = np.array(call.args[3], dtypes.as_numpy_dtype(x.dtype))
            name = g.node(kind.removeprefix("Reduce"), name, g.constant(first))
        if x.dtype != call.outputs[0].dtype:
            name = g.node("Cast", name, to=g.dtype(call.outputs[0].dtype))
        return name

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
        if axis is None:
            raise OperationNotSupported(f"{kind} over all axes.")
        name = g.node(kind, g.name(x), axis=axis, keepdims=int(keepdims))
        return g.node("Cast", name, to=g.dtype(call.outputs[0].dtype))

    return apply


RULES["argmax"] = _extreme("ArgMax")
RULES["argmin"] = _extreme("ArgMin")


@rule("cumsum")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, axis = call.args[:2]
    return g.node("CumSum", g.name(x), g.constant(np.array(axis, np.int64)))


@rule("searchsorted")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    ordered, values, side = call.args
    if len(ordered.shape) != 1:
        raise OperationNotSupported("A search in several sequences.")
    # The place is the number of entries below the value, or not above it.
    value = g.node("Unsqueeze", g.name(values), g.integers([-1]))
    kind = "Less" if side == "left" else "LessOrEqual"
    below = g.node("Cast", g.node(kind, g.name(ordered), value), to=g.dtype("int32"))
    found = g.node("ReduceSum", below, g.integers([-1]), keepdims=0)
    return g.node("Cast", found, to=g.dtype(call.outputs[0].dtype))


@rule("top_k")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, k = call.args[:2]
    values, indices = g.node("TopK", g.name(x), g.integers([k]), outputs=2)
    return [values, g.node("Cast", indices, to=g.dtype(call.outputs[1].dtype))]


@rule("sort")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, axis = call.args
    size = g.integers([x.shape[axis]])
    return g.node("TopK", g.name(x), size, outputs=2, axis=axis, largest=0)[0]


# -- windows ---------------------------------------------------------------------


def _channels_first(g: Graph, name: str, rank: int) -> Any:
    return g.node("Transpose", name, perm=[0, rank - 1, *range(1, rank - 1)])


def _channels_last(g: Graph, name: str, rank: int) -> Any:
    return g.node("Transpose", name, perm=[0, *range(2, rank), 1])


def _ends(padding: Any) -> list[int]:
    ends = [p[0] for p in padding] + [p[1] for p in padding]
    if min(ends, default=0) < 0:
        raise OperationNotSupported("A window with negative padding.")
    return ends


@rule("conv_general")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, kernel, strides, padding, dilation = call.args
    rank = len(x.shape)
    # (*window, in, out) to (out, in, *window).
    perm = [rank - 1, rank - 2, *range(rank - 2)]
    made = g.node(
        "Conv",
        _channels_first(g, g.name(x), rank),
        g.node("Transpose", g.name(kernel), perm=perm),
        strides=list(strides),
        pads=_ends(padding),
        dilations=list(dilation),
        group=x.shape[-1] // kernel.shape[-2],
    )
    return _channels_last(g, made, rank)


@rule("conv_general_transpose")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, kernel, groups, strides, padding, dilation = call.args
    rank = len(x.shape)
    perm = [rank - 1, rank - 2, *range(rank - 2)]
    added = [max(0, -p) for pair in padding for p in pair]
    crop = [max(0, p[0]) for p in padding] + [max(0, p[1]) for p in padding]
    made = g.node(
        "ConvTranspose",
        _channels_first(g, g.name(x), rank),
        g.node("Transpose", g.name(kernel), perm=perm),
        strides=list(strides),
        pads=crop,
        dilations=list(dilation),
        group=groups,
    )
    if any(added):
        ends = [0, 0, *added[::2], 0, 0, *added[1::2]]
        zero = g.constant(np.zeros((), dtypes.as_numpy_dtype(x.dtype)))
        made = g.node("Pad", made, g.integers(ends), zero)
    return _channels_last(g, made, rank)


def _pooling(kind: str, **attributes: Any) -> Rule:
    def apply(g: Graph, call: Call, shapes: list[Any]) -> Any:
        x, window, strides, padding = call.args
        rank = len(x.shape)
        made = g.node(
            kind,
            _channels_first(g, g.name(x), rank),
            kernel_shape=list(window),
            strides=list(strides),
            pads=_ends(padding),
            **attributes,
        )
        return _channels_last(g, made, rank)

    return apply


RULES["pool_max"] = _pooling("MaxPool")
RULES["pool_mean"] = _pooling("AveragePool", count_include_pad=0)
