"""Kernels of the domain shaping, out of the array API standard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polykeras.backend._base import Tensor
    from polykeras.backend._kernels import Kernel
    from polykeras.backend.array_api._backend import ArrayAPIBackend

__all__ = ["kernels"]


def kernels(backend: ArrayAPIBackend) -> dict[str, Kernel]:
    """Return op name to kernel for the namespace ``backend.xp``."""
    xp = backend.xp

    def reshape(x: Tensor, shape: tuple[int, ...]) -> Tensor:
        return xp.reshape(x, shape)

    def transpose(x: Tensor, axes: tuple[int, ...]) -> Tensor:
        return xp.permute_dims(x, axes)

    def flip(x: Tensor, axes: tuple[int, ...]) -> Tensor:
        return xp.flip(x, axis=axes)

    def concatenate(xs: list[Tensor], axis: int) -> Tensor:
        return xp.concat(xs, axis=axis)

    def pad_constant(
        x: Tensor, pads: tuple[tuple[int, int], ...], value: Any
    ) -> Tensor:
        for axis, pair in enumerate(pads):
            shape = list(x.shape)
            parts = [x]
            for at, n in zip((0, len(parts)), pair, strict=True):
                if n:
                    shape[axis] = n
                    block = xp.full(tuple(shape), value, dtype=x.dtype)
                    parts.insert(at and len(parts), block)
            x = xp.concat(parts, axis=axis) if len(parts) > 1 else x
        return x

    return {
        "broadcast_to": xp.broadcast_to,
        "concatenate": concatenate,
        "flip": flip,
        "pad_constant": pad_constant,
        "reshape": reshape,
        "transpose": transpose,
    }
