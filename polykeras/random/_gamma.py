"""Gamma and beta distributions, by rejection.

An element is rejected with probability at most 0.05, so after `ROUNDS` rounds one
in 10**20 is left; it gets the mode. Draws are constants to derivatives.

Reference: Marsaglia and Tsang, 2000, "A Simple Method for Generating Gamma
Variables", algorithm 1 and, for shapes below 1, section 6.
"""

from __future__ import annotations

from typing import Any, Final

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.ops._shapes import as_shape
from polykeras.ops.random_bits import random_split
from polykeras.ops.random_normal import random_normal
from polykeras.random._distributions import float_dtype, working_dtype
from polykeras.random._rejection import open_uniform, reject
from polykeras.random._seed import draw_seed

__all__ = ["ROUNDS", "beta", "gamma"]

ROUNDS: Final = 16


def _log_gamma_draw(
    key: Tensor, shape: tuple[int, ...], alpha: Any, dtype: str
) -> Tensor:
    """Return logarithms of gamma variables, which do not underflow."""
    alpha = ops.broadcast_to(ops.stop_gradient(ops.cast(alpha, dtype)), shape)
    small = ops.less(alpha, 1.0)
    d = ops.subtract(ops.where(small, ops.add(alpha, 1.0), alpha), 1.0 / 3.0)
    c = ops.divide(1.0 / 3.0, ops.sqrt(d))

    def propose(key: Tensor) -> tuple[Tensor, Tensor]:
        keys = random_split(key, 2)
        x = random_normal(keys[0], shape, dtype)
        u = open_uniform(keys[1], shape, dtype)
        base = ops.add(1.0, ops.multiply(c, x))
        positive = ops.greater(base, 0.0)
        log_cube = ops.multiply(3.0, ops.log(ops.where(positive, base, 1.0)))
        cube = ops.multiply(base, ops.multiply(base, base))
        bound = ops.add(
            ops.multiply(0.5, ops.multiply(x, x)),
            ops.multiply(d, ops.add(ops.subtract(1.0, cube), log_cube)),
        )
        return log_cube, ops.logical_and(positive, ops.less(ops.log(u), bound))

    keys = random_split(key, 2)
    zero, nowhere = ops.zeros(shape, dtype), ops.zeros(shape, "bool")
    log_v = reject(propose, keys[0], zero, nowhere, ROUNDS)
    boost = ops.divide(ops.log(open_uniform(keys[1], shape, dtype)), alpha)
    log_value = ops.add(ops.log(d), log_v)
    return ops.where(small, ops.add(log_value, boost), log_value)


def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Draw from the gamma distribution with scale 1.

    Args:
        shape: Sizes of the result.
        alpha: The distribution's shape, positive; a number or a tensor that
            broadcasts to `shape`.
        dtype: A floating-point dtype; None means floatx.
        seed: An integer, a `SeedGenerator`, a key, or None.

    Returns:
        A tensor of shape `shape`.

    Raises:
        DTypeError: If `dtype` is not floating-point.

    Reference: Marsaglia and Tsang, 2000, "A Simple Method for Generating Gamma
    Variables".

    >>> import polykeras as keras
    >>> bool(keras.ops.all(keras.random.gamma((9,), 2.0, seed=1) > 0))
    True
    """
    dtype = float_dtype(dtype, "gamma")
    wide = working_dtype(dtype)
    log_value = _log_gamma_draw(draw_seed(seed), as_shape(shape), alpha, wide)
    return ops.cast(ops.exp(log_value), dtype)


def beta(
    shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Draw from the beta distribution.

    Args:
        shape: Sizes of the result.
        alpha: First parameter, positive; a number or a tensor that broadcasts.
        beta: Second parameter, likewise.
        dtype: A floating-point dtype; None means floatx.
        seed: An integer, a `SeedGenerator`, a key, or None.

    Returns:
        A tensor of shape `shape`, with values from 0 to 1.

    Raises:
        DTypeError: If `dtype` is not floating-point.

    Reference: Devroye, 1986, "Non-Uniform Random Variate Generation", theorem
    IX.3.1: the share of one gamma variable in the sum of two.

    >>> import polykeras as keras
    >>> bool(keras.ops.all(keras.random.beta((9,), 2.0, 3.0, seed=1) < 1))
    True
    """
    dtype = float_dtype(dtype, "beta")
    wide = working_dtype(dtype)
    keys = random_split(draw_seed(seed), 2)
    shape = as_shape(shape)
    log_x = _log_gamma_draw(keys[0], shape, alpha, wide)
    log_y = _log_gamma_draw(keys[1], shape, beta, wide)
    share = ops.divide(1.0, ops.add(1.0, ops.exp(ops.subtract(log_y, log_x))))
    return ops.cast(share, dtype)
