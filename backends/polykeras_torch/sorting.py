"""Kernels of sorting and searching."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch

from polykeras_torch.ordering import orderable, restored, signed

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


def _nonzero(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    found = torch.nonzero(signed(x), as_tuple=True)
    return tuple(index.to(torch.int32) for index in found)


KERNELS: Final[dict[str, Kernel]] = {
    "sort": _sort,
    "argsort": _argsort,
    "top_k": _top_k,
    "searchsorted": _searchsorted,
    "nonzero": _nonzero,
}
