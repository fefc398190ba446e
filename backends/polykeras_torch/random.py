"""Kernels of the domain random: Threefry in wrapping 32-bit integers.

PyTorch's unsigned integers can hardly compute, and its signed ones wrap, so words
are int32 here, seen as uint32 only in results.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import torch

from polykeras.ops.random_bits import (
    PARITY,
    ROTATIONS,
    SIGNIFICANT_BITS,
    permutation_rounds,
)
from polykeras_torch.dtype_names import TORCH_DTYPES

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

# On a CPU the buffers of one block stay in the cache.
_BLOCK: Final = 1 << 17
_MASK: Final = 0xFFFFFFFF


def _signed(word: int) -> int:
    """Return the int32 with the bits of a 32-bit word."""
    word &= _MASK
    return word - (1 << 32) if word >> 31 else word


def _logical_shift(x: torch.Tensor, distance: int) -> torch.Tensor:
    shifted = torch.bitwise_right_shift(x, distance)
    return shifted.bitwise_and_((1 << (32 - distance)) - 1)


def _schedule(seed: torch.Tensor) -> list[torch.Tensor]:
    k0, k1 = seed.view(torch.int32).unbind()
    return [k0, k1, k0 ^ k1 ^ PARITY]


def _encrypt(
    schedule: list[torch.Tensor], x0: torch.Tensor, x1: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Run the twenty rounds in place; the first key is added already."""
    for group in range(5):
        for distance in ROTATIONS[group % 2]:
            x0.add_(x1)
            high = torch.bitwise_left_shift(x1, distance)
            x1 = _logical_shift(x1, 32 - distance).bitwise_or_(high).bitwise_xor_(x0)
        x0.add_(schedule[(group + 1) % 3])
        x1.add_(schedule[(group + 2) % 3] + (group + 1))
    return x0, x1


def _words(seed: torch.Tensor, count: int) -> torch.Tensor:
    """Return `count` words as int32 of shape (count,)."""
    schedule = _schedule(seed)
    device = seed.device
    block = _BLOCK if device.type == "cpu" else max(count, 1)
    parts: list[torch.Tensor] = []
    start = 0
    while start < count or not parts:
        low, high = start & _MASK, start >> 32
        stop = min(start + block, count, start + (1 << 32) - low)
        x1 = torch.arange(stop - start, dtype=torch.int32, device=device)
        x1 = x1.add_(_signed(low)).add_(schedule[1])
        x0 = (schedule[0] + high).expand(x1.shape).clone()
        x0, x1 = _encrypt(schedule, x0, x1)
        parts.append(x0.bitwise_xor_(x1))
        start = max(stop, 1)
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _bits(seed: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    return _words(seed, math.prod(shape)).reshape(shape)


def _random_bits(seed: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    return _bits(seed, shape).view(torch.uint32)


def _pairs(seed: torch.Tensor, low: torch.Tensor) -> torch.Tensor:
    schedule = _schedule(seed)
    x1 = low + schedule[1]
    x0 = schedule[0].expand(x1.shape).clone()
    return torch.stack(_encrypt(schedule, x0, x1), -1).view(torch.uint32)


def _random_split(seed: torch.Tensor, num: int) -> torch.Tensor:
    return _pairs(seed, torch.arange(num, dtype=torch.int32, device=seed.device))


def _random_fold_in(seed: torch.Tensor, data: torch.Tensor) -> torch.Tensor:
    wide = data.to(device=seed.device, dtype=torch.int64)
    # Conversion to int32 keeps the low bits.
    return _pairs(seed, wide.to(torch.int32).reshape(1))[0]


def _random_advance(seed: torch.Tensor) -> torch.Tensor:
    k0, k1 = seed.view(torch.int32).unbind()
    return torch.stack([k0, k1 + 1]).view(torch.uint32)


def _wide(seed: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    words = _bits(seed, (2, *shape))
    high = words[0].to(torch.int64).bitwise_and_(_MASK)
    low = _logical_shift(words[1], 11)
    return (high * (1 << 21) + low).to(torch.float64)


def _random_uniform(
    seed: torch.Tensor, shape: tuple[int, ...], dtype: str
) -> torch.Tensor:
    if dtype == "float64":
        return _wide(seed, shape).mul_(2.0**-53)
    count = SIGNIFICANT_BITS[dtype]
    k = _logical_shift(_bits(seed, shape), 32 - count).to(torch.float32)
    return k.mul_(2.0**-count).to(TORCH_DTYPES[dtype])


def _random_signed(
    seed: torch.Tensor, shape: tuple[int, ...], dtype: str
) -> torch.Tensor:
    if dtype == "float64":
        k = _wide(seed, shape).sub_(float(1 << 52))
        return k.add_(k).add_(1.0).mul_(2.0**-53)
    k = _logical_shift(_bits(seed, shape), 8).sub_(1 << 23)
    return k.mul_(2).add_(1).to(torch.float32).mul_(2.0**-24)


def _random_mask(
    seed: torch.Tensor, shape: tuple[int, ...], probability: float
) -> torch.Tensor:
    threshold = round(probability * (1 << 32))
    if threshold > _MASK:
        return torch.ones(shape, dtype=torch.bool, device=seed.device)
    # Flipping the top bit maps the order of unsigned to that of signed integers.
    flipped = _bits(seed, shape).bitwise_xor_(_signed(1 << 31))
    return flipped < _signed(threshold ^ (1 << 31))


def _random_integers(
    seed: torch.Tensor, shape: tuple[int, ...], span: torch.Tensor
) -> torch.Tensor:
    words = _bits(seed, (2, *shape)).to(torch.int64).bitwise_and_(_MASK)
    span = span.to(device=seed.device, dtype=torch.int64)
    # Products of two words may set the sign bit: mask what the shift brings in.
    low = ((words[1] * span) >> 32) & _MASK
    high = words[0] * span
    carry = (low + (high & _MASK)) >> 32
    value = ((high >> 32) & _MASK) + carry
    return value.to(torch.int32).view(torch.uint32)


def _random_permutation(seed: torch.Tensor, num: int) -> torch.Tensor:
    order = torch.arange(num, dtype=torch.int64, device=seed.device)
    words = _bits(seed, (permutation_rounds(num), num))
    for row in words.bitwise_xor_(_signed(1 << 31)):
        order = order[torch.argsort(row[order], stable=True)]
    return order.to(torch.int32)


def _scale_where(x: torch.Tensor, mask: torch.Tensor, scale: float) -> torch.Tensor:
    return torch.where(mask, x * scale, torch.zeros((), dtype=x.dtype, device=x.device))


KERNELS: Final[dict[str, Kernel]] = {
    "random_bits": _random_bits,
    "random_split": _random_split,
    "random_fold_in": _random_fold_in,
    "random_advance": _random_advance,
    "random_uniform": _random_uniform,
    "random_signed": _random_signed,
    "random_mask": _random_mask,
    "random_integers": _random_integers,
    "random_permutation": _random_permutation,
    "scale_where": _scale_where,
}
