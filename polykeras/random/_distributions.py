"""Distributions that need one draw: uniform, normal, integers, choices, masks."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from polykeras import config, dtypes, ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, DTypeError, ShapeError
from polykeras.ops._shapes import canonical_axis
from polykeras.ops.random_bits import (
    SIGNIFICANT_BITS,
    random_integers,
    random_mask,
    random_permutation,
    random_signed,
    random_uniform,
)
from polykeras.ops.random_normal import erfinv_portable, random_normal, scale_where
from polykeras.random._seed import draw_seed

__all__ = [
    "categorical",
    "dropout",
    "float_dtype",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]

_WORD = 1 << 32


def float_dtype(dtype: Any, name: str) -> str:
    """Return a floating-point dtype, floatx for None.

    Raises:
        DTypeError: If the dtype is of another kind; the message names `name`.
    """
    chosen = dtypes.standardize_dtype(dtype or config.floatx())
    if chosen not in SIGNIFICANT_BITS:
        raise DTypeError(
            f"keras.random.{name} expected a floating-point dtype, got {chosen}. "
            f"Use one of {', '.join(SIGNIFICANT_BITS)}, or randint for integers."
        )
    return chosen


def working_dtype(dtype: str) -> str:
    """Return the dtype to compute in: at least float32."""
    return "float64" if dtype == "float64" else "float32"


def uniform(
    shape: Any,
    minval: Any = 0.0,
    maxval: Any = 1.0,
    dtype: Any = None,
    seed: Any = None,
) -> Tensor:
    """Draw from the uniform distribution on [minval, maxval).

    Results are bit-identical on every backend.

    Args:
        shape: Sizes of the result.
        minval: Lower bound; a number or a tensor that broadcasts.
        maxval: Upper bound, likewise.
        dtype: A floating-point dtype; None means floatx.
        seed: An integer, a `SeedGenerator`, a key, or None.

    Returns:
        A tensor of shape `shape`.

    Raises:
        DTypeError: If `dtype` is not floating-point.

    >>> import polykeras as keras
    >>> keras.random.uniform((2, 3), seed=1).shape
    (2, 3)
    """
    dtype = float_dtype(dtype, "uniform")
    key = draw_seed(seed)
    if _is_number(minval, 0) and _is_number(maxval, 1):
        return random_uniform(key, shape, dtype)
    wide = working_dtype(dtype)
    fraction = random_uniform(key, shape, wide)
    low, high = ops.cast(minval, wide), ops.cast(maxval, wide)
    span = ops.subtract(high, low)
    # The minimum changes no value. It stands between the product and the sum so
    # that no compiler fuses the two, which would round once instead of twice.
    scaled = ops.minimum(ops.multiply(fraction, span), span)
    return ops.cast(ops.add(scaled, low), dtype)


def _is_number(value: Any, number: int) -> bool:
    return isinstance(value, int | float) and value == number


def normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = None,
    seed: Any = None,
) -> Tensor:
    """Draw from the normal distribution.

    Args:
        shape: Sizes of the result.
        mean: Mean; a number or a tensor that broadcasts.
        stddev: Standard deviation, likewise.
        dtype: A floating-point dtype; None means floatx.
        seed: An integer, a `SeedGenerator`, a key, or None.

    Returns:
        A tensor of shape `shape`.

    Raises:
        DTypeError: If `dtype` is not floating-point.

    >>> import polykeras as keras
    >>> keras.random.normal((4,), mean=10.0, seed=1).shape
    (4,)
    """
    dtype = float_dtype(dtype, "normal")
    wide = working_dtype(dtype)
    value = random_normal(draw_seed(seed), shape, wide)
    return ops.cast(_affine(value, mean, stddev, wide), dtype)


def _affine(value: Tensor, mean: Any, stddev: Any, dtype: str) -> Tensor:
    if not _is_number(stddev, 1):
        value = ops.multiply(value, ops.cast(stddev, dtype))
    if not _is_number(mean, 0):
        value = ops.add(value, ops.cast(mean, dtype))
    return value


def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = None,
    seed: Any = None,
) -> Tensor:
    """Draw from the normal distribution without its tails.

    Values further than two standard deviations from the mean do not occur.

    Args:
        shape: Sizes of the result.
        mean: Mean; a number or a tensor that broadcasts.
        stddev: Standard deviation before truncation, likewise.
        dtype: A floating-point dtype; None means floatx.
        seed: An integer, a `SeedGenerator`, a key, or None.

    Returns:
        A tensor of shape `shape`.

    Raises:
        DTypeError: If `dtype` is not floating-point.

    >>> import polykeras as keras
    >>> bool(keras.ops.all(keras.random.truncated_normal((9,), seed=1) <= 2))
    True
    """
    dtype = float_dtype(dtype, "truncated_normal")
    wide = working_dtype(dtype)
    # The inverse of the distribution function, on the interval that is kept.
    x = random_signed(draw_seed(seed), shape, wide)
    x = ops.multiply(x, math.erf(math.sqrt(2.0)))
    value = ops.multiply(erfinv_portable(x), math.sqrt(2.0))
    value = ops.maximum(ops.minimum(value, 2.0), -2.0)
    return ops.cast(_affine(value, mean, stddev, wide), dtype)


def randint(
    shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None
) -> Tensor:
    """Draw integers uniformly from minval up to, not including, maxval.

    Results are bit-identical on every backend.

    Args:
        shape: Sizes of the result.
        minval: Lower bound; an integer or an integer tensor that broadcasts.
        maxval: Upper bound, at most 2**32 - 1 above `minval`.
        dtype: An integer dtype.
        seed: An integer, a `SeedGenerator`, a key, or None.

    Returns:
        A tensor of shape `shape`.

    Raises:
        DTypeError: If `dtype` is not an integer dtype.
        ArgumentError: If there is no integer between the bounds, or too many.

    >>> import polykeras as keras
    >>> bool(keras.ops.all(keras.random.randint((9,), 3, 5, seed=1) < 5))
    True
    """
    dtype = dtypes.standardize_dtype(dtype or "int32")
    if not dtypes.is_integer(dtype):
        raise DTypeError(
            f"keras.random.randint expected an integer dtype, got {dtype}. "
            "Use uniform for floats."
        )
    span = _span(minval, maxval)
    value = ops.cast(random_integers(draw_seed(seed), shape, span), dtype)
    # Where the sum leaves the dtype it wraps, and so does the conversion above.
    return ops.add(value, ops.cast(minval, dtype))


def _span(minval: Any, maxval: Any) -> Any:
    try:
        low, high = operator.index(minval), operator.index(maxval)
    except TypeError:
        difference = ops.subtract(maxval, minval)
        return ops.cast(ops.cast(difference, "int32"), "uint32")
    if not 0 < high - low < _WORD:
        raise ArgumentError(
            f"keras.random.randint expected minval < maxval < minval + 2**32, got "
            f"minval={low} and maxval={high}."
        )
    return np.asarray(high - low, np.uint32)


def categorical(
    logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None
) -> Tensor:
    """Draw classes with probabilities proportional to exp(logits).

    Args:
        logits: Unnormalised log-probabilities, shape (batch, classes).
        num_samples: How many draws for each row.
        dtype: An integer dtype.
        seed: An integer, a `SeedGenerator`, a key, or None.

    Returns:
        Class indices, shape (batch, num_samples).

    Raises:
        ShapeError: If `logits` has not two axes.

    Reference: Gumbel, 1954, "Statistical Theory of Extreme Values": the largest of
    logits with Gumbel noise is such a draw.

    >>> import polykeras as keras
    >>> keras.random.categorical([[0.0, -1e9]], 3, seed=1).shape
    (1, 3)
    """
    logits = ops.convert_to_tensor(logits)
    if len(logits.shape) != 2:
        raise ShapeError(
            "keras.random.categorical expected logits of shape (batch, classes), got "
            f"shape {tuple(logits.shape)}. Reshape them to two axes."
        )
    given = ops.dtype(logits)
    wide = "float64" if given == "float64" else "float32"
    B, C = logits.shape
    signed = random_signed(draw_seed(seed), (B, num_samples, C), wide)
    # In (0, 1), and neither 0 nor 1, so both logarithms are finite.
    u = ops.add(ops.multiply(signed, 0.5), 0.5)
    u = ops.minimum(u, 1.0 - (2.0**-53 if wide == "float64" else 2.0**-24))
    gumbel = ops.negative(ops.log(ops.negative(ops.log(u))))
    noisy = ops.add(ops.expand_dims(ops.cast(logits, wide), 1), gumbel)
    return ops.cast(ops.argmax(noisy, axis=-1), dtypes.standardize_dtype(dtype))


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Tensor:
    """Put the slices along an axis into a random order, the same on every backend.

    Args:
        x: A tensor.
        axis: Which axis to shuffle.
        seed: An integer, a `SeedGenerator`, a key, or None.

    Returns:
        A tensor of the shape and dtype of `x`.

    >>> import polykeras as keras
    >>> sorted(int(i) for i in keras.random.shuffle([0, 1, 2], seed=1))
    [0, 1, 2]
    """
    x = ops.convert_to_tensor(x)
    axis = canonical_axis("shuffle", axis, len(x.shape))
    order = random_permutation(draw_seed(seed), x.shape[axis])
    return ops.take(x, order, axis=axis)


def dropout(
    inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None
) -> Tensor:
    """Set a random part of the inputs to 0 and scale up the rest.

    The mask is bit-identical on every backend.

    Args:
        inputs: A floating-point tensor.
        rate: The probability of 0, at least 0 and below 1.
        noise_shape: Shape of the mask, which is broadcast; a size None is that of
            the inputs.
        seed: An integer, a `SeedGenerator`, a key, or None.

    Returns:
        A tensor of the shape and dtype of `inputs`.

    Raises:
        ArgumentError: If `rate` is out of range.
        ShapeError: If `noise_shape` does not broadcast to the inputs.

    Reference: Srivastava et al., 2014, "Dropout: A Simple Way to Prevent Neural
    Networks from Overfitting".

    >>> import polykeras as keras
    >>> keras.random.dropout([[1.0, 2.0]], 0.0)
    array([[1., 2.]], dtype=float32)
    """
    if not 0 <= rate < 1:
        raise ArgumentError(
            f"keras.random.dropout expected a rate from 0 up to 1, got {rate}."
        )
    inputs = ops.convert_to_tensor(inputs)
    if not dtypes.is_float(ops.dtype(inputs)):
        raise DTypeError(
            "keras.random.dropout expected floating-point inputs, got dtype "
            f"{ops.dtype(inputs)}. Convert with ops.cast(x, 'float32')."
        )
    shape = _noise_shape(tuple(inputs.shape), noise_shape)
    if rate == 0:
        return inputs
    keep = 1.0 - rate
    mask = random_mask(draw_seed(seed), shape, keep)
    return scale_where(inputs, mask, 1.0 / keep)


def _noise_shape(shape: tuple[int, ...], noise_shape: Any) -> tuple[int, ...]:
    if noise_shape is None:
        return shape
    given = tuple(noise_shape)
    if len(given) == len(shape):
        chosen = tuple(
            m if n is None else int(n) for m, n in zip(shape, given, strict=True)
        )
        if all(n in (1, m) for m, n in zip(shape, chosen, strict=True)):
            return chosen
    raise ShapeError(
        f"keras.random.dropout got noise_shape={given} for inputs of shape {shape}. "
        "Give one size per axis: the input's, 1 or None."
    )
