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


def check(model, path, data):
    """Export a model, and compare it on several batch sizes."""
    model.export(path, verbose=False)
    for size in (len(data[0]), 3, 1):
        compare(model, path, [a[:size] for a in data])


@pytest.mark.parametrize("name", NAMES)
def test_models_predict_the_same(tmp_path, name):
    model = cases.CASES[name](keras)
    cases.give_weights(model, name)
    data = cases.inputs_of(model, name)
    check(model, tmp_path / "m.onnx", data if isinstance(data, list) else [data])


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


@pytest.mark.parametrize(
    "layer",
    [
        layers.LSTM(3),
        layers.GRU(3, return_sequences=True, go_backwards=True),
        layers.RNN([layers.LSTMCell(2), layers.SimpleRNNCell(2)]),
        layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
        layers.GlobalAveragePooling1D(),
    ],
    ids=lambda layer: layer.name,
)
def test_masks_are_followed(tmp_path, layer):
    x = layers.Input((6,), dtype="int32")
    y = layers.Concatenate()([layers.Embedding(4, 3, mask_zero=True)(x)] * 2)
    rng = np.random.default_rng(0)
    words = rng.integers(1, 4, (5, 6)).astype("int32")
    words[0] = 0
    words[1, 2:] = 0
    words[2, ::2] = 0
    check(keras.Model(x, layer(y)), tmp_path / "m.onnx", [words])


def test_masks_of_values_and_of_attention(tmp_path):
    x, allowed = layers.Input((4, 3)), layers.Input((4,), dtype="bool")
    y = layers.Masking()(x)
    outputs = [
        y,
        layers.MultiHeadAttention(2, 2)(y, y),
        layers.Attention()([y, y]),
        layers.Softmax(axis=1)(layers.Dense(1)(y)),
        layers.SimpleRNN(2)(x, mask=allowed),
    ]
    rng = np.random.default_rng(0)
    data = rng.normal(size=(5, 4, 3)).astype("float32")
    data[1:3, 2:] = 0
    kept = rng.random((5, 4)) < 0.5
    check(keras.Model([x, allowed], outputs), tmp_path / "m.onnx", [data, kept])


class Inside(layers.Layer):
    """Calls a function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, tensors):
        return self.function(*tensors)


def test_matrices_and_computed_places(tmp_path):
    x = layers.Input((3, 3))
    n = layers.Input((), dtype="int32")
    square = ops.matmul(x, ops.swapaxes(x, 1, 2)) + ops.eye(3)
    q, r = ops.qr(x)
    start = ops.max(n)
    outputs = [
        ops.inv(square),
        ops.det(square),
        ops.solve(square, x),
        ops.cholesky(square),
        ops.solve_triangular(square, x, lower=True),
        ops.matmul(q, r),
        ops.lu_factor(square)[0],
        ops.einsum("bij,bkj->bik", x, square),
        ops.cumprod(x, axis=1),
        ops.argsort(x, axis=-1),
        ops.sort(ops.sum(x, axis=(1, 2)), axis=0),
        ops.slice(x, (0, start, 1), (x.shape[0] or -1, 2, 2))[:, :1],
        ops.slice_update(x, (0, start, 0), x[:, :1]),
        ops.scatter_update(ops.zeros((4, 2)), [[0], [2]], x[0, :2, :2]),
        ops.rfft(x)[0],
        ops.arctan2(x, square),
        ops.left_shift(n, 3) + ops.right_shift(-n, 1),
        x - ops.mean(x, axis=0),
        Inside(lambda x, n: ops.cond(n[0] > 1, lambda: x * 2.0, lambda: x))([x, n]),
        ops.cast(ops.arange(5), "float32")[1:3] + ops.sum(x),
    ]
    rng = np.random.default_rng(1)
    data = rng.normal(size=(5, 3, 3)).astype("float32")
    check(
        keras.Model([x, n], outputs),
        tmp_path / "m.onnx",
        [data, np.arange(5, dtype="int32")],
    )


def _squared(x):
    batch = x.shape[0]
    return ops.broadcast_to(ops.sum(x), (batch * batch,))


@pytest.mark.parametrize(
    ("shape", "build", "error", "match"),
    [
        ((3, 3), lambda x: ops.svd(x)[1], OperationNotSupported, "singular values"),
        ((200, 200), ops.inv, OperationNotSupported, "up to 128 rows"),
        ((None, 2), lambda x: x * 2.0, ArgumentError, "only the batch size"),
        ((2,), lambda x: Inside(_squared)([x]), OperationNotSupported, "grow evenly"),
    ],
    ids=["ops", "large", "sizes", "batch"],
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
