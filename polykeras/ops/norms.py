"""Norms of vectors and matrices, and division by them."""

from __future__ import annotations

from typing import Any

from polykeras import config, dtypes
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError
from polykeras.ops._declare import op
from polykeras.ops._shapes import canonical_axis
from polykeras.ops.arithmetic import divide, multiply
from polykeras.ops.comparison import equal, maximum, not_equal, where
from polykeras.ops.conversion import cast, convert_to_tensor
from polykeras.ops.conversion import dtype as dtype_of
from polykeras.ops.exponential import power, sqrt
from polykeras.ops.factorizations import svd
from polykeras.ops.reductions import max as max_
from polykeras.ops.reductions import min as min_
from polykeras.ops.reductions import sum as sum_
from polykeras.ops.rounding import abs as abs_
from polykeras.ops.shaping import expand_dims, moveaxis, reshape

__all__ = ["norm", "normalize"]

_INF = float("inf")
_MATRIX_ORDERS = ("fro", "nuc", _INF, -_INF, 1, -1, 2, -2)


def _norm_axes(
    shape: tuple[int, ...], order: Any, axis: Any
) -> tuple[Any, tuple[int, ...]]:
    """Return the order made explicit and the axes, in the order given.

    Raises:
        ArgumentError: If they do not fit.
    """
    rank = len(shape)
    if axis is None:
        axes = tuple(range(rank))
        if order is None:
            return 2 if rank != 2 else "fro", axes
    else:
        given = axis if isinstance(axis, list | tuple) else (axis,)
        axes = tuple(canonical_axis("norm", a, rank) for a in given)
    if len(axes) not in {1, 2} or len(set(axes)) < len(axes):
        raise ArgumentError(
            "polykeras.ops.norm expected one axis (vectors) or two (matrices), got "
            f"axis={axis} for a tensor of shape {shape}."
        )
    if order is None:
        order = 2 if len(axes) == 1 else "fro"
    if len(axes) == 2 and order not in _MATRIX_ORDERS:
        raise ArgumentError(
            f"polykeras.ops.norm got ord={order!r} for matrices. Use one of "
            f"{', '.join(map(str, _MATRIX_ORDERS))}."
        )
    if len(axes) == 1 and isinstance(order, str):
        raise ArgumentError(
            f"polykeras.ops.norm got ord={order!r} for vectors, which needs a number."
        )
    return order, axes


@op(inexact="x")
def norm(
    x: Tensor, ord: Any = None, axis: Any = None, keepdims: bool = False
) -> Tensor:
    """Return a norm of vectors or matrices.

    The derivative is finite everywhere: it is 0 where a norm of order 2 is 0.

    Args:
        x: A tensor of any shape.
        ord: For vectors any number p: the p-th root of the sum of p-th powers, the
            largest and smallest absolute value for infinity and minus infinity,
            and the count of nonzero values for 0. For matrices ``"fro"``,
            ``"nuc"`` (sum of singular values), 2 and -2 (largest and smallest
            one), 1 and -1 (largest and smallest column sum), infinity and minus
            infinity (row sums). None means 2, or ``"fro"`` for matrices.
        axis: The axis of vectors, or the two axes of matrices. None means the whole
            tensor, flattened if `ord` is None.
        keepdims: Whether the reduced axes stay, with size 1.

    Returns:
        A real tensor.

    Raises:
        ArgumentError: If `ord` and `axis` do not fit each other or the tensor.

    >>> import polykeras as keras
    >>> print(float(keras.ops.norm([3.0, 4.0])))
    5.0
    """
    x = convert_to_tensor(x)
    name = dtypes.to_inexact(dtype_of(x), config.floatx())
    x = cast(x, name)
    order, axes = _norm_axes(tuple(x.shape), ord, axis)
    if order in ("fro", 2) and not (order == 2 and len(axes) == 2):
        return _root_of_squares(x, axes, keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, order, axes, keepdims)
    return _vector_norm(x, order, axes, keepdims)


