"""Convolution and pooling in JAX."""

from __future__ import annotations

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


def pool_max_spread(
    g: Any, inputs: Any, window: Ints, strides: Ints, padding: Padding
) -> Any:
    """Pull the values back through the pooling."""

    def forward(x: Any) -> Any:
        return pool_max(x, window, strides, padding)

    return jax.vjp(forward, inputs)[1](g)[0]


def pool_max_pick(
    values: Any, inputs: Any, window: Ints, strides: Ints, padding: Padding
) -> Any:
    """Take each window's value from where `inputs` has its first maximum.

    The library's forward derivative of pooling takes another one among equals.
    """
    x = lax.pad(
        inputs,
        inputs.dtype.type(_lowest(inputs.dtype)),
        ((0, 0, 0), *((low, high, 0) for low, high in padding), (0, 0, 0)),
    )
    v = lax.pad(
        values,
        values.dtype.type(0),
        ((0, 0, 0), *((low, high, 0) for low, high in padding), (0, 0, 0)),
    )
    places = [
        (
            slice(None),
            *(
                slice(i, n - k + i + 1, s)
                for i, n, k, s in zip(cell, x.shape[1:-1], window, strides, strict=True)
            ),
        )
        for cell in itertools.product(*map(range, window))
    ]
    first = jnp.argmax(jnp.stack([x[p] for p in places]), axis=0, keepdims=True)
    cells = jnp.stack([v[p] for p in places])
    return jnp.take_along_axis(cells, first, axis=0)[0]


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
