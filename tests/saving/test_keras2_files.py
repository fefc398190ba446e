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


@pytest.mark.parametrize("name", ["stack", "graph", "sequences"])
def test_models_predict_the_same(backend, tmp_path, name):
    path, answers = unpacked(name, tmp_path)
    model = keras.models.load_model(path)
    outputs = cases.outputs_of(model, name)
    assert len(outputs) == len(answers.files)
    for i, y in enumerate(outputs):
        # Sums of at most 100 products of numbers of one sign.
        expected = answers[f"y{i}"]
        largest = np.abs(expected).max()
        np.testing.assert_allclose(y, expected, rtol=0, atol=64 * 2**-23 * largest)


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
    assert small.load_weights(path, by_name=True).loaded == ["c"]
    np.testing.assert_array_equal(small.get_weights()[0], whole.get_weights()[0])
    wrong = keras.Sequential([layers.Input((8, 8, 2)), layers.Conv2D(4, 3, name="c")])
    before = wrong.get_weights()
    with pytest.raises(ShapeError, match="'c'"):
        wrong.load_weights(path, by_name=True)
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
