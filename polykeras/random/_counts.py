"""The binomial distribution, by inversion or rejection.

Where fewer than `SWITCH` successes (or failures) are expected the distribution
function is summed until it passes a uniform number; elsewhere a transformed
rejection is used, whose rounds fail with probability below 0.25. Both work on
whole tensors in loops that compile. Draws are constants to derivatives.

Reference: Hörmann, 1993, "The Generation of Binomial Random Variates", algorithms
BINV and BTRS.
"""

from __future__ import annotations

from typing import Any, Final

from polykeras import ops
from polykeras.backend import Tensor, active
from polykeras.ops._shapes import as_shape
from polykeras.ops.random_bits import random_split
from polykeras.random._distributions import float_dtype, working_dtype
from polykeras.random._rejection import open_uniform, reject
from polykeras.random._seed import draw_seed

__all__ = ["ROUNDS", "STEPS", "SWITCH", "binomial"]

SWITCH: Final = 10.0
STEPS: Final = 48
"""More successes than this are less likely than 10**-16 if 10 are expected."""
ROUNDS: Final = 24


def binomial(
    shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Draw the number of successes in independent trials.

    Args:
        shape: Sizes of the result.
        counts: How many trials; a number or a tensor that broadcasts.
        probabilities: The chance of success in each, likewise.
        dtype: A floating-point dtype; None means floatx.
        seed: An integer, a `SeedGenerator`, a key, or None.

    Returns:
        A tensor of shape `shape` with whole numbers from 0 to `counts`.

    Raises:
        DTypeError: If `dtype` is not floating-point.

    Reference: Hörmann, 1993, "The Generation of Binomial Random Variates".

    >>> import polykeras as keras
    >>> bool(keras.ops.all(keras.random.binomial((9,), 5, 0.5, seed=1) <= 5))
    True
    """
    dtype = float_dtype(dtype, "binomial")
    wide = working_dtype(dtype)
    shape = as_shape(shape)
    n, p = (
        ops.broadcast_to(ops.stop_gradient(ops.cast(x, wide)), shape)
        for x in (counts, probabilities)
    )
    # Count what is rarer, successes or failures.
    mirrored = ops.greater(p, 0.5)
    p = ops.where(mirrored, ops.subtract(1.0, p), p)
    keys = random_split(draw_seed(seed), 2)
    few = ops.less(ops.multiply(n, p), SWITCH)
    with active().dtype_scope(wide):
        rejected = _by_rejection(keys[1], n, p, few)
    value = ops.where(few, _by_inversion(keys[0], n, p, few), rejected)
    value = ops.where(mirrored, ops.subtract(n, value), value)
    return ops.cast(value, dtype)


def _by_inversion(key: Tensor, n: Tensor, p: Tensor, where: Tensor) -> Tensor:
    """Return draws for the elements `where` few successes are expected."""
    dtype = ops.dtype(n)
    # Elsewhere nothing is above the sum, and the loop does not wait for it.
    u = ops.where(where, open_uniform(key, tuple(n.shape), dtype), 0.0)
    odds = ops.divide(p, ops.subtract(1.0, p))
    mass = ops.exp(ops.multiply(n, ops.log1p(ops.negative(p))))

    def above(k: Tensor, value: Tensor, mass: Tensor, total: Tensor) -> Tensor:
        return ops.any(ops.greater(u, total))

    def step(
        k: Tensor, value: Tensor, mass: Tensor, total: Tensor
    ) -> tuple[Tensor, ...]:
        value = ops.add(value, ops.cast(ops.greater(u, total), dtype))
        ratio = ops.divide(ops.subtract(n, k), ops.add(k, 1.0))
        mass = ops.maximum(ops.multiply(mass, ops.multiply(ratio, odds)), 0.0)
        return ops.add(k, 1.0), value, mass, ops.add(total, mass)

    start = (ops.zeros((), dtype), ops.zeros_like(n), mass, mass)
    result = ops.while_loop(above, step, start, maximum_iterations=STEPS)
    return ops.minimum(result[1], n)


def _stirling(k: Tensor) -> Tensor:
    """Return what Stirling's formula for log(k!) leaves out."""
    inverse = ops.divide(1.0, ops.add(k, 1.0))
    square = ops.multiply(inverse, inverse)
    series = ops.subtract(1.0 / 360.0, ops.multiply(square, 1.0 / 1260.0))
    series = ops.subtract(1.0 / 12.0, ops.multiply(square, series))
    return ops.multiply(series, inverse)


def _by_rejection(key: Tensor, n: Tensor, p: Tensor, few: Tensor) -> Tensor:
    """Return draws for the elements where not `few` successes are expected."""
    dtype, shape = ops.dtype(n), tuple(n.shape)
    # Harmless parameters where the other method's result is used.
    n, p = ops.where(few, 100.0, n), ops.where(few, 0.5, p)
    # The letters are those of algorithm BTRS.
    q = 1.0 - p
    sigma = ops.sqrt(n * p * q)
    b = 1.15 + 2.53 * sigma
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = n * p + 0.5
    v_r = 0.92 - 4.2 / b
    alpha = (2.83 + 5.1 / b) * sigma
    r = p / q
    m = ops.floor((n + 1.0) * p)
    mode = (m + 0.5) * ops.log((m + 1.0) / (r * (n - m + 1.0)))
    mode = mode + _stirling(m) + _stirling(n - m)

    def propose(key: Tensor) -> tuple[Tensor, Tensor]:
        keys = random_split(key, 2)
        u = open_uniform(keys[0], shape, dtype) - 0.5
        v = open_uniform(keys[1], shape, dtype)
        us = ops.maximum(0.5 - ops.abs(u), 2.0**-25)
        k = ops.floor((2.0 * a / us + b) * u + c)
        inside = ops.logical_and(ops.greater_equal(k, 0.0), ops.less_equal(k, n))
        at = ops.where(inside, k, m)
        bound = (
            mode
            + (n + 1.0) * ops.log((n - m + 1.0) / (n - at + 1.0))
            + (at + 0.5) * ops.log(r * (n - at + 1.0) / (at + 1.0))
            - _stirling(at)
            - _stirling(n - at)
        )
        surely = ops.logical_and(ops.greater_equal(us, 0.07), ops.less_equal(v, v_r))
        likely = ops.less_equal(ops.log(v * alpha / (a / (us * us) + b)), bound)
        return k, ops.logical_and(inside, ops.logical_or(surely, likely))

    return reject(propose, key, m, few, ROUNDS)
