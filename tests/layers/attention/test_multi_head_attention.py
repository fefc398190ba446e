"""`MultiHeadAttention` and `GroupedQueryAttention`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polykeras as keras
from polykeras import masking, ops
from polykeras.backend import Array, Backend, get_backend, use_backend
from polykeras.conformance import assert_near
from polykeras.errors import ArgumentError, ShapeError
from polykeras.layers import GroupQueryAttention, MultiHeadAttention
from tests.layers._answers import wave

MAKE: dict[str, Any] = {
    "multi-head": lambda **k: MultiHeadAttention(4, 3, **k),
    "grouped": lambda **k: GroupQueryAttention(3, 4, 2, **k),
}


def _tensor(shape: list[int], phase: float = 0.0, dtype: str = "float32") -> Any:
    return ops.convert_to_tensor(wave(shape, phase, 0.7).astype(dtype))


def _inputs(dtype: str = "float32") -> tuple[Any, Any]:
    return _tensor([2, 3, 5], 0.0, dtype), _tensor([2, 4, 6], 1.0, dtype)


def _built(kind: str, **args: Any) -> Any:
    layer = MAKE[kind](**args)
    layer.build((2, 3, 5), (2, 4, 6))
    layer.set_weights(
        [0.5 * wave(list(w.shape), i, 1.3) for i, w in enumerate(layer.get_weights())]
    )
    return layer


@pytest.mark.parametrize("kind", MAKE)
def test_shapes_weights_and_config(backend: Backend, kind: str) -> None:
    layer = _built(kind, use_gate=True)
    query, value = _inputs()
    assert len(layer.get_weights()) == 10
    names = [v.path.split("/", 1)[1] for v in layer.weights[::2]]
    parts = ("query", "key", "gate", "value", "attention_output")
    assert names == [f"{part}/kernel" for part in parts]
    y = layer(query, value)
    assert tuple(y.shape) == (2, 3, 5)
    symbolic, weights = layer(
        keras.Input((None, 5)), keras.Input((None, 6)), return_attention_scores=True
    )
    assert symbolic.shape == (None, None, 5)
    assert weights.shape == (None, 4, None, None)
    data = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(data)
    assert again.get_config() == layer.get_config()
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(
        ops.convert_to_numpy(again(query, value)), ops.convert_to_numpy(y)
    )


@pytest.mark.parametrize("mask", ["none", "causal", "window", "given", "followed"])
@pytest.mark.parametrize("kind", MAKE)
def test_fused_equals_explicit(backend: Backend, kind: str, mask: str) -> None:
    """Asking for the weights takes another way to the same averages."""
    layer = _built(kind, sliding_window=2 if mask == "window" else None)
    query, value = _inputs()
    call: dict[str, Any] = {"use_causal_mask": mask == "causal"}
    if mask == "given":
        call["attention_mask"] = ops.array(np.arange(24).reshape(2, 3, 4) % 3 != 1)
    if mask == "followed":
        masking.set_mask(value, ops.array([[True] * 4, [True, False, True, False]]))
    y = layer(query, value, **call)
    z, weights = layer(query, value, return_attention_scores=True, **call)
    assert_near(y, z, 64)
    total = ops.convert_to_numpy(ops.sum(weights, axis=-1))
    assert_near(total, np.ones((2, 4, 3)), 8)
    if mask == "followed":
        assert not ops.convert_to_numpy(weights)[1, :, :, [1, 3]].any()


@pytest.mark.parametrize("kind", MAKE)
def test_mask_of_the_query_follows(backend: Backend, kind: str) -> None:
    query, value = _inputs()
    mask = ops.array([[True, True, False], [True, False, False]])
    masking.set_mask(query, mask)
    y, weights = _built(kind)(query, value, return_attention_scores=True)
    assert masking.get_mask(y) is mask
    assert masking.get_mask(weights) is None
    assert np.isfinite(ops.convert_to_numpy(y)).all()


def _gradients(kind: str) -> list[Array]:
    layer = _built(kind, dtype="float64", use_gate=True)
    inputs = _inputs("float64")

    def loss(query: Any, value: Any) -> Any:
        y = layer(query, value, use_causal_mask=True)
        return ops.sum(ops.multiply(y, ops.cos(ops.multiply(y, 3.0))))

    found = [
        *keras.grad(loss, layer.trainable_variables)(*inputs),
        *keras.grad(loss, argnums=(0, 1))(*inputs),
    ]
    return [ops.convert_to_numpy(g) for g in found]


@pytest.mark.parametrize("kind", MAKE)
def test_gradients_agree(backend: Backend, kind: str) -> None:
    with use_backend(get_backend("numpy")):
        expected = _gradients(kind)
    for g, wanted in zip(_gradients(kind), expected, strict=True):
        assert_near(g, wanted, 1024)


@pytest.mark.parametrize("kind", MAKE)
def test_dropout_has_the_same_bits_everywhere(backend: Backend, kind: str) -> None:
    args = {"dropout": 0.5, "seed": 3, "dtype": "float64"}
    with use_backend(get_backend("numpy")):
        expected = _built(kind, **args)(*_inputs("float64"), training=True)
    layer = _built(kind, **args)
    found = layer(*_inputs("float64"), training=True)
    assert_near(found, expected, 64)
    still = layer(*_inputs("float64"))
    assert_near(still, _built(kind, dtype="float64")(*_inputs("float64")), 64)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("kind", MAKE)
def test_mixed_precision(backend: Backend, kind: str, policy: str) -> None:
    layer = _built(kind, dtype=policy)
    y, weights = layer(*_inputs(), return_attention_scores=True, use_causal_mask=True)
    assert ops.dtype(y) == ops.dtype(weights) == policy.removeprefix("mixed_")
    assert {v.dtype for v in layer.weights} == {"float32"}
    fused = ops.convert_to_numpy(
        ops.cast(layer(*_inputs(), use_causal_mask=True), "float32")
    )
    assert np.isfinite(fused).all()


def test_projections_begin_different() -> None:
    layer = MultiHeadAttention(2, 3)
    layer.build((2, 3, 5), (2, 4, 5))
    query, _, key, *_ = layer.get_weights()
    assert not np.array_equal(query, key)


BAD: list[tuple[Any, str]] = [
    (lambda: MultiHeadAttention(0, 3), "num_heads"),
    (lambda: MultiHeadAttention(2, 3, dropout=1.0), "0 <= dropout < 1"),
    (lambda: MultiHeadAttention(2, 3, sliding_window=0), "sliding_window"),
    (lambda: MultiHeadAttention(2, 3, attention_axes="12"), "attention_axes"),
    (lambda: GroupQueryAttention(3, 4, 3), "divide num_query_heads"),
]


@pytest.mark.parametrize(("make", "said"), BAD)
def test_bad_arguments(make: Any, said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        make()


def test_key_and_value_must_fit(backend: Backend) -> None:
    layer = MultiHeadAttention(2, 3)
    with pytest.raises(ShapeError, match="key and value"):
        layer(_tensor([2, 3, 5]), _tensor([2, 4, 5]), _tensor([2, 3, 5]))
