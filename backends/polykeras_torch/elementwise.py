"""Kernels of the domain elementwise."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import torch

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

Tensor = torch.Tensor

# PyTorch stores these dtypes but computes little in them.
_WIDER: Final = {
    torch.uint16: torch.int64,
    torch.uint32: torch.int64,
    torch.float8_e4m3fn: torch.float32,
    torch.float8_e5m2: torch.float32,
}
# Sums and products modulo 2**64 have the same bits, signed or not.
_WRAPPING: Final = _WIDER | {torch.uint64: torch.int64}


def _widening(
    fn: Callable[..., Tensor], wider: Mapping[torch.dtype, torch.dtype] = _WIDER
) -> Kernel:
    """Run `fn` in a wider dtype where PyTorch lacks it for the arguments' own."""

    @functools.wraps(fn, updated=())
    def kernel(*args: Tensor) -> Tensor:
        try:
            return fn(*args)
        except (NotImplementedError, RuntimeError):
            narrow = args[0].dtype
            wide = wider.get(narrow)
            if wide is None:
                raise
            out = fn(*(x.to(wide) for x in args))
            return out.to(narrow) if out.dtype == wide else out

    return kernel


def _counted(x: Tensor) -> Tensor:
    return x.to(torch.int32) if x.dtype is torch.bool else x


def _abs(x: Tensor) -> Tensor:
    return x if x.dtype is torch.bool else torch.abs(x)


def _floored(x1: Tensor, x2: Tensor) -> Tensor:
    return torch.div(x1, x2, rounding_mode="floor")


def _guarded(fn: Callable[[Tensor, Tensor], Tensor]) -> Kernel:
    """Give 0 where integers are divided by 0, which PyTorch refuses."""

    def kernel(x1: Tensor, x2: Tensor) -> Tensor:
        x1, x2 = _counted(x1), _counted(x2)
        if x1.is_floating_point():
            return fn(x1, x2)
        zero = x2 == 0
        out = fn(x1, torch.where(zero, torch.ones_like(x2), x2))
        return torch.where(zero, torch.zeros_like(out), out)

    return _widening(kernel)


def _power(x1: Tensor, x2: Tensor) -> Tensor:
    return torch.pow(_counted(x1), _counted(x2))


def _round(x: Tensor, decimals: int) -> Tensor:
    if not (x.is_floating_point() or x.is_complex()):
        if decimals >= 0:
            return x
        return _round(x.to(torch.float64), decimals).to(x.dtype)
    if x.is_complex():
        return torch.complex(_round(x.real, decimals), _round(x.imag, decimals))
    if decimals == 0:
        return torch.round(x)
    scale = 10.0 ** abs(decimals)
    if decimals > 0:
        return torch.round(x * scale) / scale
    return torch.round(x / scale) * scale


def _real(x: Tensor) -> Tensor:
    return torch.real(x) if x.is_complex() else x


def _imag(x: Tensor) -> Tensor:
    return torch.imag(x) if x.is_complex() else torch.zeros_like(x)


def _view_as_complex(x: Tensor) -> Tensor:
    return torch.complex(x[..., 0], x[..., 1])


def _where(condition: Tensor, x1: Any, x2: Any) -> Any:
    if x1 is not None:
        return torch.where(condition, x1, x2)
    return tuple(i.to(torch.int32) for i in torch.nonzero(condition, as_tuple=True))


def _clip(x: Tensor, x_min: Any, x_max: Any) -> Tensor:
    # Not `torch.clamp`, whose gradient at the limits is another one.
    if x_min is not None:
        x = KERNELS["maximum"](x, x_min)
    return x if x_max is None else KERNELS["minimum"](x, x_max)


def _sign(x: Tensor) -> Tensor:
    if x.dtype is torch.bool:
        raise TypeError("booleans have no sign")
    if x.is_complex():
        return torch.sgn(x)
    signs = torch.sign(x)
    if not x.is_floating_point():
        return signs
    # PyTorch gives NaN the sign 0.
    return torch.where(torch.isnan(x), x.detach(), signs)


def _square(x: Tensor) -> Tensor:
    return torch.square(_counted(x))


def _nextafter(x1: Tensor, x2: Tensor) -> Tensor:
    return torch.nextafter(x1.detach(), x2.detach())


def _conj(x: Tensor) -> Tensor:
    return torch.conj(x).resolve_conj()


KERNELS: Final[dict[str, Kernel]] = {
    name: getattr(torch, name)
    for name in (
        "arccos",
        "arccosh",
        "arcsin",
        "arcsinh",
        "arctan",
        "arctan2",
        "arctanh",
        "bitwise_and",
        "bitwise_not",
        "bitwise_or",
        "bitwise_xor",
        "ceil",
        "cos",
        "cosh",
        "divide",
        "erf",
        "erfc",
        "erfinv",
        "exp",
        "exp2",
        "expm1",
        "floor",
        "gcd",
        "isfinite",
        "isinf",
        "isnan",
        "lcm",
        "log",
        "log10",
        "log1p",
        "log2",
        "logaddexp",
        "logaddexp2",
        "logical_and",
        "logical_not",
        "logical_or",
        "logical_xor",
        "reciprocal",
        "rsqrt",
        "signbit",
        "sin",
        "sinc",
        "sinh",
        "sqrt",
        "tan",
        "tanh",
        "trunc",
    )
} | {
    "abs": _widening(_abs),
    "add": _widening(torch.add, _WRAPPING),
    "clip": _clip,
    "conj": _conj,
    "equal": torch.eq,
    "floor_divide": _guarded(_floored),
    "fmod": _guarded(torch.fmod),
    "greater": _widening(torch.gt),
    "greater_equal": _widening(torch.ge),
    "i0": torch.special.i0,
    "imag": _imag,
    "left_shift": _widening(torch.bitwise_left_shift),
    "less": _widening(torch.lt),
    "less_equal": _widening(torch.le),
    "maximum": _widening(torch.maximum),
    "minimum": _widening(torch.minimum),
    "mod": _guarded(torch.remainder),
    "multiply": torch.mul,
    "negative": _widening(torch.neg, _WRAPPING),
    "nextafter": _nextafter,
    "not_equal": torch.ne,
    "power": _widening(_power),
    "real": _real,
    "right_shift": _widening(torch.bitwise_right_shift),
    "round": _round,
    "sign": _widening(_sign),
    "square": _square,
    "subtract": _widening(torch.sub, _WRAPPING),
    "view_as_complex": _view_as_complex,
    "where": _where,
}
