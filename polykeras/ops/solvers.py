"""Linear systems, inverses and determinants.

A singular system has no solution: every value of its result is NaN on every
backend, and nothing is raised, since under compilation nothing could be.
"""

from __future__ import annotations

from typing import Any

from ml_dtypes import finfo

from polykeras import dtypes
from polykeras.backend import Tensor
from polykeras.errors import ShapeError
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import op, primitive
from polykeras.ops._rules import promoted
from polykeras.ops._shapes import broadcast_shapes
from polykeras.ops.arithmetic import add, divide, multiply, negative, subtract
from polykeras.ops.comparison import greater, not_equal, where
from polykeras.ops.conversion import cast, convert_to_tensor
from polykeras.ops.conversion import dtype as dtype_of
from polykeras.ops.creation import arange
from polykeras.ops.exponential import log
from polykeras.ops.factorizations import (
    adjoint,
    cholesky,
    lu_factor,
    require_matrix,
    require_square,
    svd,
    transposed,
)
from polykeras.ops.matrices import eye, tril, triu
from polykeras.ops.products import matmul, sum_to_shape
from polykeras.ops.rearranging import diagonal
from polykeras.ops.reductions import max as max_
from polykeras.ops.reductions import prod
from polykeras.ops.reductions import sum as sum_
from polykeras.ops.rounding import abs as abs_
from polykeras.ops.rounding import mod, sign
from polykeras.ops.shaping import expand_dims, reshape

__all__ = [
    "cholesky_inverse",
    "det",
    "inv",
    "logdet",
    "lstsq",
    "matrix_rank",
    "pinv",
    "slogdet",
    "solve",
    "solve_triangular",
]


def _solution_shape(
    op_name: str, a: tuple[int, ...], b: tuple[int, ...]
) -> tuple[int, ...]:
    require_square(op_name, a)
    columns: tuple[int, ...] = ()
    if len(b) == len(a) - 1:
        rows, batch = b[-1], b[:-1]
    elif len(b) == len(a):
        rows, batch, columns = b[-2], b[:-2], b[-1:]
    else:
        raise ShapeError(
            f"polykeras.ops.{op_name} expected b with as many axes as a, or one less, "
            f"got a of shape {a} and b of shape {b}."
        )
    if rows != a[-1]:
        raise ShapeError(
            f"polykeras.ops.{op_name} got matrices of shape {a} and right sides of "
            f"shape {b}: b must have {a[-1]} rows, but has {rows}."
        )
    return (*broadcast_shapes(op_name, a[:-2], batch), rows, *columns)


def _matrix_gradient(a: Tensor, b: Tensor, x: Tensor, gb: Tensor) -> Tensor:
    """Return the gradient of `a` from the solution of the adjoint system."""
    if len(b.shape) < len(a.shape):
        return negative(multiply(expand_dims(gb, -1), expand_dims(x, -2)))
    return negative(matmul(gb, transposed(x)))


@primitive(inexact="a b")
def solve(a: Tensor, b: Tensor) -> Tensor:
    """Return x such that a x = b.

    Args:
        a: A tensor of shape (..., M, M).
        b: A tensor of shape (..., M, K), or with one axis less than `a`, (..., M).

    Returns:
        A tensor of the shape of `b`, leading axes broadcast; NaN where a matrix is
        singular.

    Raises:
        ShapeError: If the matrices are not square, or `b` does not fit.

    >>> import polykeras as keras
    >>> x = keras.ops.solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0])
    >>> keras.ops.convert_to_numpy(x).tolist()
    [1.0, 0.5]
    """


@solve.abstract
def _(a: Spec, b: Spec) -> Spec:
    return Spec(_solution_shape("solve", a.shape, b.shape), a.dtype)


