"""Whether a model treats each sample of a batch by itself.

If so, a batch that is too small can be filled up and the surplus of the outputs left
out, where another batch size would mean another compilation.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from polykeras import tree
from polykeras.layers.layer import Layer

__all__ = ["samples_apart"]


def samples_apart(model: Any) -> bool:
    """Return whether no output of a sample depends on the others of its batch.

    Args:
        model: A model outside of training. Only graphs of library layers are known.
    """
    graph = getattr(model, "_functional", None) or model
    nodes = getattr(getattr(graph, "_graph", None), "nodes", None)
    if nodes is None:
        return False
    tensors = [x for node in nodes for x in (*node.inputs, *node.outputs)]
    if any(len(x.shape) < 2 or x.shape[0] is not None for x in tensors):
        return False
    return all(_keeps_apart(node.operation) for node in nodes)


def _keeps_apart(operation: Any) -> bool:
    if getattr(operation, "_graph", None) or getattr(operation, "_functional", None):
        return samples_apart(operation)
    if not isinstance(operation, Layer):
        return False
    # Layers of preprocessing take a sample alone, too, so what an axis is depends.
    return all(
        type(layer).__module__.startswith("polykeras.layers.")
        and not type(layer).__module__.startswith("polykeras.layers.preprocessing")
        and not getattr(layer, "stateful", False)
        and all(_is_inner(axis) for axis in _axes(layer))
        and _maps_samples(getattr(layer, "equation", None))
        # It may hold an axis.
        and not any(isinstance(v, functools.partial) for v in vars(layer).values())
        for layer in operation._flatten_layers()
    )


def _axes(layer: Layer) -> Iterator[Any]:
    for name in ("axis", "axes"):
        yield from tree.flatten(getattr(layer, name, None))


def _is_inner(axis: Any) -> bool:
    return axis is None or axis == -1 or (isinstance(axis, int) and axis > 0)


def _maps_samples(equation: str | None) -> bool:
    """Return whether an einsum's first axis is that of its input, and only there."""
    if equation is None:
        return True
    inputs, _, output = equation.replace(" ", "").partition("->")
    first, *others = inputs.split(",")
    sample = first[:1]
    ellipsis = "." in first and not first.startswith("...")
    return (
        not ellipsis
        and output[:1] == sample
        and all(sample == "." or sample not in other for other in others)
    )
