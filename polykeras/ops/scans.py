"""Running sums and products, differences, and integrals along an axis."""

from __future__ import annotations

from typing import Any

from polykeras import dtypes, ops
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops._reducing import as_inexact
from polykeras.ops._shapes import canonical_axis
from polykeras.ops._values import as_tensor, dtype_of

__all__ = ["cumprod", "cumsum", "diff", "trapezoid"]


@primitive(tensor="x")
def cumsum(x: Tensor, axis: int | None = None, dtype: str | None = None) -> Tensor:
    """Return the sum of each value and all before it.

    Args:
        x: A tensor of any shape.
        axis: The axis to follow; None follows the flattened tensor.
        dtype: The dtype of the result; None keeps that of `x`, and gives 32 bits
            to bool and small integers.

    Returns:
        A tensor of the shape of `x`, flat where `axis` is None.

    Raises:
        ArgumentError: If the axis does not exist.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.cumsum([1, 2, 3])).tolist()
    [1, 3, 6]
    """


@primitive(tensor="x")
def cumprod(x: Tensor, axis: int | None = None, dtype: str | None = None) -> Tensor:
    """Return the product of each value and all before it.

    Args:
        x: A tensor of any shape.
        axis: The axis to follow; None follows the flattened tensor.
        dtype: The dtype of the result; None keeps that of `x`, and gives 32 bits
            to bool and small integers.

    Returns:
        A tensor of the shape of `x`, flat where `axis` is None. Its gradient is
        exact where `x` has zeros.

    Raises:
        ArgumentError: If the axis does not exist.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.cumprod([1, 2, 3])).tolist()
    [1, 2, 6]
    """


def _prepare_scan(name: str, x: Tensor, axis: Any, dtype: Any) -> tuple[Any, ...]:
    if axis is None:
        x, axis = (x if len(x.shape) == 1 else ops.reshape(x, (-1,))), 0
    axis = canonical_axis(name, axis, len(x.shape))
    result = dtypes.standardize_dtype(dtype) if dtype else None
    return x, axis, result or dtypes.sum_dtype(dtype_of(x))


@cumsum.prepare
def _(x: Tensor, axis: Any, dtype: Any) -> tuple[Any, ...]:
    return _prepare_scan("cumsum", x, axis, dtype)


@cumprod.prepare
def _(x: Tensor, axis: Any, dtype: Any) -> tuple[Any, ...]:
    return _prepare_scan("cumprod", x, axis, dtype)


@cumsum.abstract
@cumprod.abstract
def _(x: Spec, axis: int, dtype: str) -> Spec:
    return Spec(x.shape, dtype)


@cumsum.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, axis: int, dtype: str) -> Tensor:
    grad = ops.flip(cumsum(ops.flip(g, axis), axis=axis), axis)
    return ops.cast(grad, dtype_of(x))


@cumprod.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, axis: int, dtype: str) -> Tensor:
    # d out_i / d x_k = (product before k) (product of k+1 .. i). The second factor,
    # summed over i with weights g_i, obeys r_k = g_k + x_{k+1} r_{k+1}, a linear
    # recurrence that doubling solves in log2(n) passes without any division.
    n = x.shape[axis]
    if n == 0:
        return ops.zeros_like(x)
    last = _Along(axis, len(x.shape))
    values = ops.cast(x, dtype)
    one = ops.ones_like(last.cut(values, 0, 1))
    before = ops.concatenate([one, last.cut(out, 0, n - 1)], axis=axis)
    factor = last.ahead(values, 1)
    total = g
    step = 1
    while step < n:
        total = ops.add(total, ops.multiply(factor, last.ahead(total, step)))
        factor = ops.multiply(factor, last.ahead(factor, step))
        step *= 2
    return ops.cast(ops.multiply(before, total), dtype_of(x))


class _Along:
    """Slices along one axis of tensors with `rank` axes."""

    def __init__(self, axis: int, rank: int) -> None:
        self.axis = axis
        self.rank = rank

    def cut(self, x: Tensor, start: int, stop: int) -> Tensor:
        """Return the values from `start` to before `stop`."""
        key: list[slice] = [slice(None)] * self.rank
        key[self.axis] = slice(start, stop)
        return x[tuple(key)]

    def ahead(self, x: Tensor, step: int) -> Tensor:
        """Return the values `step` places further on, zeros behind the end."""
        n = x.shape[self.axis]
        zeros = ops.zeros_like(self.cut(x, 0, min(step, n)))
        return ops.concatenate([self.cut(x, step, n), zeros], axis=self.axis)


@op(tensor="a")
def diff(a: Tensor, n: int = 1, axis: int = -1) -> Tensor:
    """Return the differences of neighbours along an axis, taken `n` times.

    Args:
        a: A tensor with at least one axis; bool gives where neighbours differ.
        n: How often; 0 returns `a`.
        axis: The axis to follow.

    Returns:
        A tensor like `a` with `n` values fewer along `axis`.

    Raises:
        ArgumentError: If `n` is negative or the axis does not exist.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.diff([1, 4, 9])).tolist()
    [3, 5]
    """
    a = as_tensor(a)
    if n < 0:
        raise ArgumentError(f"polykeras.ops.diff expected `n` >= 0, got {n}.")
    axis = canonical_axis("diff", axis, len(a.shape))
    along = _Along(axis, len(a.shape))
    subtract = ops.not_equal if dtype_of(a) == "bool" else ops.subtract
    for _ in range(n):
        size = a.shape[axis]
        shorter = max(size - 1, 0)
        a = subtract(along.cut(a, min(1, size), size), along.cut(a, 0, shorter))
    return a


@op(inexact="y x")
def trapezoid(
    y: Tensor, x: Tensor | None = None, dx: Any = 1.0, axis: int = -1
) -> Tensor:
    """Return the integral of samples by the trapezoidal rule.

    Args:
        y: Samples, with at least one axis.
        x: Where the samples were taken: one value a sample, or the shape of `y`.
            None means equal steps.
        dx: The step, where `x` is None.
        axis: The axis of the samples.

    Returns:
        A tensor of the shape of `y` without `axis`.

    Raises:
        ArgumentError: If the axis does not exist.

    >>> import polykeras as keras
    >>> float(keras.ops.trapezoid([0.0, 1.0, 4.0], dx=0.5))
    1.5
    """
    y = as_inexact(y)
    rank = len(y.shape)
    axis = canonical_axis("trapezoid", axis, rank)
    along = _Along(axis, rank)
    n = y.shape[axis]
    pairs = ops.add(along.cut(y, min(1, n), n), along.cut(y, 0, max(n - 1, 0)))
    if x is None:
        steps: Any = dx
    else:
        steps = as_tensor(x)
        if len(steps.shape) == 1:
            shape = [1] * rank
            shape[axis] = -1
            steps = ops.reshape(diff(steps), tuple(shape))
        else:
            steps = diff(steps, axis=axis)
    return ops.multiply(ops.sum(ops.multiply(pairs, steps), axis=axis), 0.5)
