"""Whether a model, its losses and metrics treat each sample of a batch by itself.

If so, a batch that is too small can be filled up, and the surplus left out of the
outputs or masked, where another batch size would mean another compilation.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from polykeras import ops, tree
from polykeras.layers.layer import Layer
from polykeras.losses import Loss, LossFunctionWrapper, circle
from polykeras.losses.alignment import trailing_ones
from polykeras.masking import get_mask, set_mask
from polykeras.metrics import MeanMetricWrapper, Metric, R2Score

if TYPE_CHECKING:
    from polykeras.backend import Tensor

__all__ = ["first_of", "loss_apart", "masked", "metric_apart", "samples_apart"]


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


def loss_apart(loss: Any) -> bool:
    """Return whether a sample that is masked leaves a loss as it was without.

    Args:
        loss: A `Loss`. Only those of the library are known.
    """
    if not (isinstance(loss, LossFunctionWrapper) and _is_ours(type(loss))):
        return False
    # A loss that leaves samples out itself would count those that fill a batch up.
    leaves_out = type(loss).counted is not Loss.counted
    if leaves_out and getattr(loss, "ignore_class", 0) is not None:
        return False
    return _one_a_sample(loss.fn, loss._fn_kwargs)


def metric_apart(metric: Metric) -> bool:
    """Return whether a sample that is masked leaves a metric as it was without.

    Args:
        metric: A metric. Only those of the library are known.
    """
    # R2Score counts targets whatever their weights, as in Keras.
    if isinstance(metric, R2Score) or not _is_ours(type(metric)):
        return False
    if isinstance(metric, MeanMetricWrapper):
        return _one_a_sample(metric._fn, metric._fn_kwargs)
    return True


def masked(output: Tensor, counts: Tensor) -> Tensor:
    """Return an output of a batch that was filled up, with a mask.

    Args:
        output: Shape (B, ...).
        counts: Which samples count, bool of shape (B,).

    Returns:
        The output, with ones for the other samples: of them every loss is finite, so
        that a weight of 0 takes it away, where a copy of a sample may overflow.
    """
    rank = len(output.shape)
    kept = ops.where(trailing_ones(counts, rank), output, ops.ones_like(output))
    mask = get_mask(output)
    if mask is not None:
        counts = ops.logical_and(mask, trailing_ones(counts, len(mask.shape)))
    set_mask(kept, counts)
    return kept


def first_of(samples: Any, at: Any, size: int) -> Tensor:
    """Return which samples of a batch are among the first of all data.

    Args:
        samples: How many count, an integer tensor.
        at: The number of the batch.
        size: Samples in a batch.
    """
    start = ops.multiply(at, size)
    return ops.less(ops.add(ops.arange(size, dtype="int32"), start), samples)


def _is_ours(owner: Any) -> bool:
    return str(owner.__module__).startswith("polykeras.")


def _one_a_sample(fn: Callable[..., Any], options: Mapping[str, Any]) -> bool:
    """Return whether a function of a batch has a value for each sample alone."""
    if not _is_ours(fn) or fn is circle:
        return False
    known = inspect.signature(fn).parameters.get("axis")
    if known is None:
        return True
    axes = tree.flatten(options.get("axis", known.default))
    return all(axis is not None and _is_inner(axis) for axis in axes)


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
