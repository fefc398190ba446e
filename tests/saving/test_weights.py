"""Weights written and read again, on every backend and across backends."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

import polykeras as keras
from polykeras import layers
from polykeras.errors import ArgumentError, DataError, PolykerasError, ShapeError


def make(units=3):
    return keras.Sequential(
        [layers.Input((4,)), layers.Dense(units, activation="relu"), layers.Dense(2)]
    )


@pytest.mark.parametrize("suffix", [".weights.h5", ".safetensors"])
def test_round_trip(backend, tmp_path, suffix):
    first, second = make(), make()
    path = tmp_path / f"w{suffix}"
    first.save_weights(path)
    second.load_weights(path)
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".weights.h5", ".safetensors"])
def test_optimizer_state_travels(backend, tmp_path, suffix):
    x, y = np.ones((8, 4), "float32"), np.ones((8, 2), "float32")
    first, second = make(), make()
    for model in (first, second):
        model.compile("adam", "mse")
    first.fit(x, y, epochs=2, verbose=0)
    path = tmp_path / f"w{suffix}"
    first.save_weights(path)
    second.load_weights(path)
    assert int(second.optimizer.iterations) == 2
    first.reset_metrics()
    a = first.train_on_batch(x, y)
    b = second.train_on_batch(x, y)
    assert a == b
    for v, w in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(v, w)


def test_layout_is_that_of_keras(tmp_path):
    inner = keras.Sequential([layers.Dense(3)])
    x = layers.Input((5,))
    model = keras.Model(x, layers.Dense(2, name="last")(inner(layers.Dense(4)(x))))
    model.save_weights(tmp_path / "w.weights.h5")
    found = {}
    with h5py.File(tmp_path / "w.weights.h5") as file:
        file.visititems(
            lambda name, item: found.__setitem__(name, getattr(item, "shape", None))
        )
    assert found["layers/dense/vars/0"] == (5, 4)
    assert found["layers/dense_1/vars/1"] == (2,)
    assert found["layers/sequential/layers/dense/vars/0"] == (4, 3)


def test_parts_of_a_subclassed_model(tmp_path):
    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = layers.Dense(2)
            self.blocks = [layers.Dense(2), layers.Dense(2)]
            self.scale = self.add_weight(shape=(2,), initializer="ones", name="scale")

        def call(self, x):
            x = self.first(x)
            for block in self.blocks:
                x = block(x)
            return x * self.scale

    model, other = Mine(), Mine()
    data = np.ones((1, 3), "float32")
    model(data), other(data)
    model.save_weights(tmp_path / "w.weights.h5")
    other.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_array_equal(np.asarray(model(data)), np.asarray(other(data)))
    with h5py.File(tmp_path / "w.weights.h5") as file:
        assert "blocks/dense_1/vars/0" in file
        assert "first/vars/0" in file
        assert "vars/0" in file


def test_a_failed_load_changes_nothing(tmp_path):
    make(5).save_weights(tmp_path / "w.weights.h5")
    model = make(3)
    before = model.get_weights()
    with pytest.raises(ShapeError, match=r"\(4, 3\).*\(4, 5\)"):
        model.load_weights(tmp_path / "w.weights.h5")
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_mismatches_are_skipped_when_asked(tmp_path):
    source = make(5)
    source.save_weights(tmp_path / "w.weights.h5")
    other = keras.Sequential([layers.Input((4,)), layers.Dense(5), layers.Dense(7)])
    with pytest.warns(UserWarning, match="dense_1"):
        other.load_weights(tmp_path / "w.weights.h5", skip_mismatch=True)
    np.testing.assert_array_equal(source.get_weights()[0], other.get_weights()[0])


def test_links_to_other_files_are_refused(tmp_path):
    make().save_weights(tmp_path / "w.weights.h5")
    with h5py.File(tmp_path / "w.weights.h5", "a") as file:
        del file["layers/dense/vars/0"]
        file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/other.h5", "/x")
    with pytest.raises(DataError, match="link"):
        make().load_weights(tmp_path / "w.weights.h5")


@pytest.mark.parametrize("suffix", [".weights.h5", ".safetensors"])
def test_a_damaged_file_is_refused(tmp_path, suffix):
    path = tmp_path / f"w{suffix}"
    path.write_bytes(b"not a weights file at all")
    with pytest.raises(DataError, match=path.name):
        make().load_weights(path)


def test_names_and_states_are_checked(tmp_path):
    model = make()
    with pytest.raises(ArgumentError, match="safetensors"):
        model.save_weights(tmp_path / "w.bin")
    with pytest.raises(ArgumentError, match="no file"):
        model.load_weights(tmp_path / "w.weights.h5")
    model.save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(ArgumentError, match="overwrite"):
        model.save_weights(tmp_path / "w.weights.h5", overwrite=False)
    with pytest.raises(PolykerasError, match="no weights yet"):
        keras.Sequential([layers.Dense(2)]).save_weights(tmp_path / "v.weights.h5")
