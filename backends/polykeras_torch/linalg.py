"""Kernels of linear algebra."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor
from torch.nn import functional

from polykeras import ops
from polykeras_torch.small_floats import SMALL, is_multiplied, widened
from polykeras_torch.surroundings import needs_composition

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

_WIDE: Final = frozenset({torch.float32, torch.float64})


def _multiplied(kernel: Callable[..., Tensor], *operands: Tensor) -> Tensor:
    """Apply a product to dtypes that PyTorch multiplies slowly or not, in a wider one.

    It has no products of booleans anywhere, of some integers on the CPU, and of
    any integers on accelerators; float64 holds those of 32 bits exactly.
    """
    dtype = operands[0].dtype
    if dtype.is_floating_point or dtype.is_complex:
        if dtype.itemsize > 1 and is_multiplied(operands[0]):
            return kernel(*operands)
        return kernel(*(x.float() for x in operands)).to(dtype)
    wide = torch.int64 if operands[0].device.type == "cpu" else torch.float64
    product = kernel(*(x.to(wide) for x in operands))
    return product != 0 if dtype is torch.bool else product.to(torch.int64).to(dtype)


def matmul(x1: Tensor, x2: Tensor) -> Tensor:
    """Multiply matrices."""
    if x1.dtype in _WIDE:
        return torch.matmul(x1, x2)
    return _multiplied(torch.matmul, x1, x2)


def tensordot(x1: Tensor, x2: Tensor, axes: Any) -> Tensor:
    """Contract axes."""
    left, right = list(axes[0]), list(axes[1])
    return _multiplied(lambda a, b: torch.tensordot(a, b, (left, right)), x1, x2)


def einsum(subscripts: str, operands: Sequence[Tensor]) -> Tensor:
    """Contract by a formula."""
    return _multiplied(lambda *xs: torch.einsum(subscripts, *xs), *operands)


def _symmetric(x: Tensor) -> Tensor:
    return (x + x.mH) * 0.5


@widened
def cholesky(x: Tensor, upper: bool) -> Tensor:
    """Return triangular factors, NaN where there are none."""
    factor, failed = torch.linalg.cholesky_ex(_symmetric(x), upper=upper)
    return torch.where((failed != 0)[..., None, None], torch.nan, factor)


@widened
def qr(x: Tensor, mode: str) -> tuple[Tensor, Tensor]:
    """Return orthogonal and triangular factors."""
    q, r = torch.linalg.qr(x, mode=mode)
    return q, r


@widened
def svd(x: Tensor, full_matrices: bool, compute_uv: bool) -> Any:
    """Return singular values, and vectors if asked for."""
    if not compute_uv:
        return torch.linalg.svdvals(x)
    return tuple(torch.linalg.svd(x, full_matrices=full_matrices))


@widened
def eigh(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return eigenvalues and eigenvectors of symmetric matrices."""
    w, v = torch.linalg.eigh(_symmetric(x))
    return w, v


def eig(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return eigenvalues and eigenvectors."""
    w, v = torch.linalg.eig(x.float() if x.dtype in SMALL else x)
    return w, v


@widened
def lu_factor(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return LU factors and pivots counted from 0."""
    lu, pivots, _ = torch.linalg.lu_factor_ex(x)
    return lu, (pivots - 1).to(torch.int32)


def _as_columns(
    solver: Callable[[Tensor, Tensor], Tensor], a: Tensor, b: Tensor
) -> Tensor:
    if b.ndim == a.ndim - 1:
        return solver(a, b[..., None])[..., 0]
    if b.ndim != a.ndim:
        raise ValueError("b does not fit a")
    return solver(a, b)


def _solve_columns(a: Tensor, b: Tensor) -> Tensor:
    solution, failed = torch.linalg.solve_ex(a, b)
    return torch.where((failed != 0)[..., None, None], torch.nan, solution)


@widened
def solve(a: Tensor, b: Tensor) -> Tensor:
    """Solve systems, NaN where a matrix is singular."""
    return _as_columns(_solve_columns, a, b)


@widened
def solve_triangular(a: Tensor, b: Tensor, lower: bool) -> Tensor:
    """Solve triangular systems, NaN where a diagonal has a zero."""

    def columns(a: Tensor, b: Tensor) -> Tensor:
        solution = torch.linalg.solve_triangular(a, b, upper=not lower)
        singular = (torch.diagonal(a, dim1=-2, dim2=-1) == 0).any(-1)
        return torch.where(singular[..., None, None], torch.nan, solution)

    return _as_columns(columns, a, b)


@widened
def inv(x: Tensor) -> Tensor:
    """Return inverses, NaN where there is none."""
    inverse, failed = torch.linalg.inv_ex(x)
    return torch.where((failed != 0)[..., None, None], torch.nan, inverse)


@widened
def pinv(x: Tensor, rcond: float) -> Tensor:
    """Return pseudo-inverses."""
    inverse: Tensor = torch.linalg.pinv(x, rtol=rcond)
    return inverse


@widened
def det(x: Tensor) -> Tensor:
    """Return determinants."""
    found: Tensor = torch.linalg.det(x)
    return found


@widened
def slogdet(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return signs and logarithms of determinants."""
    sign, logarithm = torch.linalg.slogdet(x)
    return sign, logarithm


def norm(x: Tensor, order: Any, axis: tuple[int, ...] | None, keepdims: bool) -> Tensor:
    """Return a norm; the library's own where it is the root of a sum of squares."""
    rooted = axis is None or order == "fro" or (order == 2 and len(axis) == 1)
    if rooted and x.dtype in _WIDE and not needs_composition():
        root: Tensor = torch.linalg.vector_norm(x, 2, axis, keepdims)
        return root
    body = ops.norm.__wrapped__  # type: ignore[attr-defined]
    composed: Tensor = body(x, order, axis, keepdims)
    return composed


def cdist(x: Tensor, y: Tensor) -> Tensor:
    """Return distances by differences: the library's default is an expanded square."""
    fits = min(x.ndim, y.ndim) > 1 and x.shape[-1] == y.shape[-1]
    if fits and x.dtype in _WIDE and not needs_composition():
        return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
    body = ops.cdist.__wrapped__  # type: ignore[attr-defined]
    composed: Tensor = body(x, y)
    return composed


def correlate(x1: Tensor, x2: Tensor, mode: str) -> Tensor:
    """Correlate signals as a convolution does."""
    signals = x1.ndim == x2.ndim == 1 and min(len(x1), len(x2)) > 0
    if not signals or x1.dtype not in _WIDE or mode not in ("valid", "same", "full"):
        body = ops.correlate.__wrapped__  # type: ignore[attr-defined]
        composed: Tensor = body(x1, x2, mode)
        return composed
    swapped = len(x1) < len(x2)
    long, short = (x2, x1) if swapped else (x1, x2)
    size = len(short)
    if mode == "same":
        long = functional.pad(long, (size // 2, size - 1 - size // 2))
    reach = size - 1 if mode == "full" else 0
    out = functional.conv1d(long[None, None], short[None, None], padding=reach)[0, 0]
    return out.flip(0) if swapped else out


KERNELS: Final[dict[str, Kernel]] = {
    "matmul": matmul,
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
    "norm": norm,
    "cdist": cdist,
    "correlate": correlate,
}