@norm.prepare
def _(x: Tensor, ord: Any, axis: Any, keepdims: bool) -> tuple[Any, ...]:
    order, axes = _norm_axes(tuple(x.shape), ord, axis)
    if ord is None and axis is None:  # of the whole tensor, whatever its rank
        return x, None, None, bool(keepdims)
    return x, order, axes, bool(keepdims)


def _root_of_squares(x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    size = abs_(x) if dtypes.is_complex(dtype_of(x)) else x
    total = sum_(multiply(size, size), axis=axes, keepdims=keepdims)
    # The root's derivative at 0 is infinite, so 0 must not reach it.
    zero = equal(total, 0)
    return where(zero, 0.0, sqrt(where(zero, 1.0, total)))


def _vector_norm(
    x: Tensor, order: float, axes: tuple[int, ...], keepdims: bool
) -> Tensor:
    size = abs_(x)
    if order == _INF:
        return max_(size, axis=axes, keepdims=keepdims)
    if order == -_INF:
        return min_(size, axis=axes, keepdims=keepdims)
    if order == 0:
        counted = cast(not_equal(x, 0), dtype_of(size))
        return sum_(counted, axis=axes, keepdims=keepdims)
    if order == 1:
        return sum_(size, axis=axes, keepdims=keepdims)
    total = sum_(power(size, order), axis=axes, keepdims=keepdims)
    if order < 0:
        return power(total, 1 / order)
    zero = equal(total, 0)
    return where(zero, 0.0, power(where(zero, 1.0, total), 1 / order))


def _matrix_norm(
    x: Tensor, order: Any, axes: tuple[int, ...], keepdims: bool
) -> Tensor:
    row, column = axes
    reduce_ = min_ if order in (-1, -2, -_INF) else max_
    if order in (1, -1, _INF, -_INF):
        inner, outer = (row, column) if order in (1, -1) else (column, row)
        sums = sum_(abs_(x), axis=inner, keepdims=True)
        result = reduce_(sums, axis=outer, keepdims=True)
    else:
        s = svd(moveaxis(x, axes, (-2, -1)), compute_uv=False)
        found = sum_(s, axis=-1) if order == "nuc" else reduce_(s, axis=-1)
        for a in sorted(axes):
            found = expand_dims(found, a)
        result = found
    if keepdims:
        return result
    return reshape(result, tuple(n for i, n in enumerate(x.shape) if i not in axes))


@op(inexact="x")
def normalize(
    x: Tensor, axis: int | None = -1, order: int = 2, epsilon: float | None = None
) -> Tensor:
    """Return the tensor divided by its norms along an axis.

    Args:
        x: A tensor of any shape.
        axis: The axis of the vectors; None means the whole tensor.
        order: Order of the norm, a positive integer.
        epsilon: What norms are raised to where they are smaller; None means
            `polykeras.config.epsilon()`.

    Returns:
        A tensor of the shape of `x`; a scalar becomes a vector of one value.

    Raises:
        ArgumentError: If `order` is no positive integer.

    >>> import polykeras as keras
    >>> y = keras.ops.normalize([[3.0, 4.0], [0.0, 0.0]])
    >>> [[round(v, 4) for v in row] for row in keras.ops.convert_to_numpy(y).tolist()]
    [[0.6, 0.8], [0.0, 0.0]]
    """
    if type(order) is not int or order < 1:
        raise ArgumentError(
            f"polykeras.ops.normalize expected a positive integer order, got {order!r}."
        )
    x = convert_to_tensor(x)
    if not x.shape:
        x = reshape(x, (1,))
    least = config.epsilon() if epsilon is None else epsilon
    flat = axis is None
    length = norm(reshape(x, (-1,)) if flat else x, order, -1 if flat else axis, True)
    return divide(x, maximum(length, least))