@solve.joint_vjp("a", "b")
def _(g: Tensor, out: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    gb = solve(transposed(a), g)
    ga = _matrix_gradient(a, b, out, gb)
    return sum_to_shape(ga, tuple(a.shape)), sum_to_shape(gb, tuple(b.shape))


@primitive(inexact="a b")
def solve_triangular(a: Tensor, b: Tensor, lower: bool = False) -> Tensor:
    """Return x such that a x = b, for triangular matrices.

    Args:
        a: A tensor of shape (..., M, M); the other triangle is not read.
        b: A tensor of shape (..., M, K), or with one axis less than `a`, (..., M).
        lower: Whether the lower triangle is the matrix.

    Returns:
        A tensor of the shape of `b`, leading axes broadcast; NaN where a diagonal
        has a zero.

    Raises:
        ShapeError: If the matrices are not square, or `b` does not fit.

    >>> import polykeras as keras
    >>> x = keras.ops.solve_triangular([[2.0, 0.0], [2.0, 1.0]], [2.0, 3.0], lower=True)
    >>> keras.ops.convert_to_numpy(x).tolist()
    [1.0, 1.0]
    """


@solve_triangular.prepare
def _(a: Tensor, b: Tensor, lower: bool) -> tuple[Any, ...]:
    _solution_shape("solve_triangular", tuple(a.shape), tuple(b.shape))
    return a, b, bool(lower)


@solve_triangular.abstract
def _(a: Spec, b: Spec, lower: bool) -> Spec:
    return Spec(_solution_shape("solve_triangular", a.shape, b.shape), a.dtype)


@solve_triangular.joint_vjp("a", "b")
def _(
    g: Tensor, out: Tensor, a: Tensor, b: Tensor, lower: bool
) -> tuple[Tensor, Tensor]:
    gb = solve_triangular(transposed(a), g, lower=not lower)
    ga = _matrix_gradient(a, b, out, gb)
    ga = sum_to_shape(tril(ga) if lower else triu(ga), tuple(a.shape))
    return ga, sum_to_shape(gb, tuple(b.shape))


# -- inverses --------------------------------------------------------------------


@op(inexact="x")
def inv(x: Tensor) -> Tensor:
    """Return the inverses of square matrices.

    Args:
        x: A tensor of shape (..., M, M).

    Returns:
        A tensor of the shape of `x`; NaN where a matrix is singular.

    Raises:
        ShapeError: If the matrices are not square.

    >>> import polykeras as keras
    >>> inverse = keras.ops.inv([[2.0, 0.0], [0.0, 4.0]])
    >>> keras.ops.convert_to_numpy(inverse).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    x = _inexact(x)
    require_square("inv", x.shape)
    return solve(x, _identity_like(x))


def _identity_like(x: Tensor) -> Tensor:
    """Return the identity with leading axes of size 1, as many as `x` has."""
    n = x.shape[-1]
    return reshape(eye(n, dtype=dtype_of(x)), (1,) * (len(x.shape) - 2) + (n, n))


@inv.abstract
def _(x: Spec) -> Spec:
    require_square("inv", x.shape)
    return x


@inv.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    transpose_ = transposed(out)
    return negative(matmul(matmul(transpose_, g), transpose_))


@op(inexact="x")
def pinv(x: Tensor, rcond: float | None = None) -> Tensor:
    """Return the Moore-Penrose pseudo-inverses of matrices.

    Args:
        x: A tensor of shape (..., M, N).
        rcond: Singular values up to `rcond` times the largest count as 0; None
            means 10 * max(M, N) times the resolution of the dtype.

    Returns:
        A tensor of shape (..., N, M).

    Raises:
        ShapeError: If `x` has fewer than two axes.

    >>> import polykeras as keras
    >>> tuple(keras.ops.pinv(keras.ops.ones((2, 3))).shape)
    (3, 2)

    Reference: Golub and Pereyra, 1973, "The Differentiation of Pseudo-Inverses and
    Nonlinear Least Squares Problems Whose Variables Separate".
    """
    x = _inexact(x)
    require_matrix("pinv", x.shape)
    m, n = x.shape[-2:]
    cut = 10 * max(m, n) * _resolution(x) if rcond is None else rcond
    u, s, vh = svd(x, full_matrices=False)
    inverse = _reciprocals(s, cut)
    return matmul(multiply(adjoint(vh), expand_dims(inverse, -2)), adjoint(u))


@pinv.prepare
def _(x: Tensor, rcond: float | None) -> tuple[Any, ...]:
    require_matrix("pinv", x.shape)
    m, n = x.shape[-2:]
    return x, 10 * max(m, n) * _resolution(x) if rcond is None else rcond


@pinv.abstract
def _(x: Spec, rcond: float) -> Spec:
    return Spec((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)


@pinv.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, rcond: float) -> Tensor:
    pt, gt = transposed(out), transposed(g)
    result = negative(matmul(matmul(pt, g), pt))
    columns = matmul(gt, matmul(out, pt))
    result = add(result, subtract(columns, matmul(x, matmul(out, columns))))
    rows = matmul(matmul(pt, out), gt)
    return add(result, subtract(rows, matmul(matmul(rows, out), x)))


def _inexact(x: Tensor) -> Tensor:
    x = convert_to_tensor(x)
    name = dtype_of(x)
    target = dtypes.to_inexact(name)
    return x if name == target else cast(x, target)


def _resolution(x: Tensor) -> float:
    """Return the distance from 1 to the next number of the dtype."""
    name = dtype_of(x)
    name = {"complex64": "float32", "complex128": "float64"}.get(name, name)
    limits: Any = finfo(dtypes.as_numpy_dtype(name))  # type: ignore[no-untyped-call]
    return float(limits.eps)


def _reciprocals(s: Tensor, cut: float) -> Tensor:
    """Return 1 / s, and 0 for singular values up to `cut` times the largest."""
    large = greater(s, multiply(max_(s, axis=-1, keepdims=True, initial=0), cut))
    return where(large, divide(1.0, where(large, s, 1.0)), 0.0)


@op(inexact="a b")
def lstsq(a: Tensor, b: Tensor, rcond: float | None = None) -> Tensor:
    """Return the x of least norm that minimises the length of a x - b.

    Args:
        a: A tensor of shape (M, N).
        b: A tensor of shape (M,) or (M, K).
        rcond: Singular values up to `rcond` times the largest count as 0; None
            means max(M, N) times the resolution of the dtype.

    Returns:
        A tensor of shape (N,) or (N, K).

    Raises:
        ShapeError: If `a` is no matrix, or `b` does not have M rows.

    >>> import polykeras as keras
    >>> x = keras.ops.lstsq([[1.0], [1.0]], [1.0, 3.0])
    >>> [round(v, 5) for v in keras.ops.convert_to_numpy(x).tolist()]
    [2.0]
    """
    a, b = promoted(a, b, inexact=True)
    if len(a.shape) != 2 or len(b.shape) not in {1, 2} or b.shape[0] != a.shape[0]:
        raise ShapeError(
            "polykeras.ops.lstsq expected a of shape (M, N) and b of shape (M,) or "
            f"(M, K), got {tuple(a.shape)} and {tuple(b.shape)}."
        )
    cut = max(a.shape) * _resolution(a) if rcond is None else rcond
    return matmul(pinv(a, rcond=cut), b)


@op(inexact="x")
def cholesky_inverse(x: Tensor, upper: bool = False) -> Tensor:
    """Return the inverses of matrices given by their Cholesky factors.

    Args:
        x: Triangular factors of shape (..., M, M), as `cholesky` returns them.
        upper: Whether the factors are upper triangular.

    Returns:
        A tensor of shape (..., M, M): the inverse of x x^T, or of x^T x if `upper`.

    Raises:
        ShapeError: If the matrices are not square.

    >>> import polykeras as keras
    >>> inverse = keras.ops.cholesky_inverse([[2.0, 0.0], [0.0, 1.0]])
    >>> keras.ops.convert_to_numpy(inverse).tolist()
    [[0.25, 0.0], [0.0, 1.0]]
    """
    x = _inexact(x)
    require_square("cholesky_inverse", x.shape)
    inverse = solve_triangular(x, _identity_like(x), lower=not upper)
    if upper:
        return matmul(inverse, transposed(inverse))
    return matmul(transposed(inverse), inverse)


# -- determinants and rank -------------------------------------------------------


def _pivot_sign(pivots: Tensor, like: Tensor) -> Tensor:
    exchanged = not_equal(pivots, arange(pivots.shape[-1], dtype="int32"))
    odd = mod(sum_(cast(exchanged, "int32"), axis=-1), 2)
    return cast(subtract(1, multiply(2, odd)), dtype_of(like))


@op(inexact="x")
def det(x: Tensor) -> Tensor:
    """Return the determinants of square matrices.

    Args:
        x: A tensor of shape (..., M, M).

    Returns:
        A tensor of shape (...). The derivative is undefined (NaN or infinite)
        where a matrix is singular.

    Raises:
        ShapeError: If the matrices are not square.

    >>> import polykeras as keras
    >>> print(float(keras.ops.det([[2.0, 0.0], [0.0, 3.0]])))
    6.0
    """
    x = _inexact(x)
    require_square("det", x.shape)
    lu, pivots = lu_factor(x)
    values = diagonal(lu, axis1=-2, axis2=-1)
    return multiply(prod(values, axis=-1), _pivot_sign(pivots, lu))


@det.abstract
def _(x: Spec) -> Spec:
    require_square("det", x.shape)
    return Spec(x.shape[:-2], x.dtype)


@det.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor) -> Tensor:
    scale = expand_dims(expand_dims(multiply(g, det(x)), -1), -1)
    return multiply(scale, transposed(inv(x)))


@op(inexact="x")
def slogdet(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return sign and logarithm of the size of determinants of square matrices.

    Args:
        x: A tensor of shape (..., M, M).

    Returns:
        Two tensors of shape (...): the sign (0 for singular matrices) and the
        logarithm of the absolute value (minus infinity for singular matrices).

    Raises:
        ShapeError: If the matrices are not square.

    >>> import polykeras as keras
    >>> sign, log_size = keras.ops.slogdet([[0.0, 1.0], [1.0, 0.0]])
    >>> float(sign), float(log_size)
    (-1.0, 0.0)
    """
    x = _inexact(x)
    require_square("slogdet", x.shape)
    lu, pivots = lu_factor(x)
    values = diagonal(lu, axis1=-2, axis2=-1)
    signs = multiply(prod(sign(values), axis=-1), _pivot_sign(pivots, lu))
    return signs, sum_(log(abs_(values)), axis=-1)


@slogdet.abstract
def _(x: Spec) -> tuple[Spec, Spec]:
    require_square("slogdet", x.shape)
    return Spec(x.shape[:-2], x.dtype), Spec(x.shape[:-2], x.dtype)


@slogdet.vjp("x")
def _(g: tuple[Tensor, ...], out: tuple[Tensor, ...], x: Tensor) -> Tensor:
    scale = expand_dims(expand_dims(g[1], -1), -1)
    return multiply(scale, transposed(inv(x)))


@op(inexact="x")
def logdet(x: Tensor) -> Tensor:
    """Return the logarithm of determinants of positive definite matrices.

    Args:
        x: A tensor of shape (..., M, M).

    Returns:
        A tensor of shape (...); NaN where a matrix is not positive definite.

    Raises:
        ShapeError: If the matrices are not square.

    >>> import polykeras as keras
    >>> print(float(keras.ops.logdet([[1.0, 0.0], [0.0, 1.0]])))
    0.0
    """
    x = _inexact(x)
    require_square("logdet", x.shape)
    values = diagonal(cholesky(x), axis1=-2, axis2=-1)
    return multiply(sum_(log(values), axis=-1), 2)


@op(inexact="x", differentiable=False)
def matrix_rank(x: Tensor, tol: float | None = None) -> Tensor:
    """Return the ranks of matrices.

    Args:
        x: A tensor of shape (..., M, N).
        tol: Singular values up to `tol` count as 0; None means max(M, N) times the
            resolution of the dtype times the largest singular value.

    Returns:
        An int32 tensor of shape (...).

    Raises:
        ShapeError: If `x` has fewer than two axes.

    >>> import polykeras as keras
    >>> print(int(keras.ops.matrix_rank([[1.0, 1.0], [1.0, 1.0]])))
    1
    """
    x = _inexact(x)
    require_matrix("matrix_rank", x.shape)
    s = svd(x, compute_uv=False)
    if tol is None:
        largest = max_(s, axis=-1, keepdims=True, initial=0)
        tol = multiply(largest, max(x.shape[-2:]) * _resolution(x))
    return sum_(cast(greater(s, tol), "int32"), axis=-1)
