"""Factorizations of matrices, each a primitive with its derivative.

Matrices are the last two axes; the others are a batch. Signs and phases of QR,
SVD and eigenvectors differ between libraries, so only what does not depend on
them is specified. Results for a matrix that cannot be factored are NaN.

Derivatives: Murray, 2016, "Differentiation of the Cholesky decomposition";
Townsend, 2016, "Differentiating the Singular Value Decomposition"; Roberts and
Roberts, 2020, "QR and LQ Decomposition Matrix Backpropagation Algorithms for
Square, Wide, and Deep Matrices".
"""

from __future__ import annotations

from typing import Any

from polykeras import dtypes
from polykeras.backend import Tensor
from polykeras.errors import ArgumentError, GradientError, ShapeError, nearest
from polykeras.ops._abstract import Spec
from polykeras.ops._declare import primitive
from polykeras.ops.arithmetic import add, divide, multiply, subtract
from polykeras.ops.comparison import equal, where
from polykeras.ops.complex_numbers import conj
from polykeras.ops.conversion import dtype as dtype_of
from polykeras.ops.creation import arange, ones
from polykeras.ops.indexing import take_along_axis
from polykeras.ops.matrices import eye, tril, triu
from polykeras.ops.products import matmul
from polykeras.ops.shaping import concatenate, expand_dims, swapaxes
from polykeras.ops.sorting import argsort

__all__ = [
    "adjoint",
    "cholesky",
    "eig",
    "eigh",
    "lu_factor",
    "qr",
    "require_matrix",
    "require_square",
    "svd",
]


def require_matrix(op: str, shape: tuple[int, ...]) -> None:
    """Check that a tensor has at least two axes.

    Raises:
        ShapeError: If not.
    """
    if len(shape) < 2:
        raise ShapeError(
            f"polykeras.ops.{op} expected a matrix or a batch of matrices, got a "
            f"tensor of shape {tuple(shape)}. It needs at least two axes."
        )


def require_square(op: str, shape: tuple[int, ...]) -> None:
    """Check that the last two axes have one size.

    Raises:
        ShapeError: If not.
    """
    require_matrix(op, shape)
    if shape[-1] != shape[-2]:
        raise ShapeError(
            f"polykeras.ops.{op} expected square matrices, got a tensor of shape "
            f"{tuple(shape)}, whose last two axes differ."
        )


def transposed(x: Tensor) -> Tensor:
    """Return the matrices with rows and columns exchanged."""
    return swapaxes(x, len(x.shape) - 2, len(x.shape) - 1)


def adjoint(x: Tensor) -> Tensor:
    """Return the conjugate transpose of real or complex matrices."""
    return conj(transposed(x))


def _symmetric(x: Tensor) -> Tensor:
    return multiply(add(x, transposed(x)), 0.5)


def _diagonal_part(x: Tensor) -> Tensor:
    """Return matrices with all but the diagonal set to 0."""
    return tril(triu(x))


def _gaps(values: Tensor) -> Tensor:
    """Return 1 / (values[j] - values[i]), and 0 where they are equal."""
    difference = subtract(expand_dims(values, -2), expand_dims(values, -1))
    same = equal(difference, 0)
    return where(same, 0.0, divide(1.0, where(same, 1.0, difference)))


# -- cholesky --------------------------------------------------------------------


@primitive(inexact="x")
def cholesky(x: Tensor, upper: bool = False) -> Tensor:
    """Return the triangular factor of symmetric positive definite matrices.

    The symmetric part of `x` is factored.

    Args:
        x: A tensor of shape (..., M, M).
        upper: Whether to return U with U^T U = x, in place of L with L L^T = x.

    Returns:
        A tensor of the shape of `x`; NaN for a matrix that is not positive
        definite.

    Raises:
        ShapeError: If the matrices are not square.

    >>> import polykeras as keras
    >>> factor = keras.ops.cholesky([[4.0, 0.0], [0.0, 9.0]])
    >>> keras.ops.convert_to_numpy(factor).tolist()
    [[2.0, 0.0], [0.0, 3.0]]
    """


