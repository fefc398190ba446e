"""Kernels of the domain shaping: PyTorch's views, without copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

Axes = tuple[int, ...]
# PyTorch has few kernels for these; moving values needs only their bits.
_BITS: Final = {
    torch.uint16: torch.int16,
    torch.uint32: torch.int32,
    torch.uint64: torch.int64,
}


def _concatenate(xs: list[torch.Tensor], axis: int) -> torch.Tensor:
    return torch.cat(xs, axis)


def _expand_dims(x: torch.Tensor, axes: Axes) -> torch.Tensor:
    for axis in axes:
        x = x.unsqueeze(axis)
    return x


def _flip(x: torch.Tensor, axes: Axes) -> torch.Tensor:
    bits = _BITS.get(x.dtype)
    return x.view(bits).flip(axes).view(x.dtype) if bits else x.flip(axes)


def _pad_constant(
    x: torch.Tensor, pads: tuple[tuple[int, int], ...], value: Any
) -> torch.Tensor:
    flat = [n for pair in reversed(pads) for n in pair]
    bits = _BITS.get(x.dtype)
    if bits or x.dtype == torch.bool or x.is_complex():
        return _pad_by_copy(x, pads, value)
    return torch.nn.functional.pad(x, flat, value=value) if any(flat) else x


def _pad_by_copy(
    x: torch.Tensor, pads: tuple[tuple[int, int], ...], value: Any
) -> torch.Tensor:
    for axis, pair in enumerate(pads):
        blocks = []
        for n in pair:
            shape = list(x.shape)
            shape[axis] = n
            blocks.append(torch.full(shape, value, dtype=x.dtype, device=x.device))
        x = torch.cat([blocks[0], x, blocks[1]], axis)
    return x


def _roll(x: torch.Tensor, shift: Axes, axis: Axes) -> torch.Tensor:
    bits = _BITS.get(x.dtype)
    return x.view(bits).roll(shift, axis).view(x.dtype) if bits else x.roll(shift, axis)


def _split(x: torch.Tensor, points: Axes, axis: int) -> list[torch.Tensor]:
    return list(torch.tensor_split(x, points, axis))


def _unstack(x: torch.Tensor, num: int, axis: int) -> list[torch.Tensor]:
    return list(x.unbind(axis))


def _tile(x: torch.Tensor, repeats: Axes) -> torch.Tensor:
    return x.repeat(repeats)


KERNELS: Final[dict[str, Kernel]] = {
    "broadcast_to": torch.broadcast_to,
    "concatenate": _concatenate,
    "diagonal": torch.diagonal,
    "expand_dims": _expand_dims,
    "flip": _flip,
    "pad_constant": _pad_constant,
    "reshape": torch.reshape,
    "roll": _roll,
    "split": _split,
    "squeeze": torch.squeeze,
    "stack": torch.stack,
    "tile": _tile,
    "transpose": torch.permute,
    "unstack": _unstack,
}
