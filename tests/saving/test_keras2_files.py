"""Whole models that Keras 2 wrote to ``.h5`` files."""

from __future__ import annotations

import importlib.util
import io
import json
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import polykeras as keras
from polykeras import layers
from polykeras.errors import DataError, ShapeError, UnsafeFileError

HERE = Path(__file__).parent


def _cases():
    path = HERE.parent / "peer" / "exchange_cases.py"
    spec = importlib.util.spec_from_file_location("exchange_cases", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["exchange_cases"] = module
    spec.loader.exec_module(module)
    return module


cases = _cases()


def unpacked(name, folder):
    with zipfile.ZipFile(HERE / "data" / "keras2_files.zip") as archive:
        path = folder / f"{name}.h5"
        path.write_bytes(archive.read(f"{name}.h5"))
        return path, np.load(io.BytesIO(archive.read(f"{name}.npz")))


NAMES = ["stack", "graph", "sequences"]


def assert_outputs(model, name, answers, kind):
    outputs = cases.outputs_of(model, name)
    assert len(outputs) == sum(k.startswith(kind) for k in answers.files)
    for i, y in enumerate(outputs):
        # Sums of at most 100 products of numbers of one sign, or three steps of these.
        expected = answers[f"{kind}{i}"]
        bound = (64 if kind == "y" else 256) * 2**-23 * np.abs(expected).max()
        np.testing.assert_allclose(y, expected, rtol=0, atol=bound)


@pytest.mark.parametrize("name", NAMES)
def test_models_predict_the_same_and_train_on(backend, tmp_path, name):
    path, answers = unpacked(name, tmp_path)
    model = keras.models.load_model(path)
    assert_outputs(model, name, answers, "y")
    assert int(model.optimizer.iterations) == 3
    cases.train(model, name)
    assert_outputs(model, name, answers, "t")


def test_models_are_compiled_as_they_were(tmp_path):
    path, _ = unpacked("stack", tmp_path)
    model = keras.models.load_model(path)
    rate = model.optimizer.get_config()["learning_rate"]
    assert rate["class_name"] == "ExponentialDecay"
    assert model.loss.get_config()["label_smoothing"] == 0.1
    x, y = cases.inputs_of(model, "stack"), cases.targets_of("stack")
    assert set(model.evaluate(x, y, verbose=0, return_dict=True)) == {
        "loss",
        "accuracy",
        "top_k_categorical_accuracy",
    }
    assert not keras.models.load_model(path, compile=False).compiled
    path, _ = unpacked("sequences", tmp_path)
    rate = keras.models.load_model(path).optimizer.get_config()["learning_rate"]
    assert rate["class_name"] == "InverseTimeDecay"


def edited(path, change):
    with h5py.File(path, "a") as file:
        data = json.loads(file.attrs["training_config"])
        change(data)
        file.attrs["training_config"] = json.dumps(data)


def test_what_is_not_restored_is_said(tmp_path):
    path, answers = unpacked("graph", tmp_path)
    amsgrad = {"amsgrad": False}
    edited(path, lambda data: data["optimizer_config"]["config"].update(amsgrad))
    with pytest.warns(UserWarning, match="optimizer .* begins anew: .*18 arrays.* 27"):
        model = keras.models.load_model(path)
    assert model.compiled
    assert int(model.optimizer.iterations) == 0
    with h5py.File(path, "a") as file:
        del file["optimizer_weights/Adam/vhat"]
    with pytest.warns(UserWarning, match="begins anew: .*lacks the array"):
        keras.models.load_model(path)
    edited(path, lambda data: data.update(loss="own_loss"))
    with pytest.warns(UserWarning, match="is not compiled, .*'own_loss'.*compile"):
        model = keras.models.load_model(path)
    assert not model.compiled
    assert_outputs(model, "graph", answers, "y")
    own = {"own_loss": lambda y, p: keras.ops.mean(y - p, axis=-1)}
    with pytest.warns(UserWarning, match="begins anew"):
        assert keras.models.load_model(path, own).compiled


def test_code_in_what_a_model_was_compiled_with(tmp_path):
    path, _ = unpacked("stack", tmp_path)
    code = {"class_name": "__lambda__", "config": {"value": "4wEAAAA="}}
    edited(path, lambda data: data.update(loss=code))
    with pytest.raises(UnsafeFileError, match="never run"):
        keras.models.load_model(path)


def test_weights_by_name_and_by_order(tmp_path):
    path, _ = unpacked("stack", tmp_path)
    whole = keras.models.load_model(path)
    other = keras.models.clone_model(whole)
    report = other.load_weights(path)
    assert len(report.loaded) == 4
    for a, b in zip(other.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    small = keras.Sequential([layers.Input((8, 8, 2)), layers.Conv2D(3, 3, name="c")])
    with pytest.raises(ShapeError, match=r"4 layers.*1 layers"):
        small.load_weights(path)
    report = small.load_weights(path, by_name=True)
    assert report.loaded == ["c"]
    assert report.skipped == {}
    assert len(report.unused) == 3
    np.testing.assert_array_equal(small.get_weights()[0], whole.get_weights()[0])
    wrong = keras.Sequential([layers.Input((8, 8, 2)), layers.Conv2D(4, 3, name="c")])
    before = wrong.get_weights()
    with pytest.raises(ShapeError, match="'c'"):
        wrong.load_weights(path, by_name=True)
    with pytest.warns(UserWarning, match="'c'"):
        report = wrong.load_weights(path, by_name=True, skip_mismatch=True)
    assert report.loaded == []
    assert "(3, 3, 2, 3)" in report.skipped["c"]
    np.testing.assert_array_equal(before[0], wrong.get_weights()[0])


def test_cve_2025_9905_code_in_an_h5_file(tmp_path):
    path, _ = unpacked("stack", tmp_path)
    with h5py.File(path, "a") as file:
        data = json.loads(file.attrs["model_config"])
        config = {"name": "evil", "function": ["4wEAAAA=", None, None]}
        data["config"]["layers"][6] = {"class_name": "Lambda", "config": config}
        file.attrs["model_config"] = json.dumps(data)
    for safe_mode in (True, False):
        with pytest.raises(UnsafeFileError, match="never run"):
            keras.models.load_model(path, safe_mode=safe_mode)


def test_files_that_hold_no_architecture(tmp_path):
    path, _ = unpacked("stack", tmp_path)
    with h5py.File(path, "a") as file:
        del file.attrs["model_config"]
    with pytest.raises(DataError, match="no architecture"):
        keras.models.load_model(path)
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = '{"class_name": "Model", "config": {"layers": 3}}'
    with pytest.raises(DataError, match="describe"):
        keras.models.load_model(path)
