"""Files that Keras 3.15.1 wrote: they load, predict the same, and train on.

``tests/peer/make_files.py`` wrote them; ``tests/peer/check_files.py`` checks the other
direction where Keras is installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import json
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import polykeras as keras
from tests.surface import _compare as compare

HERE = Path(__file__).parent
PEER = HERE.parent / "peer"


def _peer(name: str) -> ModuleType:
    """Import a module of the peer scripts, which stand outside of any package."""
    spec = importlib.util.spec_from_file_location(name, PEER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


cases = _peer("exchange_cases")
check = _peer("check_files")


@pytest.fixture(scope="module", autouse=True)
def registered():
    names = importlib.import_module("polykeras.registry._names")
    tables = (names._BY_NAME, names._NAME_OF)
    before = [dict(t) for t in tables]
    cases.custom_classes(keras)
    yield
    for table, old in zip(tables, before, strict=True):
        table.clear()
        table.update(old)


def opened(name):
    kind = "keras_text_files" if name in cases.TENSORFLOW else "keras_files"
    return zipfile.ZipFile(HERE / "data" / f"{kind}.zip")


@pytest.mark.parametrize("name", cases.CASES)
def test_file_of_keras(backend, name):
    with opened(name) as archive:
        found = check.differences(keras, archive, name)
    assert found.keys() == ({"y", "t"} if name in cases.TRAINED else {"y"})
    for kind, roundings in found.items():
        assert roundings <= check.ROUNDINGS[kind], (kind, roundings)


OLD_FORM = ["sequential", "nested", "optimizer_adam"]


@pytest.mark.parametrize("name", OLD_FORM)
def test_file_of_keras_in_the_older_form(tmp_path, name):
    with zipfile.ZipFile(HERE / "data" / "keras_h5_files.zip") as archive:
        (tmp_path / "m.h5").write_bytes(archive.read(f"{name}.h5"))
        answers = np.load(io.BytesIO(archive.read(f"{name}.npz")))
    model = keras.models.load_model(tmp_path / "m.h5")
    for kind in "yt" if name in cases.TRAINED else "y":
        if kind == "t":
            cases.train(model, name)
        expected = [answers[k] for k in answers.files if k.startswith(kind)]
        found = check.worst(cases.outputs_of(model, name), expected, name)
        assert found <= check.ROUNDINGS[kind]


# Base classes, and data rather than classes.
NOT_IN_FILES = {"Layer", "Wrapper", "InputSpec"} | {"Optimizer", "LearningRateSchedule"}
NOT_IN_FILES |= {"Loss", "Metric", "MeanMetricWrapper"}
NOT_IN_FILES |= {"Initializer", "Regularizer", "Constraint"}
# What other metrics are made of: no model is compiled with them.
NOT_IN_FILES |= {"Mean", "Sum"}
NOT_IN_FILES |= {"get", "serialize", "deserialize"}


def named_in(data):
    """Yield the classes and functions that a config names."""
    stack = [data]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            named = [item.get(k) for k in ("class_name", "activation", "config")]
            yield from (n for n in named if isinstance(n, str))
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def test_the_files_hold_everything_that_models_are_made_of():
    found = set()
    for name in cases.CASES:
        with opened(name) as archive:
            inner = zipfile.ZipFile(io.BytesIO(archive.read(f"{name}.keras")))
            found.update(named_in(json.loads(inner.read("config.json"))))
    spaces = "layers losses metrics initializers regularizers constraints optimizers"
    wanted = {}
    for space in [*spaces.split(), "optimizers.schedules", "activations"]:
        for name, (tier, _) in compare.API["names"][f"keras.{space}"].items():
            known = compare.find(f"keras.{space}.{name}")
            made = space == "activations" or isinstance(known, type)
            if tier < 3 and made and name not in NOT_IN_FILES:
                # Some have several names, of which a file holds one.
                wanted.setdefault(known, {known.__name__}).add(name)
    missing = [names for names in wanted.values() if not names & found]
    assert missing == []


def test_layers_take_the_mode_of_the_model(tmp_path):
    # Keras stores training=False with every call of Dropout that says nothing.
    with opened("vectors") as archive:
        (tmp_path / "m.keras").write_bytes(archive.read("vectors.keras"))
    model = keras.models.load_model(tmp_path / "m.keras")
    data = cases.inputs_of(model, "vectors")
    at = [type(x.node.operation).__name__ for x in model.outputs].index("Dropout")
    assert float(keras.ops.min(model(data, training=False)[at])) > 0.0
    dropped = keras.ops.convert_to_numpy(model(data, training=True)[at])
    assert (dropped == 0.0).any()


def test_a_mode_that_the_user_gave_stays(tmp_path):
    x = keras.Input((64,))
    model = keras.Model(x, keras.layers.Dropout(0.5)(x, training=True))
    model.save(tmp_path / "m.keras")
    ones = keras.ops.ones((4, 64))
    for again in (
        keras.models.load_model(tmp_path / "m.keras"),
        keras.models.model_from_json(model.to_json()),
    ):
        assert float(keras.ops.min(again(ones, training=False))) == 0.0
    quiet = keras.Model(x, keras.layers.Dropout(0.5)(x, training=False))
    again = keras.models.model_from_json(quiet.to_json())
    assert float(keras.ops.min(again(ones, training=True))) == 1.0
