"""`plot_model` and `model_to_dot`, and the summary in notebooks."""

import builtins
import shutil
import struct

import pytest

import polykeras as keras
from polykeras import layers
from polykeras.errors import ArgumentError, PolykerasError

pytest.importorskip("graphviz")


def branched():
    x = keras.Input((4,), name="x")
    inner = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, name="deep")], name="in"
    )
    left = inner(x)
    right = layers.Dense(3, activation="relu", name="right")(x)
    return keras.Model(x, layers.Dense(1, name="out")(left * 2 + right), name="m")


def test_boxes_and_lines():
    graph = keras.utils.model_to_dot(branched(), show_shapes=True, show_dtype=True)
    source = graph.source
    for text in ("x (InputLayer)", "right (Dense)", "out (Dense)", "multiply", "add"):
        assert text in source
    assert "output: (None, 3)" in source
    assert "dtype: float32" in source
    # Input to two branches, one of them to a product, both to a sum, and the head.
    assert source.count("->") == 6
    assert "deep" not in source


def test_what_boxes_show():
    source = keras.utils.model_to_dot(
        branched(),
        show_layer_names=False,
        show_layer_activations=True,
        show_trainable=True,
        expand_nested=True,
        rankdir="LR",
    ).source
    assert "activation: relu" in source
    # Three layers have weights; the input, the product and the sum have none.
    assert source.count("trained") == 3
    assert "right (Dense)" not in source
    assert "subgraph" in source
    assert "rankdir=LR" in source


def test_boxes_show_all_outputs():
    x = keras.Input((3, 2), name="x")
    outputs = layers.LSTM(4, return_sequences=True, return_state=True, name="l")(x)
    graph = keras.utils.model_to_dot(keras.Model(x, outputs), show_shapes=True)
    assert "output: (None, 3, 4), (None, 4), (None, 4)" in graph.source


def test_models_of_code_are_drawn_as_chains():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = layers.Dense(2), layers.Dense(1)

        def call(self, x):
            return self.second(self.first(x))

    model = Own()
    with pytest.raises(PolykerasError, match="not built, so its graph is not known"):
        keras.utils.model_to_dot(model)
    model(keras.ops.ones((1, 3)))
    assert keras.utils.model_to_dot(model).source.count("->") == 1


def test_files(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    keras.utils.plot_model(model, tmp_path / "model.dot", show_layer_names=True)
    assert "(Dense)" in (tmp_path / "model.dot").read_text()
    if shutil.which("dot") is None:
        with pytest.raises(ImportError, match="apt install graphviz"):
            keras.utils.plot_model(model, tmp_path / "model.png")
    else:
        keras.utils.plot_model(model, tmp_path / "model.png")
        assert (tmp_path / "model.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz' program dot")
def test_pictures_run_where_they_are_told_to(tmp_path):
    def size(**options):
        path = tmp_path / "model.png"
        keras.utils.plot_model(branched(), path, **options)
        return struct.unpack(">II", path.read_bytes()[16:24])

    everything = {
        "show_shapes": True,
        "show_dtype": True,
        "show_layer_names": True,
        "show_layer_activations": True,
        "show_trainable": True,
        "expand_nested": True,
    }
    width, height = size(dpi=50, **everything)
    assert height > width
    wide, flat = size(dpi=50, rankdir="LR", expand_nested=True)
    assert wide > flat
    twice = size(dpi=100, **everything)
    assert twice == pytest.approx((2 * width, 2 * height), abs=3)


def test_without_the_package(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "graphviz":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r'pip install "polykeras\[plot\]"'):
        keras.utils.plot_model(branched())


def test_wrong_arguments():
    with pytest.raises(ArgumentError, match="Unknown rankdir 'TD'"):
        keras.utils.model_to_dot(branched(), rankdir="TD")
    with pytest.raises(ArgumentError, match=r"unknown arguments \['colour'\]"):
        keras.utils.model_to_dot(branched(), colour=True)


def test_notebooks_show_the_summary():
    html = branched()._repr_html_()
    assert html.startswith("<pre")
    assert "right (Dense)" in html
    assert "Total params" in html
    assert "unbuilt" in keras.Sequential([layers.Dense(2)])._repr_html_()
