"""Identity and triangular matrices."""

from __future__ import annotations

from typing import Any

from polykeras import config, dtypes
from polykeras.backend import Tensor
from polykeras.errors import ShapeError
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op
from polykeras.ops._registry import REGISTRY
from polykeras.ops.arithmetic import add
from polykeras.ops.comparison import equal, less_equal, where
from polykeras.ops.conversion import cast, convert_to_tensor, dtype
from polykeras.ops.creation import arange
from polykeras.ops.logical import logical_not

__all__ = ["eye", "identity", "tri", "tril", "triu"]


def _grid(n: int, m: int | None, k: int) -> tuple[Tensor, Tensor]:
    """Return the row numbers plus `k` as a column, and the column numbers."""
    rows = REGISTRY["reshape"](arange(n), (n, 1))
    return add(rows, k), arange(n if m is None else m)


def _sized(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    name = dtypes.standardize_dtype(dtype or config.floatx())
    return int(N), int(N if M is None else M), int(k), name


@op(differentiable=False)
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Return a matrix with ones on a diagonal and zeros elsewhere.

    Args:
        N: The number of rows.
        M: The number of columns; None means `N`.
        k: Which diagonal: 0 the main one, positive ones above it.
        dtype: The dtype wanted; None means floatx.

    Returns:
        A tensor ``(N, M)``.

    >>> import polykeras as keras
    >>> keras.ops.eye(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    N, M, k, dtype = _sized(N, M, k, dtype)
    return cast(equal(*_grid(N, M, k)), dtype)


eye.prepare(_sized)


@op(differentiable=False)
def identity(n: int, dtype: Any = None) -> Tensor:
    """Return the square identity matrix.

    Args:
        n: The number of rows and columns.
        dtype: The dtype wanted; None means floatx.

    Returns:
        A tensor ``(n, n)``.
    """
    return eye(n, dtype=dtype)


@op(differentiable=False)
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Return a matrix with ones on and below a diagonal and zeros above it.

    Args:
        N: The number of rows.
        M: The number of columns; None means `N`.
        k: Which diagonal: 0 the main one, positive ones above it.
        dtype: The dtype wanted; None means floatx.

    Returns:
        A tensor ``(N, M)``.

    >>> import polykeras as keras
    >>> keras.ops.tri(2, dtype="int32").tolist()
    [[1, 0], [1, 1]]
    """
    N, M, k, dtype = _sized(N, M, k, dtype)
    rows, columns = _grid(N, M, k)
    return cast(less_equal(columns, rows), dtype)


tri.prepare(_sized)


@op(tensor="x")
def tril(x: Tensor, k: int = 0) -> Tensor:
    """Return matrices with zeros above a diagonal.

    Args:
        x: A tensor ``(..., N, M)``.
        k: Which diagonal: 0 the main one, positive ones above it.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        ShapeError: If `x` has fewer than two axes.
    """
    x, k = _checked("tril", convert_to_tensor(x), k)
    rows, columns = x.shape[-2:]
    return where(tri(rows, columns, k, "bool"), x, cast(0, dtype(x)))


@op(tensor="x")
def triu(x: Tensor, k: int = 0) -> Tensor:
    """Return matrices with zeros below a diagonal.

    Args:
        x: A tensor ``(..., N, M)``.
        k: Which diagonal: 0 the main one, positive ones above it.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        ShapeError: If `x` has fewer than two axes.
    """
    x, k = _checked("triu", convert_to_tensor(x), k)
    rows, columns = x.shape[-2:]
    below = tri(rows, columns, k - 1, "bool")
    return where(logical_not(below), x, cast(0, dtype(x)))


def _checked(op: str, x: Tensor, k: int) -> tuple[Tensor, int]:
    if len(x.shape) < 2:
        raise ShapeError(
            f"polykeras.ops.{op} expected matrices, a tensor with two axes or more; "
            f"got shape {tuple(x.shape)}."
        )
    return x, int(k)


@tril.prepare
def _(x: Tensor, k: int = 0) -> tuple[Any, ...]:
    return _checked("tril", x, k)


@triu.prepare
def _(x: Tensor, k: int = 0) -> tuple[Any, ...]:
    return _checked("triu", x, k)


@tril.abstract
@triu.abstract
def _(x: Spec, k: int) -> Spec:
    return x


@tril.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, k: int) -> Tensor:
    return tril(g, k)


@triu.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, k: int) -> Tensor:
    return triu(g, k)
