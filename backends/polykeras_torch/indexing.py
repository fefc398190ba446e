"""Kernels of the domain indexing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import torch

from polykeras.backend import check_indices
from polykeras.backend.array_api.indexing import block_key
from polykeras_torch.ordering import orderable, restored, signed
from polykeras_torch.tracing import depends_on_arguments

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

_REDUCE: Final = {"max": "amax", "min": "amin", "mul": "prod"}
_MATRIX: Final = 2


def _basic_index(x: torch.Tensor, key: tuple[Any, ...]) -> torch.Tensor:
    return x[key]


def _in_reach(indices: torch.Tensor, size: int) -> torch.Tensor:
    """Return int64 indices, on accelerators moved to the nearest place.

    On the CPU the gather that follows refuses what is out of range. An accelerator
    would stop the process, and to ask first would make the host wait.
    """
    indices = indices.long()
    on_cpu = indices.device.type == "cpu"
    return indices if on_cpu else indices.clamp(-size, size - 1)


def _non_negative(indices: torch.Tensor, size: int) -> torch.Tensor:
    indices = _in_reach(indices, size)
    return torch.where(indices < 0, indices + size, indices)


def _take(x: torch.Tensor, indices: torch.Tensor, axis: int) -> torch.Tensor:
    size = x.shape[axis]
    try:
        if axis == 0 and x.ndim == _MATRIX and x.is_floating_point():
            # Its backward sums rows in parallel, which that of indexing does not.
            return torch.nn.functional.embedding(_non_negative(indices, size), x)
        if not indices.ndim and depends_on_arguments(indices):
            # Indexing would read the number, which a trace cannot.
            place = _non_negative(indices, size).reshape(1)
            return x.index_select(axis, place).squeeze(axis)
        return x[(slice(None),) * axis + (_in_reach(indices, size),)]
    except (IndexError, RuntimeError):
        check_indices("take", indices.cpu(), size, axis)
        raise


def _take_along_axis(x: torch.Tensor, indices: torch.Tensor, axis: int) -> torch.Tensor:
    places = _non_negative(indices, x.shape[axis])
    try:
        return torch.gather(x, axis, places)
    except (IndexError, RuntimeError):
        check_indices("take_along_axis", indices.cpu(), x.shape[axis], axis)
        raise


def _places(
    x: torch.Tensor, start: tuple[Any, ...], shape: tuple[int, ...]
) -> tuple[torch.Tensor, ...] | None:
    """Return a block's indices, moved to fit, where a trace cannot know its start."""
    if not any(isinstance(a, torch.Tensor) and depends_on_arguments(a) for a in start):
        return None
    places = []
    for axis, (first, n, size) in enumerate(zip(start, shape, x.shape, strict=True)):
        at = torch.as_tensor(first, device=x.device).long()
        at = torch.where(at < 0, at + size, at).clamp(0, size - n)
        steps = torch.arange(n, device=x.device) + at
        places.append(steps.reshape([-1 if a == axis else 1 for a in range(x.ndim)]))
    return tuple(places)


def _slice(
    x: torch.Tensor, start: tuple[Any, ...], shape: tuple[int, ...]
) -> torch.Tensor:
    places = _places(x, start, shape)
    return x[block_key(tuple(x.shape), start, shape) if places is None else places]


def _slice_update(
    x: torch.Tensor, start: tuple[Any, ...], updates: torch.Tensor
) -> torch.Tensor:
    shape = tuple(updates.shape)
    places = _places(x, start, shape)
    if places is not None:
        return x.index_put(places, updates)
    out = x.clone()
    out[block_key(tuple(x.shape), start, shape)] = updates
    return out


def _scatter_update(
    x: torch.Tensor, indices: torch.Tensor, updates: torch.Tensor, reduction: str | None
) -> torch.Tensor:
    sizes = tuple(x.shape[: indices.shape[-1]])
    if indices.device.type == "cpu" and not depends_on_arguments(indices):
        check_indices("scatter_update", indices.detach(), sizes, 0)
    parts = [
        torch.where(part < 0, part + n, part)
        for part, n in zip(indices.long().unbind(-1), sizes, strict=True)
    ]
    if reduction in (None, "add"):
        return x.index_put(tuple(parts), updates, accumulate=reduction == "add")
    place = torch.zeros_like(parts[0])
    for part, n in zip(parts, sizes, strict=True):
        place = place * n + part
    rest = tuple(x.shape[len(sizes) :])
    width = math.prod(rest)
    rows = updates.reshape(-1, width)
    places = place.reshape(-1, 1).expand(rows.shape)
    flat = x.reshape(math.prod(sizes), width)
    out = flat.scatter_reduce(0, places, rows, _REDUCE[reduction or ""])
    return out.reshape(x.shape)


def _segment_sum(
    data: torch.Tensor, ids: torch.Tensor, n: int, ordered: bool
) -> torch.Tensor:
    out = data.new_zeros((n + 1, *data.shape[1:]))
    return out.index_add(0, _segments(ids, n), data)[:n]


def _segments(ids: torch.Tensor, n: int) -> torch.Tensor:
    """Send rows outside to one more segment, which is cut off: no branch on values."""
    ids = ids.long()
    return torch.where((ids < 0) | (ids >= n), n, ids)


def _segment_reduction(reduction: str) -> Kernel:
    """Return the kernel that reduces segments by "max", "min" or "mul"."""

    def kernel(
        data: torch.Tensor, ids: torch.Tensor, n: int, ordered: bool
    ) -> torch.Tensor:
        if reduction == "mul":
            values, neutral = _multipliable(data), 1.0
        else:
            values, neutral = orderable(data), _extreme(data.dtype, reduction)
        rows = values.reshape(len(data), math.prod(data.shape[1:]))
        out = rows.new_full((n + 1, rows.shape[1]), neutral)
        places = _segments(ids, n).unsqueeze(1).expand(rows.shape)
        out = out.scatter_reduce(0, places, rows, _REDUCE[reduction])[:n]
        out = out.reshape(n, *data.shape[1:])
        if reduction == "mul":
            return (
                out.view(data.dtype)
                if data.dtype == torch.uint64
                else out.to(data.dtype)
            )
        return restored(out, data.dtype)

    return kernel


def _multipliable(x: torch.Tensor) -> torch.Tensor:
    return x.to(torch.uint8) if x.dtype == torch.bool else signed(x)


def _extreme(dtype: torch.dtype, reduction: str) -> float:
    """Return what no value falls below, or exceeds, as `orderable` gives it."""
    if dtype.is_floating_point:
        return -math.inf if reduction == "max" else math.inf
    info = torch.iinfo(torch.int64 if dtype == torch.uint64 else dtype)
    return info.min if reduction == "max" else info.max


def _extract_sequences(
    x: torch.Tensor, sequence_length: int, sequence_stride: int
) -> torch.Tensor:
    return x.unfold(-1, sequence_length, sequence_stride)


KERNELS: Final[dict[str, Kernel]] = {
    "basic_index": _basic_index,
    "extract_sequences": _extract_sequences,
    "scatter_update": _scatter_update,
    "segment_max": _segment_reduction("max"),
    "segment_min": _segment_reduction("min"),
    "segment_prod": _segment_reduction("mul"),
    "segment_sum": _segment_sum,
    "slice": _slice,
    "slice_update": _slice_update,
    "take": _take,
    "take_along_axis": _take_along_axis,
}
