"""Kernels of linear algebra."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import jax
import jax.numpy as jnp

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

_SMALL: Final = frozenset({jnp.dtype(jnp.float16), jnp.dtype(jnp.bfloat16)})


def tensordot(x1: Any, x2: Any, axes: Any) -> Any:
    """Contract axes."""
    return jnp.tensordot(x1, x2, axes)


def einsum(subscripts: str, operands: Sequence[Any]) -> Any:
    """Contract by a formula."""
    return jnp.einsum(subscripts, *operands)


def _widened(kernel: Callable[..., Any]) -> Kernel:
    """Run a kernel in float32 for small floats, and round the results."""

    @wraps(kernel)
    def call(*args: Any) -> Any:
        dtype = args[0].dtype
        if dtype not in _SMALL:
            return kernel(*args)
        wide = [a.astype(jnp.float32) if hasattr(a, "astype") else a for a in args]
        out = kernel(*wide)
        if isinstance(out, tuple):
            return tuple(o.astype(dtype) if o.dtype == jnp.float32 else o for o in out)
        return out.astype(dtype)

    return call


@_widened
def cholesky(x: Any, upper: bool) -> Any:
    """Return triangular factors, NaN where there are none."""
    factor = jnp.linalg.cholesky(x, upper=upper)
    failed = jnp.isnan(factor).any((-2, -1), keepdims=True)
    return jnp.where(failed, jnp.nan, factor)


@_widened
def qr(x: Any, mode: str) -> tuple[Any, Any]:
    """Return orthogonal and triangular factors."""
    m, n = x.shape[-2:]
    if m < n:
        # JAX differentiates only matrices with at least as many rows as columns.
        q, left = jnp.linalg.qr(x[..., :m])
        right = jnp.matmul(q.mT.conj(), x[..., m:])
        return q, jnp.concatenate([left, right], axis=-1)
    q, r = jnp.linalg.qr(x, mode="reduced" if m == n else mode)
    return q, r


@_widened
def svd(x: Any, full_matrices: bool, compute_uv: bool) -> Any:
    """Return singular values, and vectors if asked for."""
    if not compute_uv:
        return jnp.linalg.svd(x, compute_uv=False)
    if not full_matrices:
        return tuple(jnp.linalg.svd(x, full_matrices=False))
    full = jnp.linalg.svd(jax.lax.stop_gradient(x), full_matrices=True)
    if not isinstance(x, jax.core.Tracer):
        return tuple(full)
    # JAX has no derivative of full factors; it exists for the first columns.
    u, s, vh = jnp.linalg.svd(x, full_matrices=False)
    k = s.shape[-1]
    u = jnp.concatenate([u, full[0][..., k:]], axis=-1)
    return u, s, jnp.concatenate([vh, full[2][..., k:, :]], axis=-2)


@_widened
def eigh(x: Any) -> tuple[Any, Any]:
    """Return eigenvalues and eigenvectors of symmetric matrices."""
    w, v = jnp.linalg.eigh(x)
    return w, v


def eig(x: Any) -> tuple[Any, Any]:
    """Return eigenvalues and eigenvectors."""
    w, v = jnp.linalg.eig(x.astype(jnp.float32) if x.dtype in _SMALL else x)
    return w, v


@_widened
def lu_factor(x: Any) -> tuple[Any, Any]:
    """Return LU factors and pivots."""
    lu, pivots, _ = jax.lax.linalg.lu(x)
    return lu, pivots.astype(jnp.int32)


def _as_columns(solver: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    if b.ndim == a.ndim - 1:
        return solver(a, b[..., None])[..., 0]
    if b.ndim != a.ndim:
        raise ValueError("b does not fit a")
    return solver(a, b)


def _batched(a: Any, b: Any) -> tuple[Any, Any]:
    batch = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return (
        jnp.broadcast_to(a, batch + a.shape[-2:]),
        jnp.broadcast_to(b, batch + b.shape[-2:]),
    )


def _finite_columns(x: Any) -> Any:
    """Return NaN for whole columns where a division by a zero pivot spoilt a value."""
    finite = jnp.isfinite(x).all(-2, keepdims=True)
    return jnp.where(finite, x, jnp.nan)


@_widened
def solve(a: Any, b: Any) -> Any:
    """Solve systems, NaN where a matrix is singular."""
    return _as_columns(lambda a, b: _finite_columns(jnp.linalg.solve(a, b)), a, b)


@_widened
def solve_triangular(a: Any, b: Any, lower: bool) -> Any:
    """Solve triangular systems, NaN where a diagonal has a zero."""

    def columns(a: Any, b: Any) -> Any:
        a, b = _batched(a, b)
        solution = jax.lax.linalg.triangular_solve(a, b, left_side=True, lower=lower)
        singular = (jnp.diagonal(a, axis1=-2, axis2=-1) == 0).any(-1)
        return jnp.where(singular[..., None, None], jnp.nan, solution)

    return _as_columns(columns, a, b)


@_widened
def inv(x: Any) -> Any:
    """Return inverses, NaN where there is none."""
    inverse = jnp.linalg.inv(x)
    finite = jnp.isfinite(inverse).all((-2, -1), keepdims=True)
    return jnp.where(finite, inverse, jnp.nan)


@_widened
def pinv(x: Any, rcond: float) -> Any:
    """Return pseudo-inverses."""
    return jnp.linalg.pinv(x, rtol=rcond)


@_widened
def det(x: Any) -> Any:
    """Return determinants."""
    return jnp.linalg.det(x)


@_widened
def slogdet(x: Any) -> tuple[Any, Any]:
    """Return signs and logarithms of determinants."""
    sign, logarithm = jnp.linalg.slogdet(x)
    return sign, logarithm


KERNELS: Final[dict[str, Kernel]] = {
    "matmul": jnp.matmul,
    "tensordot": tensordot,
    "einsum": einsum,
    "cholesky": cholesky,
    "qr": qr,
    "svd": svd,
    "eigh": eigh,
    "eig": eig,
    "lu_factor": lu_factor,
    "solve": solve,
    "solve_triangular": solve_triangular,
    "inv": inv,
    "pinv": pinv,
    "det": det,
    "slogdet": slogdet,
}
