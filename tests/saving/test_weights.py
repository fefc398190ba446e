"""Weights written and read again, on every backend and across backends."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
from safetensors.numpy import save_file

import polykeras as keras
from polykeras import layers
from polykeras.errors import (
    ArgumentError,
    DataError,
    PolykerasError,
    ShapeError,
    UnsafeFileError,
)


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


def test_weights_in_several_files(backend, tmp_path):
    x, y = np.ones((8, 4), "float32"), np.ones((8, 2), "float32")
    model, other = make(), make()
    for m in (model, other):
        m.compile("adam", "mse")
    model.fit(x, y, verbose=0)
    path = tmp_path / "w.weights.json"
    model.save_weights(path, max_shard_size=2e-7)
    first = {p.name for p in tmp_path.iterdir()}
    assert len(first) > 2
    other.load_weights(path)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(other.optimizer.iterations) == 1
    model.save_weights(path, max_shard_size=1.0)
    second = {p.name for p in tmp_path.iterdir()}
    assert len(second) == 3
    assert second & first == {"w.weights.json", "w_00000.weights.h5"}
    make().load_weights(path)


def test_files_of_keras_are_replaced_and_others_stay(tmp_path):
    model = make()
    path = tmp_path / "w.weights.json"
    model.save_weights(tmp_path / "w_00000.weights.h5")
    parts = ["/layers/dense/vars", "/layers/dense_1/vars"]
    weight_map = dict.fromkeys(parts, "w_00000.weights.h5")
    path.write_text(json.dumps({"weight_map": weight_map}))
    (tmp_path / "w_00001.weights.h5").write_bytes(b"somebody's")
    other = make()
    other.load_weights(path)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    make().save_weights(path, max_shard_size=1.0)
    with h5py.File(tmp_path / "w_00000.weights.h5") as first:
        assert list(first) == []  # Keras opens it before it reads the index.
    assert (tmp_path / "w_00001.weights.h5").read_bytes() == b"somebody's"
    assert len(list(tmp_path.iterdir())) == 4


def test_indexes_are_checked(tmp_path):
    model = make()
    path = tmp_path / "w.weights.json"
    for wrong in (
        {"filepath": path},
        {"filepath": "w.weights.h5", "max_shard_size": 1},
    ):
        with pytest.raises(ArgumentError, match="max_shard_size goes with"):
            model.save_weights(**wrong)
    with pytest.raises(ArgumentError, match="more than"):
        model.save_weights(path, max_shard_size=1e-9)
    with pytest.raises(ArgumentError, match="positive"):
        model.save_weights(path, max_shard_size=0)
    assert not list(tmp_path.iterdir())
    for name in ("../w.weights.h5", "/etc/passwd", "w.h5", 3, ["a"]):
        path.write_text(json.dumps({"weight_map": {"/vars": [name]}}))
        with pytest.raises(UnsafeFileError, match="lie beside it"):
            model.load_weights(path)
    path.write_text(json.dumps({"weight_map": {"/vars": ["gone.weights.h5"]}}))
    with pytest.raises(DataError, match="not there"):
        model.load_weights(path)
    path.write_text("{}")
    with pytest.raises(DataError, match="weight_map"):
        model.load_weights(path)


@pytest.mark.parametrize("suffix", [".weights.h5", ".safetensors"])
def test_what_was_loaded_and_skipped_is_reported(tmp_path, suffix):
    source = keras.Sequential(
        [layers.Input((4,)), layers.Dense(5, name="a"), layers.Dense(2, name="b")]
    )
    path = tmp_path / f"w{suffix}"
    source.save_weights(path)
    other = keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(5, name="a"),
            layers.Dense(3, name="b"),
            layers.Dense(5, name="c"),
        ]
    )
    with pytest.warns(UserWarning, match="layers/dense_1") as caught:
        report = other.load_weights(path, skip_mismatch=True)
    assert len(caught) == 1
    assert report.loaded == ["", "layers/dense"]
    assert set(report.skipped) == {"layers/dense_1", "layers/dense_2"}
    assert "(5, 3)" in report.skipped["layers/dense_1"]
    assert report.unused == []
    np.testing.assert_array_equal(other.get_weights()[0], source.get_weights()[0])
    named = keras.Sequential(
        [layers.Input((4,)), layers.Dense(5, name="z"), layers.Dense(2, name="b")]
    )
    report = named.load_weights(path, by_name=True)
    assert report.loaded == ["layers/dense_1"]
    assert report.skipped == {"layers/dense": "the file holds no part of that name"}
    assert report.unused == ["layers/dense"]
    np.testing.assert_array_equal(named.get_weights()[2], source.get_weights()[2])


@pytest.mark.parametrize("suffix", [".weights.h5", ".safetensors"])
def test_what_fits_is_loaded_by_name(tmp_path, suffix):
    names = ["a", "b", "c"]
    source = keras.Sequential(
        [layers.Input((4,)), *(layers.Dense(3, name=n) for n in names)]
    )
    path = tmp_path / f"w{suffix}"
    source.save_weights(path)
    model = keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(4, name="new"),
            layers.Dense(5, name="b"),
            layers.Dense(3, name="a"),
            layers.Dense(3, name="c"),
        ]
    )
    before = model.get_weights()
    with pytest.raises(ShapeError, match="b/kernel"):
        model.load_weights(path, by_name=True)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match="layers/dense_1") as caught:
        report = model.load_weights(path, by_name=True, skip_mismatch=True)
    assert len(caught) == 1
    assert report.loaded == ["layers/dense_3"]
    assert list(report.skipped) == ["layers/dense", "layers/dense_1", "layers/dense_2"]
    assert "no part of that name" in report.skipped["layers/dense"]
    assert "(4, 5)" in report.skipped["layers/dense_1"]
    assert "(5, 3)" in report.skipped["layers/dense_2"]
    assert report.unused == []
    after = model.get_weights()
    np.testing.assert_array_equal(after[6], source.get_weights()[4])
    for a, b in zip(before[:6], after[:6], strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_file_with_more_layers_is_refused(tmp_path):
    make().save_weights(tmp_path / "w.weights.h5")
    short = keras.Sequential([layers.Input((4,)), layers.Dense(3)])
    with pytest.raises(ShapeError, match="'layers/dense_1'"):
        short.load_weights(tmp_path / "w.weights.h5")
    save_file({"vars/0": np.ones(2, "float32")}, tmp_path / "w.safetensors")
    with pytest.raises(ArgumentError, match="names of the layers"):
        short.load_weights(tmp_path / "w.safetensors", by_name=True)
