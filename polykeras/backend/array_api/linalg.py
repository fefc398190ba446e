"""Kernels of linear algebra, out of the array API standard and its linalg extension.

The standard has no triangular solver, no LU factors, and no eigenvalues of general
matrices: the first is a general solve of the triangle, whose pivoting finds nothing
to exchange, the second is written here, the third comes from NumPy on the host.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from polykeras.backend._base import Tensor
    from polykeras.backend._kernels import Kernel
    from polykeras.backend.array_api._backend import ArrayAPIBackend

__all__ = ["kernels"]

_SMALL = ("bfloat16", "float16")


def kernels(backend: ArrayAPIBackend) -> dict[str, Kernel]:
    """Return op name to kernel for the namespace ``backend.xp``."""
    xp = backend.xp
    linalg: Any = getattr(xp, "linalg", None)

    def widened(kernel: Callable[..., Any]) -> Kernel:
        """Run a kernel in float32 for dtypes that LAPACK does not have."""

        @wraps(kernel)
        def call(*args: Any) -> Any:
            if backend.dtype_name(args[0]) not in _SMALL:
                return kernel(*args)
            small = args[0].dtype
            wide = [
                xp.astype(a, xp.float32) if backend.is_tensor(a) else a for a in args
            ]
            out = kernel(*wide)
            if isinstance(out, tuple):
                return tuple(narrowed(o, small) for o in out)
            return narrowed(out, small)

        return call

    def narrowed(x: Tensor, dtype: Any) -> Tensor:
        return xp.astype(x, dtype) if x.dtype == xp.float32 else x

    def transposed(x: Tensor) -> Tensor:
        return xp.matrix_transpose(x)

    def adjoint(x: Tensor) -> Tensor:
        x = transposed(x)
        return xp.conj(x) if xp.isdtype(x.dtype, "complex floating") else x

    def not_a_number(x: Tensor) -> Tensor:
        return xp.full(x.shape, xp.nan, dtype=x.dtype)

    def one_by_one(kernel: Callable[..., Tensor], *args: Tensor) -> Tensor:
        """Apply a kernel that may raise to each matrix, NaN where it does."""
        batch = np.broadcast_shapes(*(a.shape[:-2] for a in args))
        flat = [
            xp.reshape(xp.broadcast_to(a, batch + a.shape[-2:]), (-1, *a.shape[-2:]))
            for a in args
        ]
        parts = []
        for i in range(flat[0].shape[0]):
            each = [f[i, ...] for f in flat]
            try:
                parts.append(kernel(*each))
            except Exception:  # the standard names no exception for a singular matrix
                parts.append(not_a_number(each[-1]))
        return xp.reshape(xp.stack(parts), batch + parts[0].shape)

    def tolerant(kernel: Callable[..., Tensor], *args: Tensor) -> Tensor:
        """Apply a kernel to all matrices at once, or one by one if it raises."""
        try:
            return kernel(*args)
        except Exception:  # as above; what is no such matrix is raised again
            square = args[0].ndim > 1 and args[0].shape[-1] == args[0].shape[-2]
            if not square or 0 in args[0].shape[:-2]:
                raise
            return one_by_one(kernel, *args)

    @widened
    def cholesky(x: Tensor, upper: bool) -> Tensor:
        symmetric = (x + adjoint(x)) * 0.5
        lower = tolerant(linalg.cholesky, symmetric)
        return adjoint(lower) if upper else lower

    @widened
    def qr(x: Tensor, mode: str) -> tuple[Tensor, Tensor]:
        q, r = linalg.qr(x, mode=mode)
        return q, r

    @widened
    def svd(x: Tensor, full_matrices: bool, compute_uv: bool) -> Any:
        if compute_uv:
            return tuple(linalg.svd(x, full_matrices=full_matrices))
        return linalg.svdvals(x)

    @widened
    def eigh(x: Tensor) -> tuple[Tensor, Tensor]:
        w, v = linalg.eigh((x + adjoint(x)) * 0.5)
        return w, v

    def columns(solver: Callable[..., Tensor], a: Tensor, b: Tensor) -> Tensor:
        if b.ndim == a.ndim - 1:
            return columns(solver, a, b[..., None])[..., 0]
        if b.ndim != a.ndim or b.shape[-2] != a.shape[-1]:
            raise ValueError("b does not fit a")
        return solver(a, b)

    @widened
    def solve(a: Tensor, b: Tensor) -> Tensor:
        def all_at_once(a: Tensor, b: Tensor) -> Tensor:
            return tolerant(linalg.solve, a, b)

        return columns(all_at_once, a, b)

    @widened
    def solve_triangular(a: Tensor, b: Tensor, lower: bool) -> Tensor:
        def upper_solve(a: Tensor, b: Tensor) -> Tensor:
            if not lower:
                return tolerant(linalg.solve, xp.triu(a), b)
            # Backwards, a lower triangle is an upper one, which needs no pivots.
            turned = xp.flip(xp.tril(a), axis=(-2, -1))
            solution = tolerant(linalg.solve, turned, xp.flip(b, axis=-2))
            return xp.flip(solution, axis=-2)

        return columns(upper_solve, a, b)

    @widened
    def lu_factor(x: Tensor) -> tuple[Tensor, Tensor]:
        *batch, m, n = x.shape
        values = np.array(backend.to_numpy(x)).reshape(-1, m, n)
        pivots = _factor_in_place(values)
        k = min(m, n)
        return (
            backend.from_numpy(values.reshape(x.shape), backend.dtype_name(x)),
            backend.from_numpy(pivots.reshape(*batch, k), "int32"),
        )

    @widened
    def eig(x: Tensor) -> tuple[Tensor, Tensor]:
        w, v = np.linalg.eig(backend.to_numpy(x))
        name = "complex64" if backend.dtype_name(x) == "float32" else "complex128"
        return backend.from_numpy(w, name), backend.from_numpy(v, name)

    def matmul(x1: Tensor, x2: Tensor) -> Tensor:
        if backend.dtype_name(x1) != "bool":
            return xp.matmul(x1, x2)
        # The standard multiplies numbers only.
        counts = xp.matmul(xp.astype(x1, xp.int32), xp.astype(x2, xp.int32))
        return counts != 0

    table: dict[str, Kernel] = {"matmul": matmul}
    if linalg is not None:
        table.update(
            cholesky=cholesky,
            qr=qr,
            svd=svd,
            eigh=eigh,
            eig=eig,
            solve=solve,
            solve_triangular=solve_triangular,
            lu_factor=lu_factor,
        )
    return table


def _factor_in_place(a: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Overwrite (B, M, N) matrices by their LU factors and return the pivots.

    Reference: Golub and Van Loan, 2013, "Matrix Computations", algorithm 3.4.1.
    """
    count, m, n = a.shape
    k = min(m, n)
    pivots = np.empty((count, k), np.int32)
    every = np.arange(count)
    with np.errstate(all="ignore"):
        for j in range(k):
            best = j + np.argmax(np.abs(a[:, j:, j]), axis=1)
            pivots[:, j] = best
            here = a[:, j].copy()
            a[:, j] = a[every, best]
            a[every, best] = here
            pivot = a[:, j, j][:, None]
            below = a[:, j + 1 :, j] / np.where(pivot == 0, 1, pivot)
            a[:, j + 1 :, j] = below
            a[:, j + 1 :, j + 1 :] -= below[:, :, None] * a[:, j, j + 1 :][:, None, :]
    return pivots
