"""Pooling over 1 to 3 spatial axes, as users call it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from polykeras import config, ops
from polykeras.backend import Array, Tensor
from polykeras.ops._declare import op
from polykeras.ops._window_geometry import check_rank, per_axis, resolve_padding
from polykeras.ops.convolution import channels_to_first, channels_to_last
from polykeras.ops.windows import checked, pool_max, pool_mean

__all__ = [
    "adaptive_average_pool",
    "adaptive_max_pool",
    "average_pool",
    "max_pool",
]


def _pooled(
    name: str,
    primitive: Any,
    inputs: Tensor,
    pool_size: Any,
    strides: Any,
    padding: str,
    data_format: str | None,
) -> Tensor:
    inputs = ops.convert_to_tensor(inputs)
    rank = check_rank(name, inputs.shape)
    window = per_axis(name, "pool_size", pool_size, rank)
    steps = window if strides is None else per_axis(name, "strides", strides, rank)
    first = config.standardize_data_format(data_format) == "channels_first"
    x = channels_to_last(inputs) if first else inputs
    pad = resolve_padding(name, padding, x.shape[1:-1], window, steps, (1,) * rank)
    out = checked(primitive, x, window, steps, pad)
    return channels_to_first(out) if first else out


@op(common="inputs")
def max_pool(
    inputs: Tensor,
    pool_size: int | tuple[int, ...],
    strides: int | tuple[int, ...] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Return the largest value in each window.

    Padding counts as minus infinity. The gradient goes to the first of equal
    maxima, in row-major order.

    Args:
        inputs: ``(B, *sizes, C)`` with 1 to 3 spatial axes, or ``(B, C, *sizes)``
            for ``data_format="channels_first"``.
        pool_size: Size of the window, one int or one per spatial axis.
        strides: Step of the window; None means `pool_size`.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.

    Returns:
        ``(B, *windows, C)`` in the same data format.

    Raises:
        ShapeError: If the rank is wrong or a window exceeds the input.
        ArgumentError: If an argument is not an allowed value.

    >>> import polykeras as keras
    >>> x = keras.ops.reshape(keras.ops.arange(4.0), (1, 4, 1))
    >>> keras.ops.convert_to_numpy(keras.ops.max_pool(x, 2))[0, :, 0].tolist()
    [1.0, 3.0]
    """
    return _pooled(
        "max_pool", pool_max, inputs, pool_size, strides, padding, data_format
    )


