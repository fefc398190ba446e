"""ONNX graphs give what the models predict, for any batch size."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import polykeras as keras
from polykeras import layers, ops
from polykeras.errors import ArgumentError, OperationNotSupported, PolykerasError


def _cases():
    path = Path(__file__).parents[1] / "peer" / "exchange_cases.py"
    spec = importlib.util.spec_from_file_location("exchange_cases", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["exchange_cases"] = module
    spec.loader.exec_module(module)
    return module


cases = _cases()
NAMES = [
    "sequential",
    "functional",
    "nested",
    "custom_layers",
    "numbers",
    "sequences",
    "images",
    "volumes",
    "merging",
    "attention",
    "ops_in_graphs",
    "categories",
]


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    names = importlib.import_module("polykeras.registry._names")
    monkeypatch.setattr(names, "_BY_NAME", dict(names._BY_NAME))
    monkeypatch.setattr(names, "_NAME_OF", dict(names._NAME_OF))
    cases.custom_classes(keras)


def compare(model, path, data):
    """Run the file on some samples, and compare with the model."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    named = {i.name: a for i, a in zip(session.get_inputs(), data, strict=True)}
    found = session.run(None, named)
    outputs = model.predict(data if len(data) > 1 else data[0], verbose=0)
    expected = keras.tree.flatten(outputs)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        # Sums of at most 200 products in another order.
        scale = float(np.abs(b).max())
        np.testing.assert_allclose(a, b, rtol=0, atol=64 * 2**-23 * scale)


@pytest.mark.parametrize("name", NAMES)
def test_models_predict_the_same(tmp_path, name):
    model = cases.CASES[name](keras)
    cases.give_weights(model, name)
    path = tmp_path / "m.onnx"
    model.export(path)
    data = cases.inputs_of(model, name)
    data = data if isinstance(data, list) else [data]
    for size in (8, 3, 1):
        compare(model, path, [a[:size] for a in data])


def test_every_backend(backend, tmp_path):
    x = layers.Input((4, 3))
    y = layers.LayerNormalization()(layers.MultiHeadAttention(2, 2)(x, x))
    model = keras.Model(x, layers.Dense(2, activation="gelu")(layers.Flatten()(y)))
    model.export(tmp_path / "m.onnx", verbose=False)
    data = np.random.default_rng(0).normal(size=(5, 4, 3)).astype("float32")
    compare(model, tmp_path / "m.onnx", [data])


def test_inputs_and_outputs_have_names_and_a_free_batch_size(tmp_path, capsys):
    a, b = layers.Input((4,), name="a"), layers.Input((4,), batch_size=None, name="b")
    model = keras.Model([a, b], [a + b, ops.reshape(a, (-1, 2))])
    model.export(tmp_path / "m.onnx", verbose=True)
    assert "m.onnx" in capsys.readouterr().out
    graph = onnx.load(tmp_path / "m.onnx").graph

    def sizes(values):
        return {
            v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]
            for v in values
        }

    assert sizes(graph.input) == {"a": ["batch", 4], "b": ["batch", 4]}
    found = sizes(graph.output)
    assert found["output_0"] == ["batch", 4]
    assert found["output_1"][1] == 2
    one = np.ones((3, 4), "float32")
    compare(model, tmp_path / "m.onnx", [one, one])


def test_a_subclassed_model_on_an_input(tmp_path):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x):
            return ops.softmax(self.dense(x)) - ops.mean(x, axis=-1, keepdims=True)

    model = Own()
    with pytest.raises(ArgumentError, match=r"keras\.Model\(x, model\(x\)\)"):
        model.export(tmp_path / "m.onnx")
    x = layers.Input((3,))
    whole = keras.Model(x, model(x))
    whole.export(tmp_path / "m.onnx")
    data = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    compare(whole, tmp_path / "m.onnx", [data])


def _masked(x):
    return layers.LSTM(2)(layers.Masking()(x))


def _solved(x):
    return ops.inv(ops.matmul(x, ops.swapaxes(x, 1, 2)))


@pytest.mark.parametrize(
    ("shape", "build", "error", "match"),
    [
        ((3, 2), _masked, OperationNotSupported, "masks are not exported"),
        ((3, 3), _solved, OperationNotSupported, "no rule for the op"),
        ((None, 2), lambda x: x * 2.0, ArgumentError, "only the batch size"),
        (
            (2,),
            lambda x: x - ops.mean(x, axis=0),
            OperationNotSupported,
            "values from the batch size",
        ),
    ],
    ids=["masks", "ops", "sizes", "batch"],
)
def test_what_cannot_be_exported(tmp_path, shape, build, error, match):
    x = layers.Input(shape)
    with pytest.raises(error, match=match):
        keras.Model(x, build(x)).export(tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_arguments_are_checked(tmp_path, monkeypatch):
    model = keras.Sequential([layers.Input((2,)), layers.Dense(1)])
    with pytest.raises(ArgumentError, match="'onnx'"):
        model.export(tmp_path / "m", format="tf_saved_model")
    with pytest.raises(TypeError, match="opset"):
        model.export(tmp_path / "m", opset=3)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(PolykerasError, match=r"pip install 'polykeras\[onnx\]'"):
        model.export(tmp_path / "m.onnx")
