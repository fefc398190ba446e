"""Neural-network kernels in JAX: the numerically careful ones it has itself."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import jax
import jax.numpy as jnp

from polykeras import dtypes, ops
from polykeras_jax.naming import name_of

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]


def _gelu(x: Any, approximate: bool) -> Any:
    return jax.nn.gelu(x, approximate=approximate)


def _softmax(x: Any, axis: tuple[int, ...]) -> Any:
    return jax.nn.softmax(x, axis=axis)


def _log_softmax(x: Any, axis: tuple[int, ...]) -> Any:
    return jax.nn.log_softmax(x, axis=axis)


def _one_hot(x: Any, num_classes: int, axis: int, dtype: str, sparse: bool) -> Any:
    # The library counts classes in the dtype of `x`, where 8 bits wrap round.
    x = x.astype(jnp.int32) if x.dtype.itemsize < jnp.int32.dtype.itemsize else x
    return jax.nn.one_hot(x, num_classes, dtype=dtype, axis=axis)


def _sparse_softmax_crossentropy(target: Any, logits: Any, axis: int) -> Any:
    count = logits.shape[axis]
    inside = (target >= 0) & (target < count)
    place = jnp.expand_dims(jnp.where(inside, target, 0), axis)
    shifted = logits - jax.lax.stop_gradient(logits.max(axis=axis, keepdims=True))
    picked = jnp.take_along_axis(shifted, place, axis=axis).squeeze(axis)
    total = jnp.log(jnp.exp(shifted).sum(axis=axis))
    return jnp.where(inside, total - picked, jnp.zeros((), logits.dtype))


def _attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any,
    mask: Any,
    scale: float,
    is_causal: bool,
    flash_attention: bool | None,
    attn_logits_soft_cap: float | None,
) -> Any:
    # The library rounds float64 logits to float32, knows no cap, and wants values as
    # wide as keys; its float16 products ask for a precision that XLA lacks on CPUs.
    # Its axis for groups of heads costs copies, a tenth of a step in float32.
    native = query.dtype == jnp.bfloat16 and query.shape[-1] == value.shape[-1]
    if attn_logits_soft_cap is not None or not native:
        body = ops.dot_product_attention.__wrapped__  # type: ignore[attr-defined]
        return body(
            *(query, key, value, bias, mask, scale),
            *(is_causal, flash_attention, attn_logits_soft_cap),
        )
    full = (query.shape[0], query.shape[2], query.shape[1], key.shape[1])
    return jax.nn.dot_product_attention(
        query,
        key,
        value,
        bias=None if bias is None else _four(bias).astype(query.dtype),
        mask=None if mask is None else jnp.broadcast_to(mask, full),
        scale=scale,
        is_causal=is_causal,
        implementation="xla",
    )


def _four(x: Any) -> Any:
    return x.reshape((1,) * (4 - x.ndim) + x.shape)


def _batch_normalization_training(
    x: Any, axis: int, offset: Any, scale: Any, epsilon: float
) -> tuple[Any, Any, Any]:
    wide = x.astype(dtypes.accumulation_dtype(name_of(x.dtype)))
    shape = tuple(n if i == axis else 1 for i, n in enumerate(x.shape))
    scale, offset = (
        jnp.full(shape, default, wide.dtype)
        if weight is None
        else weight.astype(wide.dtype).reshape(shape)
        for weight, default in ((scale, 1), (offset, 0))
    )
    out, mean, variance = _normalized(wide, scale, offset, axis, epsilon)
    parts = out, mean.reshape(-1), variance.reshape(-1)
    return tuple(part.astype(x.dtype) for part in parts)  # type: ignore[return-value]


@functools.partial(jax.custom_jvp, nondiff_argnums=(3, 4))
def _normalized(
    x: Any, scale: Any, offset: Any, axis: int, epsilon: float
) -> tuple[Any, Any, Any]:
    """Return the normalised values, means and variances; weights have all axes."""
    others = tuple(i for i in range(x.ndim) if i != axis)
    mean = jnp.mean(x, others, keepdims=True)
    away = x - mean
    variance = jnp.mean(away * away, others, keepdims=True)
    return away * (scale * jax.lax.rsqrt(variance + epsilon)) + offset, mean, variance


@_normalized.defjvp
def _(axis: int, epsilon: float, primals: Any, tangents: Any) -> tuple[Any, Any]:
    # The variance does not change with the mean, as differences from it sum up to zero.
    # Derived through its parts, a step of a residual net takes half as long again.
    (x, scale, offset), (dx, dscale, doffset) = primals, tangents
    others = tuple(i for i in range(x.ndim) if i != axis)
    out, mean, variance = _normalized(x, scale, offset, axis, epsilon)
    away, factor = x - mean, jax.lax.rsqrt(variance + epsilon)
    slope = scale * factor
    dmean = jnp.mean(dx, others, keepdims=True)
    dvariance = 2 * jnp.mean(away * dx, others, keepdims=True)
    # Powers of the factor would be 0 where numbers are some 1e13 apart.
    along = jnp.mean(away * factor * dx, others, keepdims=True)
    dslope = (dscale - slope * along) * factor
    dout = dx * slope + away * dslope + (doffset - dmean * slope)
    return (out, mean, variance), (dout, dmean, dvariance)


KERNELS: Final[dict[str, Kernel]] = {
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "silu": jax.nn.silu,
    "gelu": _gelu,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "one_hot": _one_hot,
    "batch_normalization_training": _batch_normalization_training,
    "sparse_softmax_crossentropy": _sparse_softmax_crossentropy,
    "dot_product_attention": _attention,
}
