"""Distances and correlations between signals and sets of vectors."""

from __future__ import annotations

from polykeras import dtypes, ops
from polykeras.backend import Tensor
from polykeras.errors import ShapeError
from polykeras.ops._declare import op
from polykeras.ops._reducing import as_inexact, as_inexact_pair, one_of, widened
from polykeras.ops._shapes import broadcast_shapes
from polykeras.ops._values import dtype_of

__all__ = ["cdist", "corrcoef", "correlate", "psnr"]


@op(inexact="x")
def corrcoef(x: Tensor) -> Tensor:
    """Return the Pearson correlation of each pair of rows.

    Args:
        x: A tensor of shape ``(variables, observations)``; one axis is one variable.

    Returns:
        A floating tensor of shape ``(variables, variables)``, between -1 and 1, or
        a scalar for one variable. NaN where a variable is constant.

    Raises:
        ShapeError: If `x` has no axis or more than two.

    >>> import polykeras as keras
    >>> r = keras.ops.corrcoef([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    >>> round(float(r[0, 1]), 4)
    -1.0
    """
    x = as_inexact(x)
    if not 1 <= len(x.shape) <= 2:
        raise ShapeError(
            "polykeras.ops.corrcoef expected one or two axes (variables, "
            f"observations), got the shape {tuple(x.shape)}."
        )
    wide = widened(x)
    away = ops.subtract(wide, ops.mean(wide, axis=-1, keepdims=True))
    if len(x.shape) == 1:
        away = ops.expand_dims(away, 0)
    norms = ops.sqrt(ops.sum(ops.square(away), axis=-1, keepdims=True))
    unit = ops.divide(away, norms)
    result = ops.clip(ops.matmul(unit, ops.transpose(unit)), -1.0, 1.0)
    if len(x.shape) == 1:
        result = ops.reshape(result, ())
    return ops.cast(result, dtype_of(x))


@op(inexact="x1 x2")
def correlate(x1: Tensor, x2: Tensor, mode: str = "valid") -> Tensor:
    """Return the cross-correlation of two one-dimensional signals.

    Result ``k`` is the sum over n of ``x1[n + k] conj(x2[n])``.

    Args:
        x1: A tensor of shape ``(M,)``.
        x2: A tensor of shape ``(N,)``.
        mode: ``"valid"`` keeps the ``max(M, N) - min(M, N) + 1`` places where one
            signal covers the other, ``"same"`` the middle ``max(M, N)``, ``"full"``
            all ``M + N - 1`` where they touch.

    Returns:
        A floating tensor with one axis.

    Raises:
        ShapeError: If a signal is empty or has another number of axes.
        ArgumentError: If `mode` is unknown.

    >>> import polykeras as keras
    >>> r = keras.ops.correlate([1.0, 2.0, 3.0], [0.0, 1.0, 0.5])
    >>> keras.ops.convert_to_numpy(r).tolist()
    [3.5]
    """
    one_of("correlate", "mode", mode, ("valid", "same", "full"))
    x1, x2 = as_inexact_pair(x1, x2)
    target = dtype_of(x1)
    m, n = (x.shape[0] if len(x.shape) == 1 else 0 for x in (x1, x2))
    if m == 0 or n == 0:
        raise ShapeError(
            "polykeras.ops.correlate expected two signals with one axis and at least "
            f"one value, got the shapes {tuple(x1.shape)} and {tuple(x2.shape)}."
        )
    if dtypes.is_complex(dtype_of(x2)):
        x2 = ops.conj(x2)
    long, short = (x1, x2) if m >= n else (x2, x1)
    size = min(m, n)
    keep = {"valid": 0, "same": size // 2, "full": size - 1}[mode]
    behind = {"valid": 0, "same": size - 1 - size // 2, "full": size - 1}[mode]
    long, short = widened(long), widened(short)
    padded = ops.pad(long, ((keep, behind),))
    starts = ops.arange(padded.shape[0] - size + 1)
    index = ops.add(ops.expand_dims(starts, 1), ops.arange(size))
    result = ops.sum(ops.multiply(ops.take(padded, index, axis=0), short), axis=1)
    # Swapping the signals mirrors the result.
    result = result if m >= n else ops.flip(result, 0)
    return ops.cast(result, target)


@op(inexact="x y")
def cdist(x: Tensor, y: Tensor) -> Tensor:
    """Return the Euclidean distance of each row of `x` to each row of `y`.

    Distances come from differences, not from the expansion of the square, which
    cancels for near points. The gradient is zero where points coincide.

    Args:
        x: A tensor of shape ``(..., m, d)``.
        y: A tensor of shape ``(..., n, d)``; leading axes broadcast.

    Returns:
        A floating tensor of shape ``(..., m, n)``.

    Raises:
        ShapeError: If the last axes differ or an argument has fewer than two axes.

    >>> import polykeras as keras
    >>> keras.ops.convert_to_numpy(keras.ops.cdist([[0.0, 0.0]], [[3.0, 4.0]])).tolist()
    [[5.0]]
    """
    x, y = as_inexact_pair(x, y)
    first, second = tuple(x.shape), tuple(y.shape)
    if min(len(first), len(second)) < 2 or first[-1] != second[-1]:
        raise ShapeError(
            "polykeras.ops.cdist expected the shapes (..., m, d) and (..., n, d), got "
            f"{first} and {second}."
        )
    broadcast_shapes("cdist", first[:-2], second[:-2])
    away = ops.subtract(ops.expand_dims(x, -2), ops.expand_dims(y, -3))
    total = ops.sum(ops.square(away), axis=-1)
    zero = ops.equal(total, 0)
    # The root of zero has no derivative: keep it out of the graph.
    root = ops.sqrt(ops.where(zero, ops.ones_like(total), total))
    return ops.where(zero, ops.zeros_like(total), root)


@op(inexact="x1 x2")
def psnr(x1: Tensor, x2: Tensor, max_val: float) -> Tensor:
    """Return the peak signal-to-noise ratio in decibels.

    Args:
        x1: A signal of any shape.
        x2: A signal of the shape of `x1`.
        max_val: The largest value that a signal can have.

    Returns:
        A floating scalar; infinite for equal signals.

    Raises:
        ShapeError: If the shapes differ.

    >>> import polykeras as keras
    >>> round(float(keras.ops.psnr([0.0, 1.0], [0.1, 1.0], 1.0)), 2)
    23.01
    """
    x1, x2 = as_inexact_pair(x1, x2)
    if tuple(x1.shape) != tuple(x2.shape):
        raise ShapeError(
            "polykeras.ops.psnr expected two signals of one shape, got "
            f"{tuple(x1.shape)} and {tuple(x2.shape)}."
        )
    error = ops.mean(ops.square(ops.subtract(x1, x2)))
    peak = ops.square(ops.cast(max_val, dtype_of(error)))
    return ops.multiply(10.0, ops.log10(ops.divide(peak, error)))
