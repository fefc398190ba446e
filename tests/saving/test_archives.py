"""Whole models written to ``.keras`` archives and read again."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest

import polykeras as keras
from polykeras import layers, saving
from polykeras.errors import (
    ArgumentError,
    DataError,
    PolykerasError,
    ShapeError,
    UnsafeFileError,
)

X = np.linspace(0.0, 1.0, 24, dtype="float32").reshape(6, 4)
Y = np.linspace(1.0, -1.0, 12, dtype="float32").reshape(6, 2)


def make(policy=None):
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(5, activation="relu", dtype=policy),
            layers.Dropout(0.3, seed=11),
            layers.GaussianNoise(0.1),
            layers.BatchNormalization(dtype=policy),
            layers.Dense(2, dtype="float32"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.05), "mse", metrics=["mae"])
    return model


def state(model):
    """Return all that training changes."""
    return [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]


def assert_equal(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(
            np.asarray(a, "float64"), np.asarray(b, "float64")
        )


def test_training_goes_on_as_if_it_had_not_stopped(backend, tmp_path):
    model = make("mixed_bfloat16")
    model.fit(X, Y, batch_size=2, epochs=2, verbose=0)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert [p.name for p in tmp_path.iterdir()] == ["m.keras"]
    assert_equal(state(again), state(model))
    first = model.fit(X, Y, batch_size=2, epochs=2, verbose=0)
    second = again.fit(X, Y, batch_size=2, epochs=2, verbose=0)
    assert first.history == second.history
    assert_equal(state(again), state(model))
    for layer, other in zip(model.layers, again.layers, strict=True):
        assert layer.dtype_policy == other.dtype_policy


def test_a_layer_shared_by_models_inside_stays_one(tmp_path):
    shared = layers.Dense(3, name="shared")
    first = keras.Sequential([layers.Input((3,)), shared], name="first")
    second = keras.Sequential([layers.Input((3,)), shared], name="second")
    x = layers.Input((3,))
    model = keras.Model(x, second(first(x)))
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    inner = [again.get_layer(n).layers[-1] for n in ("first", "second")]
    assert inner[0] is inner[1]
    assert len(again.weights) == 2
    data = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(
        again.predict(data, verbose=0), model.predict(data, verbose=0)
    )


def test_sharing_is_found_where_only_later_data_have_the_mark():
    shared = layers.Dense(3, name="shared")
    first = keras.Sequential([layers.Input((3,)), shared], name="first")
    second = keras.Sequential([layers.Input((3,)), shared], name="second")
    x = layers.Input((3,))
    data = json.loads(keras.Model(x, second(first(x))).to_json())
    marked = [m["config"]["layers"][1] for m in data["config"]["layers"][1:]]
    assert marked[0].pop("shared_object_id") == marked[1]["shared_object_id"]
    again = keras.models.model_from_json(json.dumps(data))
    assert len(again.weights) == 2


def test_calls_that_keras_has_no_class_for(tmp_path):
    x = layers.Input((3, 2))
    h = layers.Input((4,))
    kernels = [np.full(s, 0.1, "float32") for s in ((2, 4), (4, 4), (4,))]
    model = keras.Model([x, h], keras.ops.simple_rnn(x, h, *kernels)[0])
    model.save(tmp_path / "m.keras")
    config = json.loads(zipfile.ZipFile(tmp_path / "m.keras").read("config.json"))
    modules = [x["module"] for x in config["config"]["layers"]]
    assert modules.count("polykeras.ops") == 1
    again = keras.models.load_model(tmp_path / "m.keras")
    data = [np.ones((1, 3, 2), "float32"), np.zeros((1, 4), "float32")]
    np.testing.assert_array_equal(
        again.predict(data, verbose=0), model.predict(data, verbose=0)
    )


def test_architecture_as_json(tmp_path):
    model = make()
    again = keras.models.model_from_json(model.to_json(indent=1))
    assert again.to_json() == model.to_json()
    assert again.compiled
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]
    with pytest.raises(DataError, match="no valid JSON"):
        keras.models.model_from_json("{")
    with pytest.raises(DataError, match="describes a Dense, not a model"):
        keras.models.model_from_json(json.dumps(layers.serialize(layers.Dense(2))))


def test_compiling_can_be_left_out(tmp_path):
    model = make()
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", compile=False)
    assert not again.compiled
    assert again.optimizer is None
    assert_equal(again.get_weights(), model.get_weights())


def test_own_classes_are_found_by_name_only(tmp_path):
    class Twice(layers.Layer):
        def call(self, x):
            return x * 2

    model = keras.Sequential([layers.Input((2,)), Twice()])
    model.save(tmp_path / "m.keras")
    config = json.loads(zipfile.ZipFile(tmp_path / "m.keras").read("config.json"))
    assert config["config"]["layers"][1]["module"] is None
    with pytest.raises(ArgumentError, match=r"'Twice'.*custom_objects"):
        keras.models.load_model(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", {"Twice": Twice})
    assert again.predict(np.ones((1, 2)), verbose=0).tolist() == [[2.0, 2.0]]


def test_own_losses_are_asked_for(tmp_path):
    def odd(y, p):
        return keras.ops.mean(keras.ops.abs(y - p))

    model = keras.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", odd)
    model.save(tmp_path / "m.keras")
    with pytest.raises(DataError, match=r"'odd'.*compile=False"):
        keras.models.load_model(tmp_path / "m.keras")
    assert keras.models.load_model(tmp_path / "m.keras", {"odd": odd}).loss is odd


def test_models_without_weights_yet(tmp_path):
    model = keras.Sequential([layers.Dense(2)])
    model.compile("adam", "mse")
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert not again.built
    again.fit(X, Y, verbose=0)


def test_code_is_not_written(tmp_path):
    path = tmp_path / "m.keras"
    path.write_bytes(b"what was there")
    model = keras.Sequential([layers.Input((2,)), layers.Lambda(lambda x: x + 1)])
    with pytest.raises(PolykerasError, match="cannot be saved"):
        model.save(path)
    assert path.read_bytes() == b"what was there"
    assert list(tmp_path.iterdir()) == [path]


def test_names_are_checked(tmp_path):
    model = make()
    with pytest.raises(ArgumentError, match=r"\.keras archives"):
        model.save(tmp_path / "m.h5")
    with pytest.raises(ArgumentError, match=r"\.keras archives"):
        model.save(tmp_path / "m.keras", zipped=False)
    with pytest.raises(ArgumentError, match="no file"):
        keras.models.load_model(tmp_path / "m.keras")
    with pytest.raises(ArgumentError, match="load_weights"):
        keras.models.load_model(tmp_path / "m.weights.h5")
    model.save(tmp_path / "m.keras")
    with pytest.raises(ArgumentError, match="overwrite"):
        model.save(tmp_path / "m.keras", overwrite=False)
    with pytest.raises(TypeError, match="save_format"):
        model.save(tmp_path / "m.keras", save_format="h5")


def edited(path, **changes):
    """Rewrite members of an archive."""
    with zipfile.ZipFile(path) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    for name, value in changes.items():
        member = name.replace("__", ".")
        members[member] = value(members[member]) if callable(value) else value
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in members.items():
            if value is not None:
                archive.writestr(name, value)


def test_compressed_archives_are_read(tmp_path):
    model = make()
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "c.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in members.items():
            archive.writestr(name, value)
    again = keras.models.load_model(tmp_path / "c.keras")
    assert_equal(again.get_weights(), model.get_weights())


def test_damage_is_found(tmp_path):
    make().save(tmp_path / "m.keras")
    whole = (tmp_path / "m.keras").read_bytes()
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        start = archive.getinfo("model.weights.h5").header_offset
    damaged = bytearray(whole)
    damaged[start + 5000] ^= 1
    (tmp_path / "m.keras").write_bytes(damaged)
    with pytest.raises(DataError, match="damaged"):
        keras.models.load_model(tmp_path / "m.keras")
    (tmp_path / "m.keras").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"no \.keras archive"):
        keras.models.load_model(tmp_path / "m.keras")


def test_members_may_not_lack(tmp_path):
    make().save(tmp_path / "m.keras")
    edited(tmp_path / "m.keras", config__json=None)
    with pytest.raises(DataError, match=r"lacks 'config\.json'"):
        keras.models.load_model(tmp_path / "m.keras")


def test_weights_of_another_architecture_are_refused(tmp_path):
    make().save(tmp_path / "m.keras")

    def wider(raw):
        data = json.loads(raw)
        data["config"]["layers"][-1]["config"]["units"] = 7
        return json.dumps(data)

    edited(tmp_path / "m.keras", config__json=wider)
    with pytest.raises(ShapeError, match=r"\(5, 7\).*\(5, 2\)"):
        keras.models.load_model(tmp_path / "m.keras")


def test_lambda_gets_its_function_from_the_caller(tmp_path):
    saving.get_custom_objects()["shift"] = shift = lambda x: x + 1
    shift.__name__ = "shift"
    try:
        model = keras.Sequential([layers.Input((2,)), layers.Lambda(shift, name="add")])
        model.save(tmp_path / "m.keras")
    finally:
        del saving.get_custom_objects()["shift"]
    code = {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}

    def with_code(raw):
        data = json.loads(raw)
        data["config"]["layers"][1]["config"]["function"] = code
        return json.dumps(data)

    edited(tmp_path / "m.keras", config__json=with_code)
    with pytest.raises(UnsafeFileError, match="never run"):
        keras.models.load_model(tmp_path / "m.keras")
    with pytest.raises(UnsafeFileError, match="never run"):
        keras.models.load_model(tmp_path / "m.keras", safe_mode=False)
    again = keras.models.load_model(tmp_path / "m.keras", {"add": shift})
    assert again.predict(np.ones((1, 2)), verbose=0).tolist() == [[2.0, 2.0]]