@cholesky.prepare
def _(x: Tensor, upper: bool) -> tuple[Any, ...]:
    require_square("cholesky", x.shape)
    return x, bool(upper)


@cholesky.abstract
def _(x: Spec, upper: bool) -> Spec:
    return x


@cholesky.vjp("x")
def _(g: Tensor, out: Tensor, x: Tensor, upper: bool) -> Tensor:
    from polykeras.ops.solvers import solve_triangular

    factor, gradient = (transposed(out), transposed(g)) if upper else (out, g)
    inside = tril(matmul(transposed(factor), gradient))
    inside = subtract(inside, multiply(_diagonal_part(inside), 0.5))
    up = transposed(factor)
    left = solve_triangular(up, inside, lower=False)
    return _symmetric(transposed(solve_triangular(up, transposed(left), lower=False)))


# -- qr --------------------------------------------------------------------------


@primitive(inexact="x")
def qr(x: Tensor, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """Return an orthogonal and an upper triangular factor of matrices.

    Args:
        x: A tensor of shape (..., M, N).
        mode: ``"reduced"`` gives K = min(M, N) columns, ``"complete"`` K = M.

    Returns:
        Q of shape (..., M, K) with orthonormal columns, and R of shape (..., K, N),
        with Q R = x. With ``"complete"`` and M > N there is no derivative, since
        the last columns of Q are arbitrary.

    Raises:
        ShapeError: If `x` has fewer than two axes.
        ArgumentError: If `mode` has another value.

    >>> import polykeras as keras
    >>> q, r = keras.ops.qr(keras.ops.ones((4, 2)))
    >>> tuple(q.shape), tuple(r.shape)
    ((4, 2), (2, 2))
    """


@qr.prepare
def _(x: Tensor, mode: str) -> tuple[Any, ...]:
    require_matrix("qr", x.shape)
    if mode not in {"reduced", "complete"}:
        allowed = nearest(mode, ("reduced", "complete"))
        raise ArgumentError(f"polykeras.ops.qr got mode {mode!r}. {allowed}")
    return x, mode


@qr.abstract
def _(x: Spec, mode: str) -> tuple[Spec, Spec]:
    *batch, m, n = x.shape
    k = m if mode == "complete" else min(m, n)
    return Spec((*batch, m, k), x.dtype), Spec((*batch, k, n), x.dtype)


@qr.vjp("x")
def _(g: tuple[Tensor, ...], out: tuple[Tensor, ...], x: Tensor, mode: str) -> Tensor:
    m, n = x.shape[-2:]
    q, r = out
    gq, gr = g
    if m >= n:
        if mode == "complete" and m > n:
            raise GradientError(
                "polykeras.ops.qr has no derivative with mode='complete' for matrices "
                f"of shape ({m}, {n}), which have more rows than columns. Use "
                "mode='reduced'."
            )
        return _qr_gradient(q, r, gq, gr)
    # x = [x1, x2] with x1 square: only x1 determines Q, and R = [R1, Q^T x2].
    right = x[..., m:]
    gq = add(gq, matmul(right, transposed(gr[..., m:])))
    g1 = _qr_gradient(q, r[..., :m], gq, gr[..., :m])
    return concatenate([g1, matmul(q, gr[..., m:])], axis=-1)


def _qr_gradient(q: Tensor, r: Tensor, gq: Tensor, gr: Tensor) -> Tensor:
    from polykeras.ops.solvers import solve_triangular

    inside = subtract(matmul(r, transposed(gr)), matmul(transposed(gq), q))
    symmetric = add(tril(inside), transposed(tril(inside, k=-1)))
    total = add(gq, matmul(q, symmetric))
    return transposed(solve_triangular(r, transposed(total), lower=False))


# -- svd -------------------------------------------------------------------------


@primitive(inexact="x")
def svd(x: Tensor, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Return the singular value decomposition of matrices.

    Args:
        x: A tensor of shape (..., M, N); K = min(M, N).
        full_matrices: Whether U and V^H are square.
        compute_uv: Whether to return U and V^H besides the singular values.

    Returns:
        U of shape (..., M, M) or (..., M, K), the singular values of shape
        (..., K) in descending order, and V^H of shape (..., N, N) or (..., K, N);
        or only the singular values. Derivatives do not flow through the columns
        that `full_matrices` adds, nor between equal singular values.

    Raises:
        ShapeError: If `x` has fewer than two axes.

    >>> import polykeras as keras
    >>> s = keras.ops.svd([[3.0, 0.0], [0.0, 4.0]], compute_uv=False)
    >>> keras.ops.convert_to_numpy(s).tolist()
    [4.0, 3.0]
    """


@svd.prepare
def _(x: Tensor, full_matrices: bool, compute_uv: bool) -> tuple[Any, ...]:
    require_matrix("svd", x.shape)
    full = bool(full_matrices) and x.shape[-1] != x.shape[-2]
    return x, full, bool(compute_uv)


@svd.abstract
def _(x: Spec, full_matrices: bool, compute_uv: bool) -> Any:
    *batch, m, n = x.shape
    k = min(m, n)
    s = Spec((*batch, k), _real(x.dtype))
    if not compute_uv:
        return s
    u, v = (m, n) if full_matrices else (k, k)
    return Spec((*batch, m, u), x.dtype), s, Spec((*batch, v, n), x.dtype)


def _real(dtype: str) -> str:
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


@svd.vjp("x")
def _(g: Any, out: Any, x: Tensor, full_matrices: bool, compute_uv: bool) -> Tensor:
    if not compute_uv:
        u, s, vh = svd(x, full_matrices=False)
        return matmul(multiply(u, expand_dims(g, -2)), vh)
    m, n = x.shape[-2:]
    k = min(m, n)
    u, s, vh = out[0][..., :k], out[1], out[2][..., :k, :]
    gu, gs, gv = g[0][..., :k], g[1], transposed(g[2][..., :k, :])
    v, ut = transposed(vh), transposed(u)
    row, column = expand_dims(s, -2), expand_dims(s, -1)
    gaps = _gaps(multiply(s, s))
    in_u, in_v = matmul(ut, gu), matmul(vh, gv)
    turn_u = multiply(gaps, subtract(in_u, transposed(in_u)))
    turn_v = multiply(gaps, subtract(in_v, transposed(in_v)))
    inside = add(multiply(turn_u, row), multiply(column, turn_v))
    inside = add(inside, multiply(eye(k, dtype=dtype_of(s)), expand_dims(gs, -2)))
    total = matmul(matmul(u, inside), vh)
    nonzero = where(equal(s, 0), 1.0, s)
    inverse = expand_dims(where(equal(s, 0), 0.0, divide(1.0, nonzero)), -2)
    if m > k:
        outside = multiply(subtract(gu, matmul(u, in_u)), inverse)
        total = add(total, matmul(outside, vh))
    if n > k:
        outside = multiply(subtract(gv, matmul(v, in_v)), inverse)
        total = add(total, matmul(u, transposed(outside)))
    return total


# -- eigenvalues -----------------------------------------------------------------


@primitive(inexact="x")
def eigh(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return eigenvalues and eigenvectors of symmetric or Hermitian matrices.

    The Hermitian part of `x` is decomposed.

    Args:
        x: A tensor of shape (..., M, M).

    Returns:
        The eigenvalues of shape (..., M) in ascending order, and the eigenvectors,
        of length 1, as columns of a tensor of shape (..., M, M). Derivatives do
        not flow between equal eigenvalues.

    Raises:
        ShapeError: If the matrices are not square.

    >>> import polykeras as keras
    >>> w, v = keras.ops.eigh([[2.0, 0.0], [0.0, 1.0]])
    >>> keras.ops.convert_to_numpy(w).tolist()
    [1.0, 2.0]
    """


@eigh.abstract
def _(x: Spec) -> tuple[Spec, Spec]:
    require_square("eigh", x.shape)
    return Spec(x.shape[:-1], _real(x.dtype)), x


@eigh.vjp("x")
def _(g: tuple[Tensor, ...], out: tuple[Tensor, ...], x: Tensor) -> Tensor:
    (gw, gv), (w, v) = g, out
    vt = transposed(v)
    turn = multiply(_gaps(w), matmul(vt, gv))
    inside = add(
        turn, multiply(eye(w.shape[-1], dtype=dtype_of(w)), expand_dims(gw, -2))
    )
    return _symmetric(matmul(matmul(v, inside), vt))


@primitive(inexact="x", differentiable=False)
def eig(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return eigenvalues and eigenvectors of square matrices.

    Args:
        x: A tensor of shape (..., M, M).

    Returns:
        The eigenvalues of shape (..., M) in no specified order, and the
        eigenvectors, of length 1, as columns of a tensor of shape (..., M, M).
        Both are complex. There is no derivative.

    Raises:
        ShapeError: If the matrices are not square.

    >>> import polykeras as keras
    >>> w, v = keras.ops.eig([[0.0, 1.0], [-1.0, 0.0]])
    >>> keras.ops.dtype(w)
    'complex64'
    """


@eig.abstract
def _(x: Spec) -> tuple[Spec, Spec]:
    require_square("eig", x.shape)
    dtype = dtypes.result_type(x.dtype, "complex64")
    return Spec(x.shape[:-1], dtype), Spec(x.shape, dtype)


# -- lu --------------------------------------------------------------------------


@primitive(inexact="x")
def lu_factor(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the LU factors of matrices, with partial pivoting.

    Args:
        x: A tensor of shape (..., M, N); K = min(M, N).

    Returns:
        A tensor of shape (..., M, N) with U in its upper triangle and L, whose
        diagonal of ones is left out, below; and the pivots, int32 of shape
        (..., K): row i was exchanged with row ``pivots[i]``, counted from 0.
        Singular matrices have zeros on the diagonal of U. The derivative is
        defined for square matrices.

    Raises:
        ShapeError: If `x` has fewer than two axes.

    >>> import polykeras as keras
    >>> lu, pivots = keras.ops.lu_factor([[0.0, 2.0], [1.0, 0.0]])
    >>> keras.ops.convert_to_numpy(pivots).tolist()
    [1, 1]
    """


@lu_factor.abstract
def _(x: Spec) -> tuple[Spec, Spec]:
    require_matrix("lu_factor", x.shape)
    *batch, m, n = x.shape
    return x, Spec((*batch, min(m, n)), "int32")


@lu_factor.vjp("x")
def _(g: tuple[Tensor, ...], out: tuple[Tensor, ...], x: Tensor) -> Tensor:
    from polykeras.ops.solvers import solve_triangular

    m, n = x.shape[-2:]
    if m != n:
        raise GradientError(
            "polykeras.ops.lu_factor has a derivative for square matrices only, got "
            f"matrices of shape ({m}, {n})."
        )
    lu, pivots = out
    lower = add(tril(lu, k=-1), eye(n, dtype=dtype_of(lu)))
    upper = triu(lu)
    inside = add(
        tril(matmul(transposed(lower), tril(g[0], k=-1)), k=-1),
        triu(matmul(triu(g[0]), transposed(upper))),
    )
    left = solve_triangular(transposed(lower), inside, lower=False)
    both = transposed(solve_triangular(upper, transposed(left), lower=False))
    order = argsort(_permutation(pivots, m), axis=-1)
    index = multiply(expand_dims(order, -1), ones((1, n), "int32"))
    return take_along_axis(both, index, axis=-2)


def _permutation(pivots: Tensor, m: int) -> Tensor:
    """Return the row order that a sequence of exchanges leads to."""
    position = arange(m, dtype="int32")
    order = add(multiply(pivots[..., :1], 0), position)
    for i in range(pivots.shape[-1]):
        other = pivots[..., i : i + 1]
        here = order[..., i : i + 1]
        there = take_along_axis(order, other, axis=-1)
        order = where(equal(position, other), here, order)
        order = where(equal(position, i), there, order)
    return order