@op(inexact="inputs")
def average_pool(
    inputs: Tensor,
    pool_size: int | tuple[int, ...],
    strides: int | tuple[int, ...] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Return the mean of each window over the cells that exist.

    Args:
        inputs: ``(B, *sizes, C)`` with 1 to 3 spatial axes, or ``(B, C, *sizes)``
            for ``data_format="channels_first"``.
        pool_size: Size of the window, one int or one per spatial axis.
        strides: Step of the window; None means `pool_size`.
        padding: ``"valid"`` or ``"same"``, whose padding does not count.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.

    Returns:
        ``(B, *windows, C)`` in the same data format.

    Raises:
        ShapeError: If the rank is wrong or a window exceeds the input.
        ArgumentError: If an argument is not an allowed value.

    >>> import polykeras as keras
    >>> x = keras.ops.ones((1, 3, 1))
    >>> y = keras.ops.average_pool(x, 2, padding="same")
    >>> keras.ops.convert_to_numpy(y)[0, :, 0].tolist()
    [1.0, 1.0]
    """
    return _pooled(
        "average_pool", pool_mean, inputs, pool_size, strides, padding, data_format
    )


def _bounds(size: int, parts: int) -> list[tuple[int, int]]:
    """Return where the cells of each of `parts` nearly equal windows begin and end."""
    return [(i * size // parts, -(-(i + 1) * size // parts)) for i in range(parts)]


def _averaging(size: int, parts: int) -> Array:
    matrix = np.zeros((parts, size))
    for i, (start, stop) in enumerate(_bounds(size, parts)):
        matrix[i, start:stop] = 1.0 / (stop - start)
    return matrix


def _output_sizes(name: str, output_size: Any, sizes: Sequence[int]) -> tuple[int, ...]:
    given = output_size if isinstance(output_size, Sequence) else [output_size]
    given = list(given) * (len(sizes) if len(given) == 1 else 1)
    filled = [n if m is None else m for m, n in zip(given, sizes, strict=False)]
    return per_axis(name, "output_size", tuple(filled), len(sizes))


@op(inexact="inputs")
def adaptive_average_pool(
    inputs: Tensor,
    output_size: int | tuple[int | None, ...],
    data_format: str | None = None,
) -> Tensor:
    """Average over as many windows as the result needs.

    Window ``i`` of ``m`` over ``n`` cells reaches from ``floor(i * n / m)`` to
    ``ceil((i + 1) * n / m)``.

    Args:
        inputs: ``(B, *sizes, C)``, or ``(B, C, *sizes)`` for ``"channels_first"``.
        output_size: Size of the result, one int or one per spatial axis; None keeps
            the size.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.

    Returns:
        ``(B, *output_size, C)`` in the same data format.

    >>> import polykeras as keras
    >>> x = keras.ops.reshape(keras.ops.arange(4.0), (1, 4, 1))
    >>> y = keras.ops.adaptive_average_pool(x, 2)
    >>> keras.ops.convert_to_numpy(y)[0, :, 0].tolist()
    [0.5, 2.5]
    """
    x = ops.convert_to_tensor(inputs)
    rank = check_rank("adaptive_average_pool", x.shape)
    start = 2 if config.standardize_data_format(data_format) == "channels_first" else 1
    sizes = tuple(x.shape[start : start + rank])
    wanted = _output_sizes("adaptive_average_pool", output_size, sizes)
    dtype = ops.dtype(x)
    for i, (n, m) in enumerate(zip(sizes, wanted, strict=True)):
        if n == m:
            continue
        matrix = ops.cast(_averaging(n, m), dtype)
        moved = ops.moveaxis(x, start + i, -1)
        x = ops.moveaxis(ops.matmul(moved, ops.transpose(matrix)), -1, start + i)
    return x


@op(common="inputs")
def adaptive_max_pool(
    inputs: Tensor,
    output_size: int | tuple[int | None, ...],
    data_format: str | None = None,
) -> Tensor:
    """Take the maximum over as many windows as the result needs.

    Args:
        inputs: ``(B, *sizes, C)``, or ``(B, C, *sizes)`` for ``"channels_first"``.
        output_size: Size of the result, one int or one per spatial axis; None keeps
            the size.
        data_format: ``"channels_last"``, ``"channels_first"`` or None for the
            process-wide default.

    Returns:
        ``(B, *output_size, C)`` in the same data format.

    >>> import polykeras as keras
    >>> x = keras.ops.reshape(keras.ops.arange(4.0), (1, 4, 1))
    >>> y = keras.ops.adaptive_max_pool(x, 2)
    >>> keras.ops.convert_to_numpy(y)[0, :, 0].tolist()
    [1.0, 3.0]
    """
    x = ops.convert_to_tensor(inputs)
    rank = check_rank("adaptive_max_pool", x.shape)
    start = 2 if config.standardize_data_format(data_format) == "channels_first" else 1
    sizes = tuple(x.shape[start : start + rank])
    wanted = _output_sizes("adaptive_max_pool", output_size, sizes)
    for i, (n, m) in enumerate(zip(sizes, wanted, strict=True)):
        if n == m:
            continue
        bounds = _bounds(n, m)
        parts = [
            ops.max(_between(x, start + i, low, high), axis=start + i, keepdims=True)
            for low, high in bounds
        ]
        x = ops.concatenate(parts, axis=start + i)
    return x


def _between(x: Tensor, axis: int, low: int, high: int) -> Tensor:
    return ops.get_item(x, (*(slice(None),) * axis, slice(low, high)))
