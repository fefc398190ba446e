"""Attention, against einsum in float64."""

from __future__ import annotations

import numpy as np
import pytest

from polykeras import ops
from polykeras.errors import ShapeError
from tests.ops._checks import check_abstract, check_gradient, check_values, raised

RNG = np.random.default_rng(41)
B, T, S, N, H = 2, 3, 5, 4, 6
QUERY = RNG.normal(size=(B, T, N, H))
BIAS = RNG.normal(size=(N, T, S))
MASK = RNG.uniform(size=(B, 1, T, S)) < 0.7
MASK[..., 0] = True


def keys(heads, width=H):
    return RNG.normal(size=(B, S, heads, H)), RNG.normal(size=(B, S, heads, width))


def reference(q, k, v, bias=None, mask=None, scale=None, causal=False, cap=None):
    k, v = (np.repeat(a, q.shape[2] // k.shape[2], axis=2) for a in (k, v))
    logits = np.einsum("btnh,bsnh->bnts", q, k)
    logits = logits * (1 / np.sqrt(q.shape[-1]) if scale is None else scale)
    logits = logits if cap is None else cap * np.tanh(logits / cap)
    logits = logits if bias is None else logits + bias
    if causal:
        past = np.tril(np.ones(logits.shape[-2:], bool))
        mask = past if mask is None else mask & past
    logits = logits if mask is None else np.where(mask, logits, -1e300)
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    weights = weights / weights.sum(-1, keepdims=True)
    return np.einsum("bnts,bsnh->btnh", weights, v)


CASES = {
    "plain": {},
    "scale": {"scale": 0.3},
    "bias": {"bias": BIAS},
    "mask": {"mask": MASK},
    "causal": {"is_causal": True},
    "all": {"bias": BIAS, "mask": MASK, "is_causal": True, "scale": 0.2},
    "cap": {"attn_logits_soft_cap": 1.5, "mask": MASK},
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("heads", [4, 2, 1])
def test_values_and_gradients(backend, name, heads):
    given = CASES[name]
    short = {"is_causal": "causal", "attn_logits_soft_cap": "cap"}
    k, v = keys(heads)
    expected = reference(QUERY, k, v, **{short.get(n, n): x for n, x in given.items()})

    def attend(q, k, v):
        return ops.dot_product_attention(q, k, v, **given)

    check_values(check_abstract(attend, QUERY, k, v), expected, ulp=100, scale=3)
    check_gradient(attend, [QUERY, k, v])


def test_bias_has_a_gradient(backend):
    k, v = keys(4)
    check_gradient(
        lambda q, b: ops.dot_product_attention(q, k, v, bias=b, mask=MASK),
        [QUERY, BIAS],
    )


def test_second_derivatives(backend):
    k, v = keys(4)
    check_gradient(ops.dot_product_attention, [QUERY, k, v], order=2)


def test_values_of_another_width(backend):
    k, v = keys(4, 3)
    out = check_abstract(ops.dot_product_attention, QUERY, k, v)
    check_values(out, reference(QUERY, k, v), ulp=100, scale=3)


def test_rows_that_see_nothing_see_everything(backend):
    k, v = keys(4)
    out = ops.dot_product_attention(QUERY, k, v, mask=np.zeros((1, 1, T, S), bool))
    expected = np.broadcast_to(v.mean(1, keepdims=True), (B, T, N, H))
    check_values(out, expected, ulp=20, scale=3)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_dtypes(backend, dtype):
    k, v = keys(4)
    q, k, v = (ops.cast(x, dtype) for x in (QUERY, k, v))
    out = check_abstract(lambda *a: ops.dot_product_attention(*a, mask=MASK), q, k, v)
    wide = [ops.convert_to_numpy(x).astype(float) for x in (q, k, v)]
    check_values(out, reference(*wide, mask=MASK), ulp=30, scale=3, dtype=dtype)


def test_errors(backend):
    k, v = keys(3)
    message = raised(ShapeError, ops.dot_product_attention, QUERY, k, v)
    assert "K divides N" in message
    k, v = keys(4)
    message = raised(
        ShapeError, ops.dot_product_attention, QUERY, k, v, None, MASK[..., :4]
    )
    assert "mask" in message
