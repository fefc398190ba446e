"""Kernels of sorting and searching."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch

from polykeras import ops
from polykeras_torch.ordering import orderable, restored, signed
from polykeras_torch.tracing import depends_on_arguments

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]


def _sort(x: torch.Tensor, axis: int) -> torch.Tensor:
    return restored(torch.sort(orderable(x), dim=axis, stable=True).values, x.dtype)


def _argsort(x: torch.Tensor, axis: int) -> torch.Tensor:
    return torch.sort(orderable(x), dim=axis, stable=True).indices.to(torch.int32)


def _top_k(x: torch.Tensor, k: int, sorted: bool) -> tuple[torch.Tensor, torch.Tensor]:
    # torch.topk promises no order among equal values.
    keys = orderable(x)
    if k == 1:
        index = torch.argmax(keys, -1, keepdim=True)
        values = torch.gather(keys, -1, index)
        return restored(values, x.dtype), index.to(torch.int32)
    found = torch.sort(keys, dim=-1, descending=True, stable=True)
    values = restored(found.values[..., :k], x.dtype)
    return values, found.indices[..., :k].to(torch.int32)


def _searchsorted(
    sorted_sequence: torch.Tensor, values: torch.Tensor, side: str
) -> torch.Tensor:
    return torch.searchsorted(
        orderable(sorted_sequence).contiguous(),
        orderable(values).contiguous(),
        out_int32=True,
        right=side == "right",
    )


def _bincount(
    x: torch.Tensor, weights: torch.Tensor | None, minlength: int, sparse: bool
) -> torch.Tensor:
    if weights is None and x.ndim == 1 and not sparse and not depends_on_arguments(x):
        try:
            return torch.bincount(x, minlength=minlength).to(torch.int32)
        except (RuntimeError, TypeError):
            pass  # The composition says what is wrong, or counts other dtypes.
    body = ops.bincount.__wrapped__  # type: ignore[attr-defined]
    composed: torch.Tensor = body(x, weights, minlength, sparse)
    return composed


def _isin(
    x1: torch.Tensor, x2: torch.Tensor, assume_unique: bool, invert: bool
) -> torch.Tensor:
    if x1.is_complex():
        body = ops.isin.__wrapped__  # type: ignore[attr-defined]
        composed: torch.Tensor = body(x1, x2, assume_unique, invert)
        return composed
    # `assume_unique` lets the library join both and sort, which NaN confuses.
    return torch.isin(orderable(x1), orderable(x2), invert=invert)


def _unique(
    x: torch.Tensor,
    ordered: bool,
    index: bool,
    inverse: bool,
    counts: bool,
    axis: int | None,
    size: int | None,
    fill_value: Any,
) -> Any:
    # The library counts each NaN as a value, and knows neither first places nor sizes.
    exact = not (x.is_floating_point() or x.is_complex())
    plain = not index and axis is None and size is None
    if not (exact and plain) or depends_on_arguments(x):
        body = ops.unique.__wrapped__  # type: ignore[attr-defined]
        return body(x, ordered, index, inverse, counts, axis, size, fill_value)
    values, places, numbers = torch.unique(
        orderable(x), return_inverse=True, return_counts=True
    )
    extra = [places.to(torch.int32)] * inverse + [numbers.to(torch.int32)] * counts
    found = restored(values, x.dtype)
    return (found, *extra) if extra else found


def _nonzero(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    found = torch.nonzero(signed(x), as_tuple=True)
    return tuple(index.to(torch.int32) for index in found)


KERNELS: Final[dict[str, Kernel]] = {
    "sort": _sort,
    "argsort": _argsort,
    "top_k": _top_k,
    "searchsorted": _searchsorted,
    "bincount": _bincount,
    "isin": _isin,
    "nonzero": _nonzero,
    "unique": _unique,
}
