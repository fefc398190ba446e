"""Convolution and pooling in JAX."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from polykeras.backend.array_api.windows import mean_weights

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

Ints = Sequence[int]
Padding = Sequence[tuple[int, int]]

# JAX leaves its constructor without annotations.
_spec: Final[Any] = jax.ShapeDtypeStruct
_LAYOUTS: Final = {
    1: ("NHC", "HIO", "NHC"),
    2: ("NHWC", "HWIO", "NHWC"),
    3: ("NHWDC", "HWDIO", "NHWDC"),
}


# -- convolution -------------------------------------------------------------------


def conv_general(
    inputs: Any, kernel: Any, strides: Ints, padding: Padding, dilation: Ints
) -> Any:
    """Call the compiler's convolution, channels last."""
    return lax.conv_general_dilated(
        inputs,
        kernel,
        tuple(strides),
        tuple(padding),
        rhs_dilation=tuple(dilation),
        dimension_numbers=_LAYOUTS[len(strides)],
        feature_group_count=inputs.shape[-1] // kernel.shape[-2],
    )


def conv_general_transpose(
    outputs: Any,
    kernel: Any,
    groups: int,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> Any:
    """Convolve the spread-out outputs with the kernel turned round."""
    rank = len(strides)
    *window, per_group, filters = kernel.shape
    spans = [(k - 1) * d for k, d in zip(window, dilation, strict=True)]
    turned = jnp.flip(kernel, tuple(range(rank)))
    turned = turned.reshape(*window, per_group, groups, filters // groups)
    turned = jnp.moveaxis(turned, -1, rank)
    turned = jnp.swapaxes(turned, -1, -2)
    turned = turned.reshape(*window, filters // groups, groups * per_group)
    return lax.conv_general_dilated(
        outputs,
        turned,
        (1,) * rank,
        tuple(
            (n - low, n - high) for n, (low, high) in zip(spans, padding, strict=True)
        ),
        lhs_dilation=tuple(strides),
        rhs_dilation=tuple(dilation),
        dimension_numbers=_LAYOUTS[rank],
        feature_group_count=groups,
    )


def conv_general_kernel(
    inputs: Any,
    outputs: Any,
    window: Ints,
    groups: int,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> Any:
    """Transpose the convolution, which is linear in its kernel."""
    shape = (*window, inputs.shape[-1] // groups, outputs.shape[-1])

    def forward(kernel: Any) -> Any:
        return conv_general(inputs, kernel, strides, padding, dilation)

    like = _spec(shape, inputs.dtype)
    return jax.linear_transpose(forward, like)(outputs)[0]


# -- pooling -----------------------------------------------------------------------


def _lowest(dtype: Any) -> Any:
    if jnp.issubdtype(dtype, jnp.floating):
        return -math.inf
    return np.iinfo(dtype).min if jnp.issubdtype(dtype, jnp.integer) else False


def pool_max(inputs: Any, window: Ints, strides: Ints, padding: Padding) -> Any:
    """Reduce windows by the maximum."""
    if not _is_slow_to_scatter(window):
        return _pool_max(inputs, window, strides, padding)
    # The rule's options have to be hashable.
    pairs = tuple((low, high) for low, high in padding)
    return _small_pool_max(inputs, tuple(window), tuple(strides), pairs)


def _pool_max(inputs: Any, window: Ints, strides: Ints, padding: Padding) -> Any:
    # A Python or NumPy scalar as initial value lets JAX pick its differentiable rule.
    initial = inputs.dtype.type(_lowest(inputs.dtype))
    return lax.reduce_window(
        inputs,
        initial,
        lax.max,
        (1, *window, 1),
        (1, *strides, 1),
        ((0, 0), *padding, (0, 0)),
    )


# XLA's derivative, `select_and_scatter`, is a scalar loop on CPUs: pooling of (128, 28,
# 28, 32) by 2 by 2 and back took 55 ms, and takes 3 by masks. Their time grows with the
# window's cells, so beyond this many the loop is as fast.
_MOST_CELLS: Final = 32


def _is_slow_to_scatter(window: Ints) -> bool:
    return jax.default_backend() == "cpu" and math.prod(window) <= _MOST_CELLS


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2, 3))
def _small_pool_max(inputs: Any, window: Ints, strides: Ints, padding: Padding) -> Any:
    return _pool_max(inputs, window, strides, padding)


@_small_pool_max.defjvp
def _(
    window: Ints, strides: Ints, padding: Padding, primals: Any, tangents: Any
) -> tuple[Any, Any]:
    (inputs,), (values,) = primals, tangents
    out = _small_pool_max(inputs, window, strides, padding)
    return out, pool_max_pick(values, inputs, window, strides, padding)


def pool_max_spread(
    g: Any, inputs: Any, window: Ints, strides: Ints, padding: Padding
) -> Any:
    """Pull the values back through the pooling."""
    if _is_slow_to_scatter(window):

        def pick(values: Any) -> Any:
            return pool_max_pick(values, inputs, window, strides, padding)

        return jax.linear_transpose(pick, _spec(inputs.shape, g.dtype))(g)[0]

    def forward(x: Any) -> Any:
        return _pool_max(x, window, strides, padding)

    return jax.vjp(forward, inputs)[1](g)[0]


def pool_max_pick(
    values: Any, inputs: Any, window: Ints, strides: Ints, padding: Padding
) -> Any:
    """Take each window's value from where `inputs` has its first maximum.

    The library's forward derivative of pooling takes another one among equals.
    """
    fill = inputs.dtype.type(_lowest(inputs.dtype))
    first = _first_maxima(_cells(inputs, window, strides, padding, fill))
    zero = values.dtype.type(0)
    if tuple(window) != tuple(strides):
        cells = _cells(values, window, strides, padding, zero)
        picked = (jnp.where(first == i, x, zero) for i, x in enumerate(cells))
        return functools.reduce(jnp.add, picked)
    # Where windows tile the inputs, all cells are compared at once.
    v = _covered(values, window, strides, padding, zero)
    batch, *sizes, channels = v.shape
    pairs = zip(sizes, window, strict=True)
    v = v.reshape(batch, *(n for size, k in pairs for n in (size // k, k)), channels)
    axes = tuple(range(2, v.ndim, 2))
    numbers = np.arange(math.prod(window), dtype=np.int32)
    numbers = numbers.reshape(*(n for k in window for n in (1, k)), 1)
    return jnp.where(jnp.expand_dims(first, axes) == numbers, v, zero).sum(
        axes, dtype=v.dtype
    )


def _first_maxima(cells: Sequence[Any]) -> Any:
    """Return the number of the first cell with the largest value; NaN is largest."""
    largest, first = cells[0], jnp.zeros(cells[0].shape, jnp.int32)
    for i, x in enumerate(cells[1:], 1):
        more = (x > largest) | ((x != x) & (largest == largest))  # noqa: PLR0124
        first = jnp.where(more, jnp.int32(i), first)
        largest = jnp.where(more, x, largest)
    return first


def _covered(x: Any, window: Ints, strides: Ints, padding: Padding, fill: Any) -> Any:
    """Return `x` with its padding and without what no window reaches."""
    ends = []
    for n, k, s, (low, high) in zip(
        x.shape[1:-1], window, strides, padding, strict=True
    ):
        size = (n + low + high - k) // s * s + k
        ends.append((low, size - n - low, 0))
    return lax.pad(x, fill, ((0, 0, 0), *ends, (0, 0, 0)))


def _cells(
    x: Any, window: Ints, strides: Ints, padding: Padding, fill: Any
) -> list[Any]:
    """Return for each cell of the window its values in all windows."""
    x = _covered(x, window, strides, padding, fill)
    return [
        x[
            (
                slice(None),
                *(
                    slice(i, n - k + i + 1, s)
                    for i, n, k, s in zip(
                        cell, x.shape[1:-1], window, strides, strict=True
                    )
                ),
            )
        ]
        for cell in itertools.product(*map(range, window))
    ]


def pool_mean(inputs: Any, window: Ints, strides: Ints, padding: Padding) -> Any:
    """Sum windows and divide by the number of cells that exist."""
    total = lax.reduce_window(
        inputs,
        inputs.dtype.type(0),
        lax.add,
        (1, *window, 1),
        (1, *strides, 1),
        ((0, 0), *padding, (0, 0)),
    )
    weights = mean_weights(inputs.shape[1:-1], window, strides, padding)
    return total * jnp.asarray(weights, inputs.dtype)


def pool_mean_spread(
    g: Any, sizes: Ints, window: Ints, strides: Ints, padding: Padding
) -> Any:
    """Transpose the pooling, which is linear."""

    def forward(x: Any) -> Any:
        return pool_mean(x, window, strides, padding)

    like = _spec((g.shape[0], *sizes, g.shape[-1]), g.dtype)
    return jax.linear_transpose(forward, like)(g)[0]


KERNELS: Final[dict[str, Kernel]] = {
    "conv_general": conv_general,
    "conv_general_transpose": conv_general_transpose,
    "conv_general_kernel": conv_general_kernel,
    "pool_max": pool_max,
    "pool_max_spread": pool_max_spread,
    "pool_max_pick": pool_max_pick,
    "pool_mean": pool_mean,
    "pool_mean_spread": pool_mean_spread,
}
