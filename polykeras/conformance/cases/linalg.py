"""Cases of `polykeras.ops.factorizations` and `polykeras.ops.solvers`.

Errors of backward stable algorithms are bounded by p(n) u cond(A) |x| with a modest
polynomial p (Higham, 2002, chapters 9, 10 and 19); the matrices drawn here have
condition numbers below 10.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polykeras.conformance._bounds import Bound, composed
from polykeras.conformance._case import ErrorSample, OpCase
from polykeras.conformance._samples import Draw, call, made, real
from polykeras.conformance.cases._builders import refused
from polykeras.errors import ArgumentError, ShapeError

__all__ = ["CASES"]

_DTYPES: Final = ("float32", "float64", "bfloat16", "float16")


def _spread(*shape: int) -> Draw:
    """Draw matrices near the identity, well conditioned."""

    def make(rng: np.random.Generator) -> Any:
        return 2 * np.eye(shape[-2], shape[-1]) + rng.uniform(-0.4, 0.4, shape)

    return made(make, *shape)


def _definite(*shape: int) -> Draw:
    """Draw symmetric positive definite matrices, well conditioned."""

    def make(rng: np.random.Generator) -> Any:
        half = rng.uniform(-0.4, 0.4, shape)
        spread = np.linspace(1, 3, shape[-1])
        return np.swapaxes(half, -1, -2) @ half + np.diag(spread)

    return made(make, *shape)


def _solved(n: int = 4) -> Bound:
    return composed(
        16 * n,
        f"{n} steps of elimination of a matrix with a condition number below 10",
        scale=lambda *args, **how: 4.0,
    )


def _transposed(x: Any) -> Any:
    from polykeras import ops

    return ops.swapaxes(x, -1, -2)


def _of_qr(result: Any, x: Any, **_: Any) -> Any:
    """Return the product and the orthogonality of the factors."""
    from polykeras import ops

    q, r = result
    return ops.matmul(q, r), ops.matmul(_transposed(q), q)


def _qr(x: Any, mode: Any = "reduced") -> Any:
    q = np.linalg.qr(x, mode)[0]
    return x, np.broadcast_to(np.eye(q.shape[-1]), (*x.shape[:-2], *[q.shape[-1]] * 2))


def _of_svd(result: Any, x: Any, **how: Any) -> Any:
    """Return the singular values, and the product of the factors."""
    from polykeras import ops

    if not how.get("compute_uv", True):
        return result
    u, s, vh = result
    return s, ops.matmul(ops.multiply(u, ops.expand_dims(s, -2)), vh)


def _svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    s = np.linalg.svd(x, compute_uv=False)
    return (s, x) if compute_uv else s


def _of_eigh(result: Any, x: Any) -> Any:
    """Return the values, and the matrix put together again."""
    from polykeras import ops

    w, v = result
    columns = ops.multiply(v, ops.expand_dims(w, -2))
    return w, ops.matmul(columns, _transposed(v))


def _of_eig(result: Any, x: Any) -> Any:
    """Return how far each vector is from being stretched by its value."""
    from polykeras import ops

    w, v = result
    left = ops.matmul(ops.cast(x, ops.dtype(v)), v)
    return ops.abs(ops.subtract(left, ops.multiply(v, ops.expand_dims(w, -2))))


def _of_lu(result: Any, x: Any) -> Any:
    """Return the magnitudes on the diagonal, whose product is the determinant."""
    from polykeras import ops

    lu, _ = result
    return ops.abs(ops.prod(ops.diagonal(lu, axis1=-2, axis2=-1), axis=-1))


def _triangle(a: Any, b: Any, lower: bool = False) -> Any:
    return np.linalg.solve(np.tril(a) if lower else np.triu(a), b)


def _cholesky(x: Any, upper: bool = False) -> Any:
    lower = np.linalg.cholesky(x)
    return np.swapaxes(lower, -1, -2) if upper else lower


def _cholesky_inverse(x: Any, upper: bool = False) -> Any:
    half = np.triu(x) if upper else np.tril(x)
    return np.linalg.inv(half.T @ half if upper else half @ half.T)


def _square(op: str) -> tuple[ErrorSample, ...]:
    return (ErrorSample(call(real(2, 3)), ShapeError, ("(2, 3)", "square")),)


def _lstsq(a: Any, b: Any) -> Any:
    return np.linalg.lstsq(a, b, rcond=None)[0]


CASES: Final = (
    OpCase(
        "cholesky",
        (call(_definite(4, 4)), call(_definite(2, 3, 3), upper=True)),
        _cholesky,
        _solved(),
        _DTYPES,
        gradient=2,
        slope_tolerance=1e-6,
        errors=(
            *_square("cholesky"),
            refused(ShapeError, call(real(3)), "cholesky", "(3,)"),
        ),
    ),
    OpCase(
        "qr",
        (
            call(_spread(4, 3)),
            call(_spread(2, 3, 3)),
            call(_spread(4, 3), mode="complete"),
        ),
        _qr,
        _solved(),
        _DTYPES,
        (None, None),
        view=_of_qr,
        errors=(
            refused(ShapeError, call(real(3)), "qr", "(3,)"),
            refused(ArgumentError, call(real(3, 2), "raw"), "'raw'"),
        ),
    ),
    OpCase(
        "svd",
        (
            call(_spread(4, 3), full_matrices=False),
            call(_spread(2, 3, 3)),
            call(_spread(2, 4, 3), compute_uv=False),
        ),
        _svd,
        _solved(),
        _DTYPES,
        gradient=2,
        slope_tolerance=1e-6,
        view=_of_svd,
        errors=(refused(ShapeError, call(real(3)), "svd", "(3,)"),),
    ),
    OpCase(
        "eigh",
        (call(_definite(4, 4)), call(_definite(2, 3, 3))),
        lambda x: (np.linalg.eigvalsh(x), x),
        _solved(),
        _DTYPES,
        (None, None),
        gradient=2,
        slope_tolerance=1e-6,
        view=_of_eigh,
        errors=(refused(ShapeError, call(real(2, 3)), "(2, 3)", "square"),),
    ),
    OpCase(
        "eig",
        (call(_spread(3, 3)),),
        np.zeros_like,
        _solved(),
        _DTYPES,
        # Values and vectors are complex, which has no half precision.
        lambda dtype: "float64" if dtype == "float64" else "float32",
        view=_of_eig,
        errors=(refused(ShapeError, call(real(2, 3)), "(2, 3)", "square"),),
    ),
    OpCase(
        "lu_factor",
        (call(_spread(4, 4)), call(_spread(2, 3, 3))),
        lambda x: np.abs(np.linalg.det(x)),
        composed(64, "a determinant of pivots", scale=lambda x: 81.0),
        _DTYPES,
        gradient=1,
        view=_of_lu,
        errors=(refused(ShapeError, call(real(3)), "lu_factor", "(3,)"),),
    ),
    OpCase(
        "solve",
        (
            call(_spread(4, 4), real(4, 2)),
            call(_spread(3, 3), real(3)),
            call(_spread(2, 3, 3), real(2, 3, 1)),
        ),
        np.linalg.solve,
        _solved(),
        _DTYPES,
        gradient=2,
        errors=(
            ErrorSample(
                call(_spread(3, 3), real(2, 2)), ShapeError, ("(3, 3)", "(2, 2)")
            ),
            refused(ShapeError, call(real(2, 3), real(3)), "(2, 3)", "square"),
            refused(ShapeError, call(real(2, 3, 3), real(3)), "(2, 3, 3)", "(3,)"),
        ),
    ),
    OpCase(
        "solve_triangular",
        (
            call(_spread(4, 4), real(4, 2)),
            call(_spread(3, 3), real(3, 1), lower=True),
        ),
        _triangle,
        _solved(),
        _DTYPES,
        gradient=2,
        errors=(refused(ShapeError, call(real(3, 3), real(2)), "(3, 3)", "(2,)"),),
    ),
    OpCase(
        "inv",
        (call(_spread(4, 4)), call(_spread(2, 3, 3))),
        np.linalg.inv,
        _solved(),
        _DTYPES,
        gradient=2,
        errors=_square("inv"),
    ),
    OpCase(
        "pinv",
        (call(_spread(4, 3)), call(_spread(3, 4))),
        np.linalg.pinv,
        _solved(),
        _DTYPES,
        gradient=1,
        slope_tolerance=1e-6,
        errors=(refused(ShapeError, call(real(3)), "pinv", "(3,)"),),
    ),
    OpCase(
        "lstsq",
        (call(_spread(5, 3), real(5, 2)), call(_spread(4, 3), real(4))),
        _lstsq,
        _solved(),
        _DTYPES,
        gradient=1,
        slope_tolerance=1e-6,
        errors=(refused(ShapeError, call(real(2, 3), real(3)), "(2, 3)", "(3,)"),),
    ),
    OpCase(
        "cholesky_inverse",
        (call(_spread(3, 3)), call(_spread(3, 3), upper=True)),
        _cholesky_inverse,
        _solved(),
        _DTYPES,
        gradient=1,
        errors=(
            refused(ShapeError, call(real(2, 3)), "(2, 3)", "square"),
            refused(ShapeError, call(real(3)), "cholesky_inverse", "(3,)"),
        ),
    ),
    OpCase(
        "det",
        (call(_spread(3, 3)), call(_spread(2, 4, 4))),
        lambda x: np.asarray(np.linalg.det(x)),
        composed(64, "a product of pivots", scale=lambda x: 81.0),
        _DTYPES,
        gradient=2,
        slope_tolerance=1e-6,
        errors=_square("det"),
    ),
    OpCase(
        "slogdet",
        (call(_spread(3, 3)), call(_spread(2, 4, 4))),
        lambda x: tuple(np.linalg.slogdet(x)),
        _solved(),
        _DTYPES,
        gradient=1,
        errors=(
            refused(ShapeError, call(real(2, 3)), "(2, 3)", "square"),
            refused(ShapeError, call(real(3)), "slogdet", "(3,)"),
        ),
    ),
    OpCase(
        "logdet",
        (call(_definite(3, 3)), call(_definite(2, 4, 4))),
        lambda x: np.asarray(np.linalg.slogdet(x)[1]),
        _solved(),
        _DTYPES,
        gradient=1,
        errors=(refused(ShapeError, call(real(2, 3)), "(2, 3)", "square"),),
    ),
    OpCase(
        "matrix_rank",
        (call(_spread(4, 3)), call(_spread(2, 3, 3))),
        lambda x: np.asarray(np.linalg.matrix_rank(x)),
        composed(0, "a count"),
        _DTYPES,
        "int32",
        errors=(refused(ShapeError, call(real(3)), "matrix_rank", "(3,)"),),
    ),
)
