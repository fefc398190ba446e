"""Layers as plain data, and back."""

from __future__ import annotations

from typing import Any

import pytest

import polykeras as keras
from polykeras.errors import ArgumentError


def _as_keras_writes_it(cls: str, **config: Any) -> dict[str, Any]:
    return {
        "module": "keras.layers",
        "class_name": cls,
        "config": {"name": "x", "trainable": True, "dtype": "float32", **config},
        "registered_name": None,
    }


@pytest.mark.parametrize(
    ("cls", "config"),
    [
        ("Dense", {"units": 2, "quantization_config": None}),
        (
            "EinsumDense",
            {"equation": "ab,bc->ac", "output_shape": [2], "quantization_config": None},
        ),
        ("Embedding", {"input_dim": 3, "output_dim": 2, "quantization_config": None}),
        ("LayerNormalization", {"axis": -1, "rms_scaling": False}),
        (
            "BatchNormalization",
            {"renorm": False, "renorm_clipping": None, "renorm_momentum": 0.99},
        ),
        ("Normalization", {"axis": [-1], "mean": None, "variance": None}),
        ("Conv2D", {"filters": 2, "kernel_size": [3, 3], "strides": [1, 1]}),
        ("ZeroPadding2D", {"padding": [[1, 1], [2, 2]]}),
    ],
)
def test_loads_what_keras_writes(cls: str, config: dict[str, Any]) -> None:
    layer = keras.layers.deserialize(_as_keras_writes_it(cls, **config))
    assert type(layer) is getattr(keras.layers, cls)
    assert layer.name == "x"


@pytest.mark.parametrize(
    ("cls", "config"),
    [
        ("LayerNormalization", {"rms_scaling": True}),
        ("BatchNormalization", {"renorm": True}),
        ("Dense", {"units": 2, "quantization_config": {"mode": "int8"}}),
    ],
)
def test_refuses_features_it_lacks(cls: str, config: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match="unknown argument"):
        keras.layers.deserialize(_as_keras_writes_it(cls, **config))


def test_round_trip() -> None:
    layer = keras.layers.Conv1D(3, 2, padding="causal", name="c")
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.get_config() == layer.get_config()


def test_refuses_data_of_something_else() -> None:
    data = keras.regularizers.serialize(keras.regularizers.L2(0.1))
    with pytest.raises(ArgumentError, match="Expected the data of a layer"):
        keras.layers.deserialize(data)
