"""Floats of 16 bits, which some kernels do not take, and some CPUs multiply slowly."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar, cast

import torch
from torch import Tensor

__all__ = ["ASKED", "SMALL", "is_multiplied", "widened", "widened_product"]

K = TypeVar("K", bound=Callable[..., Any])

SMALL: Final = frozenset({torch.float16, torch.bfloat16})


# Functions by which the library tells whether the CPU has instructions for a float.
ASKED: Final = {
    torch.bfloat16: "_is_mkldnn_bf16_supported",
    torch.float16: "_is_mkldnn_fp16_supported",
}


def _multiplied_on_cpu() -> frozenset[torch.dtype]:
    # They are the library's own and may go: float32 is right everywhere.
    tells = {
        dtype: getattr(torch.ops.mkldnn, name, None) for dtype, name in ASKED.items()
    }
    return frozenset(dtype for dtype, has in tells.items() if has is not None and has())


_MULTIPLIED_ON_CPU: Final = _multiplied_on_cpu()
"""Small floats that this CPU has instructions for."""


def is_multiplied(x: Tensor) -> bool:
    """Return whether products of such tensors are best made in their own dtype.

    Without instructions for a small float, the library's products of matrices take 40
    times as long as in float32, and convolutions 10 times.
    """
    if x.dtype not in SMALL:
        return True
    return x.device.type != "cpu" or x.dtype in _MULTIPLIED_ON_CPU


def widened(kernel: K) -> K:
    """Run a kernel in float32 for small floats, and round the results."""

    @wraps(kernel)
    def call(*args: Any) -> Any:
        if args[0].dtype not in SMALL:
            return kernel(*args)
        return _in_float32(kernel, args)

    return cast("K", call)


def widened_product(kernel: K) -> K:
    """Do so where the library multiplies small floats slowly."""

    @wraps(kernel)
    def call(*args: Any) -> Any:
        if is_multiplied(args[0]):
            return kernel(*args)
        return _in_float32(kernel, args)

    return cast("K", call)


def _in_float32(kernel: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    dtype = args[0].dtype
    out = kernel(*(a.float() if isinstance(a, Tensor) else a for a in args))
    if isinstance(out, tuple):
        return tuple(o.to(dtype) if o.is_floating_point() else o for o in out)
    return out.to(dtype)
