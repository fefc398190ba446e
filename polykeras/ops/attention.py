"""Attention by scaled dot products."""

from __future__ import annotations

import math
from typing import Any, Final

from polykeras import ops
from polykeras.backend import Tensor
from polykeras.errors import ShapeError
from polykeras.ops._declare import op
from polykeras.ops._rules import promoted
from polykeras.ops._shapes import broadcast_shapes

__all__ = ["dot_product_attention"]

_AXES: Final = 4
# Large and negative, but a difference of two of them is still finite.
_MASKED: Final = {
    "float16": -0.7 * 65504.0,
    "bfloat16": -0.7 * 3.38e38,
    "float32": -0.7 * 3.4028234e38,
    "float64": -0.7 * 1.7976931348623157e308,
}


@op(inexact="query key value", tensor="bias", boolean="mask")
def dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """Average values with weights from the products of queries and keys.

    A query that may look nowhere looks everywhere alike.

    Args:
        query: ``(B, T, N, H)``.
        key: ``(B, S, K, H)`` where K divides N: groups of heads share keys.
        value: ``(B, S, K, V)``.
        bias: Added to the logits, broadcast to ``(B, N, T, S)``.
        mask: Where True, the query may look at the key, broadcast likewise.
        scale: Factor of the logits; None means ``1 / sqrt(H)``.
        is_causal: Whether query ``t`` may look at keys up to ``t`` only.
        flash_attention: A wish that changes no result; backends choose themselves.
        attn_logits_soft_cap: Limit of the logits, approached by tanh, or None.

    Returns:
        ``(B, T, N, V)``.

    Raises:
        ShapeError: If the shapes do not fit.

    Reference: Vaswani et al., 2017, "Attention Is All You Need", equation 1; Ainslie
    et al., 2023, "GQA: Training Generalized Multi-Query Transformer Models".

    >>> import polykeras as keras
    >>> x = keras.ops.ones((2, 5, 4, 8))
    >>> keras.ops.dot_product_attention(x, x, x).shape
    (2, 5, 4, 8)
    """
    query, key, value = promoted(query, key, value, inexact=True)
    _check(query, key, value, bias, mask)
    heads, shared = query.shape[2], key.shape[2]
    factor = 1.0 / math.sqrt(query.shape[-1]) if scale is None else scale
    if shared != heads:
        key = ops.repeat(key, heads // shared, axis=2)
        value = ops.repeat(value, heads // shared, axis=2)
    queries = ops.transpose(query, (0, 2, 1, 3))
    keys = ops.transpose(key, (0, 2, 3, 1))
    logits = ops.matmul(ops.multiply(queries, factor), keys)
    dtype = ops.dtype(logits)
    if dtype in ("float16", "bfloat16"):
        logits = ops.cast(logits, "float32")
    if attn_logits_soft_cap is not None:
        capped = ops.tanh(ops.divide(logits, attn_logits_soft_cap))
        logits = ops.multiply(capped, attn_logits_soft_cap)
    if bias is not None:
        logits = ops.add(logits, ops.cast(bias, ops.dtype(logits)))
    allowed = _allowed(mask, is_causal, query.shape[1], key.shape[1])
    if allowed is not None:
        logits = ops.where(allowed, logits, _MASKED[ops.dtype(logits)])
    weights = ops.cast(ops.softmax(logits, axis=-1), dtype)
    averaged = ops.matmul(weights, ops.transpose(value, (0, 2, 1, 3)))
    return ops.transpose(averaged, (0, 2, 1, 3))


@dot_product_attention.prepare
def _(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor | None,
    mask: Tensor | None,
    scale: float | None,
    is_causal: bool,
    flash_attention: bool | None,
    attn_logits_soft_cap: float | None,
) -> tuple[Any, ...]:
    _check(query, key, value, bias, mask)
    factor = 1.0 / math.sqrt(query.shape[-1]) if scale is None else scale
    return (
        query,
        key,
        value,
        bias,
        mask,
        factor,
        is_causal,
        flash_attention,
        attn_logits_soft_cap,
    )


def _allowed(
    mask: Tensor | None, is_causal: bool, queries: int, keys: int
) -> Tensor | None:
    allowed = None if mask is None else ops.cast(mask, "bool")
    if is_causal:
        row = ops.expand_dims(ops.arange(queries), 1)
        past = ops.greater_equal(row, ops.arange(keys))
        allowed = past if allowed is None else ops.logical_and(allowed, past)
    return allowed


def _check(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, mask: Tensor | None
) -> None:
    shapes = [tuple(x.shape) for x in (query, key, value)]
    fits = all(len(shape) == _AXES for shape in shapes)
    if fits:
        (b, _, n, h), (kb, s, k, kh), (vb, vs, vk, _) = shapes
        fits = b == kb == vb and s == vs and k == vk and h == kh
        fits = fits and k > 0 and n % k == 0
    if not fits:
        raise ShapeError(
            "polykeras.ops.dot_product_attention expected query (B, T, N, H), key "
            "(B, S, K, H) and value (B, S, K, V) where K divides N, got query "
            f"{shapes[0]}, key {shapes[1]}, value {shapes[2]}."
        )
    full = (shapes[0][0], shapes[0][2], shapes[0][1], shapes[1][1])
    for what, x in (("bias", bias), ("mask", mask)):
        if x is None:
            continue
        shape = tuple(ops.convert_to_tensor(x).shape)
        if (
            len(shape) > _AXES
            or broadcast_shapes(f"dot_product_attention ({what})", shape, full) != full
        ):
            raise ShapeError(
                f"polykeras.ops.dot_product_attention expected a {what} that "
                f"broadcasts to (B, N, T, S) = {full}, got shape {shape}."
            )
