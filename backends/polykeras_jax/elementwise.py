"""Kernels of the domain elementwise."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import jax
import jax.numpy as jnp
from jax.scipy import special

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

Array = jax.Array


def _counted(x: Any) -> Any:
    return x.astype(jnp.int32) if x.dtype == bool else x


def _inexact(x: Any) -> bool:
    return bool(jnp.issubdtype(x.dtype, jnp.inexact))


def _guarded(fn: Callable[[Array, Array], Array]) -> Kernel:
    """Give 0 where integers are divided by 0, which XLA leaves undefined."""

    def kernel(x1: Any, x2: Any) -> Array:
        x1, x2 = _counted(x1), _counted(x2)
        if _inexact(x1):
            return fn(x1, x2)
        zero = x2 == 0
        out = fn(x1, jnp.where(zero, jnp.ones_like(x2), x2))
        return jnp.where(zero, jnp.zeros_like(out), out)

    return kernel


def _shifting(fn: Callable[[Array, Array], Array]) -> Kernel:
    def kernel(x: Any, y: Any) -> Array:
        if x.dtype == bool:
            raise TypeError("booleans have no bits to shift")
        return fn(x, y)

    return kernel


def _abs(x: Any) -> Array:
    # JAX takes the slope at 0 for 1; concrete arrays are not differentiated.
    if isinstance(x, jax.core.Tracer) and jnp.issubdtype(x.dtype, jnp.floating):
        return jnp.where(x == 0, jnp.zeros_like(x), jnp.abs(x))
    return jnp.abs(x)


def _i0(x: Any) -> Array:
    # JAX's own takes the slope at 0 for 1.
    return jnp.exp(_abs(x)) * special.i0e(x)


def _square(x: Any) -> Array:
    return jnp.square(_counted(x))


def _log1p(x: Any) -> Array:
    y = jnp.log1p(x)
    if x.dtype != jnp.float64:
        return y
    # XLA takes log(1 + x) from 1e-4 on, which loses digits to the rounding of the
    # sum; x / ((1 + x) - 1) is what the rounding did to x. Without the barrier XLA
    # takes (1 + x) - 1 for x.
    fixed = jax.lax.stop_gradient(x)
    total = jax.lax.optimization_barrier(1.0 + fixed)  # type: ignore[no-untyped-call]
    exact = jnp.log(total) * (fixed / (total - 1.0))
    step = exact - jax.lax.stop_gradient(y)
    return y + jnp.where(jnp.isfinite(step), step, jnp.zeros_like(step))


def _arctanh(x: Any) -> Array:
    # XLA's own divides 1 + x by 1 - x, which loses the digits of small values.
    if jnp.issubdtype(x.dtype, jnp.complexfloating):
        return jnp.arctanh(x)
    return 0.5 * (_log1p(x) - _log1p(-x))


def _erfinv(x: Any) -> Array:
    y = special.erfinv(x)
    if x.dtype != jnp.float64:
        return y
    # XLA's polynomial is off by thousands of units in float64: one step of Newton's
    # method, on the tail's own function where erf is too near 1 to tell.
    fixed, size = jax.lax.stop_gradient(y), jnp.abs(jax.lax.stop_gradient(x))
    root = jnp.abs(fixed)
    near = special.erf(root) - size
    far = (1.0 - size) - special.erfc(root)
    slope = 0.5 * math.sqrt(math.pi) * jnp.exp(fixed * fixed)
    step = jnp.where(size < 0.5, near, far) * slope
    step = jnp.where(size < 1.0, step, jnp.zeros_like(step))
    return y - jnp.sign(fixed) * step


def _power(x1: Any, x2: Any) -> Array:
    x1, x2 = _counted(x1), _counted(x2)
    if not jnp.issubdtype(x2.dtype, jnp.signedinteger):
        return jnp.power(x1, x2)
    inverse = x2 < 0
    result = jnp.power(x1, jnp.where(inverse, jnp.zeros_like(x2), x2))
    unit = jnp.where(x2 % 2 == 0, jnp.ones_like(x1), x1)
    unit = jnp.where(jnp.abs(x1) == 1, unit, jnp.zeros_like(x1))
    return jnp.where(inverse, unit, result)


def _round(x: Array, decimals: int) -> Array:
    if not _inexact(x):
        if decimals >= 0:
            return x
        with jax.enable_x64(True):
            return _round(x.astype(jnp.float64), decimals).astype(x.dtype)
    if decimals == 0:
        return jnp.round(x)
    scale = 10.0 ** abs(decimals)
    if decimals > 0:
        return jnp.round(x * scale) / scale
    return jnp.round(x / scale) * scale


def _trunc(x: Array) -> Array:
    return jnp.trunc(x) if _inexact(x) else x


def _view_as_complex(x: Array) -> Array:
    return jax.lax.complex(x[..., 0], x[..., 1])


def _where(condition: Any, x1: Any, x2: Any) -> Any:
    if x1 is not None:
        return jnp.where(condition, x1, x2)
    return tuple(i.astype(jnp.int32) for i in jnp.nonzero(condition))


def _clip(x: Any, x_min: Any, x_max: Any) -> Array:
    if x_min is not None:
        x = jnp.maximum(x, x_min)
    return x if x_max is None else jnp.minimum(x, x_max)


KERNELS: Final[dict[str, Kernel]] = {
    name: getattr(jnp, name)
    for name in (
        "add",
        "arccos",
        "arccosh",
        "arcsin",
        "arcsinh",
        "arctan",
        "arctan2",
        "bitwise_and",
        "bitwise_not",
        "bitwise_or",
        "bitwise_xor",
        "cbrt",
        "ceil",
        "conj",
        "cos",
        "cosh",
        "divide",
        "equal",
        "exp",
        "exp2",
        "expm1",
        "floor",
        "gcd",
        "greater",
        "greater_equal",
        "imag",
        "isfinite",
        "isinf",
        "isnan",
        "lcm",
        "ldexp",
        "less",
        "less_equal",
        "log",
        "log10",
        "log2",
        "logaddexp",
        "logaddexp2",
        "logical_and",
        "logical_not",
        "logical_or",
        "logical_xor",
        "maximum",
        "minimum",
        "multiply",
        "negative",
        "nextafter",
        "not_equal",
        "real",
        "reciprocal",
        "sign",
        "signbit",
        "sin",
        "sinc",
        "sinh",
        "sqrt",
        "subtract",
        "tan",
        "tanh",
    )
} | {
    "abs": _abs,
    "arctanh": _arctanh,
    "clip": _clip,
    "erf": special.erf,
    "erfc": special.erfc,
    "erfinv": _erfinv,
    "floor_divide": _guarded(jnp.floor_divide),
    "fmod": _guarded(jnp.fmod),
    "i0": _i0,
    "left_shift": _shifting(jnp.left_shift),
    "log1p": _log1p,
    "mod": _guarded(jnp.remainder),
    "power": _power,
    "right_shift": _shifting(jnp.right_shift),
    "round": _round,
    "rsqrt": jax.lax.rsqrt,
    "square": _square,
    "trunc": _trunc,
    "view_as_complex": _view_as_complex,
    "where": _where,
}
