"""Rejection sampling with whole tensors: all elements are tried until all are in.

The loop is an op, so it compiles to one loop with one body, stops as soon as every
element is accepted, and gives the same numbers compiled or not.
"""

from __future__ import annotations

from collections.abc import Callable

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.ops.random_bits import random_fold_in, random_signed

__all__ = ["open_uniform", "reject"]


def open_uniform(key: Tensor, shape: tuple[int, ...], dtype: str) -> Tensor:
    """Return uniform floats in (0, 1], whose logarithm is finite."""
    signed = random_signed(key, shape, dtype)
    return ops.add(ops.multiply(signed, 0.5), 0.5)


def reject(
    propose: Callable[[Tensor], tuple[Tensor, Tensor]],
    key: Tensor,
    fallback: Tensor,
    done: Tensor,
    rounds: int,
) -> Tensor:
    """Return for each element the first value that was accepted.

    Args:
        propose: Makes of a key a value for each element and whether to accept it.
        key: A key; round ``i`` uses ``random_fold_in(key, i)``.
        fallback: What elements get that no round accepts.
        done: Which elements keep the fallback from the start.
        rounds: How many rounds there are at most.
    """

    def unfinished(i: Tensor, value: Tensor, done: Tensor) -> Tensor:
        return ops.logical_not(ops.all(done))

    def step(i: Tensor, value: Tensor, done: Tensor) -> tuple[Tensor, ...]:
        proposed, accept = propose(random_fold_in(key, i))
        new = ops.logical_and(accept, ops.logical_not(done))
        value = ops.where(new, proposed, value)
        return ops.add(i, 1), value, ops.logical_or(done, accept)

    start = (ops.zeros((), "int32"), fallback, done)
    result = ops.while_loop(unfinished, step, start, maximum_iterations=rounds)
    return result[1]
