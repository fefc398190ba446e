"""Saving: what is saved here loads on the reference, and the other way."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers
from polykeras.backend import REFERENCE, Array, Backend, get_backend, use_backend

WEIGHTS: Final = (".weights.h5", ".safetensors")
X: Final = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
Y: Final = np.tanh(X[:, :2])
# Rounding of float32, grown by the two epochs that are trained after loading.
AGREEMENT: Final = 200 * float(np.finfo(np.float32).eps)


def _make(name: str | Backend, policy: str = "float32") -> Any:
    with use_backend(get_backend(name)):
        keras.utils.set_random_seed(2)
        model = keras.Sequential(
            [
                keras.Input((4,)),
                layers.Dense(6, "relu", dtype=policy),
                layers.BatchNormalization(dtype=policy),
                layers.Dropout(0.25, dtype=policy),
                layers.Dense(2, dtype=policy),
            ]
        )
        model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


def _train(model: Any) -> None:
    model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)


def _same(found: list[Array], expected: list[Array]) -> None:
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def _state(model: Any) -> list[Array]:
    slots = [v.numpy() for v in model.optimizer.variables]
    return [*model.get_weights(), *slots]


@pytest.mark.parametrize("suffix", [*WEIGHTS, ".keras"])
@pytest.mark.parametrize("way", ["there", "back"])
def test_files_go_both_ways(
    backend: Backend, tmp_path: Path, way: str, suffix: str
) -> None:
    names = (backend.name, REFERENCE) if way == "there" else (REFERENCE, backend.name)
    path = tmp_path / f"model{suffix}"
    source = _make(names[0])
    _train(source)
    if suffix == ".keras":
        source.save(path)
        with use_backend(get_backend(names[1])):
            target = keras.models.load_model(path)
    else:
        source.save_weights(path)
        target = _make(names[1])
        target.load_weights(path)
    assert target.backend.name == names[1]
    _same(_state(target), _state(source))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    if suffix != ".keras":  # weights come without seeds
        return
    _train(source)
    _train(target)
    for a, b in zip(source.get_weights(), target.get_weights(), strict=True):
        scale = max(1.0, float(np.max(np.abs(b))))
        assert float(np.max(np.abs(a - b))) <= AGREEMENT * scale


def test_training_goes_on_bitwise_here(backend: Backend, tmp_path: Path) -> None:
    first = _make(backend)
    _train(first)
    first.save(tmp_path / "m.keras")
    second = keras.models.load_model(tmp_path / "m.keras")
    _train(first)
    _train(second)
    _same(_state(second), _state(first))


@pytest.mark.in_declared_dtypes
@pytest.mark.parametrize("policy", ["float64", "mixed_float16", "bfloat16"])
def test_policies_travel(backend: Backend, tmp_path: Path, policy: str) -> None:
    source = _make(backend, policy)
    source.save(tmp_path / "m.keras")
    with use_backend(get_backend(REFERENCE)):
        target = keras.models.load_model(tmp_path / "m.keras")
    assert target.layers[0].dtype_policy.name == policy
    _same(_state(target), _state(source))


def test_models_move_without_files(backend: Backend) -> None:
    source = _make(REFERENCE)
    _train(source)
    target = source.to_backend(backend.name)
    _same(_state(target), _state(source))
    back = target.to_backend(REFERENCE)
    _same(_state(back), _state(source))
