"""Primitives that read and write at places, fixed or computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from polykeras.errors import OperationNotSupported
from polykeras.export._batch_sizes import BatchSize
from polykeras.export._recording import Call
from polykeras.export.nodes._rules import number, rule

if TYPE_CHECKING:
    from polykeras.export._onnx import Graph

__all__: list[str] = []

_LAST: Final = np.iinfo(np.int64).max


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


def _places(g: Graph, indices: Any) -> str:
    """Return indices in a dtype that ONNX has for them."""
    name = g.name(indices)
    return name if indices.dtype in ("int32", "int64") else g.cast(name, "int64")


@rule("take")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, indices, axis = call.args
    return g.node("Gather", g.name(x), _places(g, indices), axis=axis)


@rule("take_along_axis")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, indices, axis = call.args
    return g.node("GatherElements", g.name(x), _places(g, indices), axis=axis)


# -- computed places -------------------------------------------------------------


def _start(g: Graph, start: Any, size: Any, block: Any) -> str:
    """Return where a block starts on an axis, moved so that it fits: ``(1,)``."""
    if isinstance(size, BatchSize) or isinstance(block, BatchSize):
        if isinstance(start, int) and start == 0:
            return g.integers([0])
        raise OperationNotSupported("A block that starts within the batch.")
    if isinstance(start, int):
        return g.integers([start])
    name = g.node("Reshape", g.cast(g.name(start), "int64"), g.integers([1]))
    zero = g.integers([0])
    # As in a key, negative starts count from the end.
    from_end = g.node("Add", name, g.integers([size]))
    name = g.node("Where", g.node("Less", name, zero), from_end, name)
    return str(g.node("Min", g.node("Max", name, zero), g.integers([size - block])))


@rule("slice")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, starts, sizes = call.args
    name = g.name(x)
    for axis, (start, block) in enumerate(zip(starts, sizes, strict=True)):
        size = g.size_of(x, axis)
        if isinstance(start, int) and start == 0 and size == block:
            continue
        begin = _start(g, start, size, block)
        end = g.node("Add", begin, g.integers([block]))
        name = g.node("Slice", name, begin, end, g.integers([axis]))
    return g.node("Identity", name)


@rule("slice_update")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, starts, block = call.args
    if 0 in block.shape:
        return g.node("Identity", g.name(x))
    name, inside = g.name(block), None
    rank = len(x.shape)
    for axis, start in enumerate(starts):
        size, length = g.size_of(x, axis), g.size_of(block, axis)
        if isinstance(start, int) and start == 0 and size == length:
            continue
        begin = _start(g, start, size, length)
        # Every place of the axis reads the block at its own distance from the start.
        at = g.node("Sub", g.constant(np.arange(size)), begin)
        last = g.integers([length - 1])
        nearest = g.node("Min", g.node("Max", at, g.integers([0])), last)
        name = g.node("Gather", name, nearest, axis=axis)
        there = g.node("Equal", at, nearest)
        shape = [1] * rank
        shape[axis] = -1
        there = g.node("Reshape", there, g.integers(shape))
        inside = there if inside is None else g.node("And", inside, there)
    if inside is None:
        return g.node("Identity", name)
    return g.node("Where", inside, name, g.name(x))


@rule("scatter_update")
def _(g: Graph, call: Call, shapes: list[Any]) -> Any:
    x, indices, updates, how = call.args
    if 0 in indices.shape:
        return g.node("Identity", g.name(x))
    places = g.cast(g.name(indices), "int64")
    # Of runtimes, not all count negative places from the end.
    sizes = [g.size_of(x, axis) for axis in range(indices.shape[-1])]
    from_end = g.node("Add", places, g.shape(sizes))
    below = g.node("Less", places, number(g, 0, "int64"))
    places = g.node("Where", below, from_end, places)
    reduction = {None: "none"}.get(how, how)
    return g.node("ScatterND", g.name(x), places, g.name(updates), reduction=reduction)
