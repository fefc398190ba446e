"""`polykeras inspect`: what files hold, told without loading them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import polykeras as keras
from polykeras import layers
from polykeras.cli import app
from polykeras.errors import ArgumentError

run = CliRunner().invoke
DATA = Path(__file__).parents[1] / "saving" / "data"


@pytest.fixture
def model():
    inner = keras.Sequential([layers.Dense(3, name="deep")], name="inner")
    x = layers.Input((4,), name="x")
    made = keras.Model(x, layers.Dense(2, name="last", dtype="bfloat16")(inner(x)))
    made.compile("adam", "mse", metrics=["mae"])
    made.fit(np.ones((2, 4)), np.ones((2, 2)), verbose=0)
    return made


def inspected(path):
    result = run(app, ["inspect", str(path), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_whole_model(tmp_path, model):
    model.save(tmp_path / "m.keras")
    found = inspected(tmp_path / "m.keras")
    assert found["kind"] == "whole model"
    assert found["parameters"] == model.count_params()
    assert found["written_by"]["keras_version"] == "3.15.1"
    assert found["training"]["loss"] == "mse"
    names = [x["name"] for x in found["model"]["layers"]]
    assert names == ["x", "inner", "last"]
    inner = found["model"]["layers"][1]
    assert [x["name"] for x in inner["layers"]][-1] == "deep"
    weights = {w["path"]: w for w in found["weights"]}
    assert weights["layers/dense/0"]["dtype"] == "bfloat16"
    assert weights["layers/dense/0"]["bytes"] == 12
    assert weights["layers/sequential/layers/dense/0"]["shape"] == [4, 3]
    assert "optimizer/0" in weights
    assert found["warnings"] == []


@pytest.mark.parametrize("suffix", [".weights.h5", ".safetensors", ".weights.json"])
def test_weights(tmp_path, model, suffix):
    size = {"max_shard_size": 1.0} if suffix.endswith("json") else {}
    model.save_weights(tmp_path / f"w{suffix}", **size)
    found = inspected(tmp_path / f"w{suffix}")
    assert found["kind"].startswith("weights")
    assert found["model"] is None
    assert found["parameters"] == model.count_params()


def test_an_architecture(tmp_path, model):
    (tmp_path / "m.json").write_text(model.to_json())
    found = inspected(tmp_path / "m.json")
    assert found["kind"] == "architecture"
    assert [x["name"] for x in found["model"]["layers"]] == ["x", "inner", "last"]
    assert found["weights"] == []


def test_files_of_keras(tmp_path):
    for file, name, kind in [
        ("keras_files.zip", "subclassed.keras", "whole model"),
        ("keras2_files.zip", "graph.h5", "whole model of Keras 2"),
    ]:
        with zipfile.ZipFile(DATA / file) as archive:
            (tmp_path / name).write_bytes(archive.read(name))
        found = inspected(tmp_path / name)
        assert found["kind"] == kind
        assert found["model"]["name"]
    assert found["written_by"]["backend"] == "tensorflow"
    assert found["training"]["optimizer"]["class_name"] == "Adam"
    found = inspected(tmp_path / "subclassed.keras")
    assert any("exchange>Tower" in w for w in found["warnings"])


def test_what_would_not_load_is_told(tmp_path, model):
    path = tmp_path / "m.keras"
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    data = json.loads(members["config.json"])
    function = {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}
    data["config"]["layers"][1] = {
        "class_name": "Lambda",
        "module": "keras.layers",
        "config": {"name": "evil\x1b[31m", "function": function},
    }
    members["config.json"] = json.dumps(data).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in {**members, "../more": b"x"}.items():
            archive.writestr(name, value)
    warned = "".join(inspected(path)["warnings"])
    assert "never run" in warned
    assert "'../more'" in warned
    shown = run(app, ["inspect", str(path)])
    assert shown.exit_code == 0
    assert "evil?[31m" in shown.stdout
    assert "\x1b[31m" not in shown.stdout


def test_the_picture(tmp_path, model):
    model.save(tmp_path / "m.keras")
    text = run(app, ["inspect", str(tmp_path / "m.keras")]).stdout
    for part in ("inner (Sequential)", "deep (Dense)", "loss: mse", "bfloat16"):
        assert part in text


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "m.keras").write_bytes(b"no archive")
    result = run(app, ["inspect", str(tmp_path / "m.keras")])
    assert result.exit_code == 1
    assert "DataError" in result.output
    with pytest.raises(ArgumentError, match="no file"):
        keras.saving.inspect_file(tmp_path / "none.keras")
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(ArgumentError, match="Known"):
        keras.saving.inspect_file(tmp_path / "x.txt")
