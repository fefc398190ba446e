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
from polykeras.compare._dump import Dump, Entry
from polykeras.errors import ArgumentError, DataError, UnsafeFileError

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


@pytest.fixture
def checkpoints(tmp_path, model):
    class Save(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            checkpoint.save(self.model, logs)

    checkpoint = keras.training.Checkpoint(tmp_path / "run")
    model.fit(np.ones((6, 4)), np.ones((6, 2)), 2, verbose=0, callbacks=[Save()])
    return checkpoint


def test_one_checkpoint(model, checkpoints):
    found = inspected(checkpoints.latest)
    assert found["kind"] == "checkpoint"
    assert found["parameters"] == model.count_params()
    details = found["details"]
    assert (details["epoch"], details["batch"]) == (0, 3)
    assert details["callbacks"] == ["Save", "History"]
    assert set(details["logs"]) == {"loss", "mae"}
    paths = [w["path"] for w in found["weights"]]
    assert "optimizer/0" in paths
    assert "training/generators/numpy" in paths


def test_a_folder_of_checkpoints(model, checkpoints):
    newest = checkpoints.latest
    (newest / "arrays.safetensors").write_bytes(b"other bytes")
    found = inspected(checkpoints.directory)
    assert found["kind"] == "folder of checkpoints"
    listed = found["details"]["checkpoints"]
    assert [x["whole"] for x in listed] == [True, False]
    assert listed[0]["batch"] == 2
    assert "batch" not in listed[1]
    assert found["parameters"] == model.count_params()
    assert "not what its manifest says" in found["warnings"][0]
    shown = run(app, ["inspect", str(checkpoints.directory)]).stdout
    assert f"name {newest.name}, whole False" in shown
    result = run(app, ["inspect", str(newest)])
    assert result.exit_code == 1
    assert "DataError" in result.output


def test_links_in_a_checkpoint_are_not_followed(tmp_path, checkpoints):
    path = checkpoints.latest / "state.json"
    path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(DataError, match="not what its manifest says"):
        keras.saving.inspect_file(path.parent)


def test_a_dump_of_a_comparison(tmp_path, model):
    entries = [
        Entry("output", "last", "Dense", "inference", "bfloat16", np.ones((2, 2), "f4"))
    ]
    dump = Dump("mine", "net", {"seed": 1}, entries)
    dump.write(tmp_path / "any.name")
    found = inspected(tmp_path / "any.name")
    assert found["kind"] == "dump of a comparison"
    assert found["written_by"] == {"engine": "mine", "environment": {"seed": 1}}
    assert found["details"] == {"model": "net", "arrays": {"output": 1}}
    path = "compared/inference/output/last"
    assert [(w["path"], w["shape"]) for w in found["weights"]] == [(path, [2, 2])]
    assert found["parameters"] == 0
    (tmp_path / "any.name").write_bytes((tmp_path / "any.name").read_bytes()[:-40])
    assert run(app, ["inspect", str(tmp_path / "any.name")]).exit_code == 1


def test_an_onnx_graph(tmp_path):
    onnx = pytest.importorskip("onnx")
    model = keras.Sequential([layers.Input((4,), name="x"), layers.Dense(3)])
    path = tmp_path / "m.onnx"
    model.export(path)
    found = inspected(path)
    assert found["kind"] == "ONNX graph"
    assert found["written_by"]["producer"] == "polykeras"
    details = found["details"]
    assert details["inputs"] == [{"name": "x", "shape": ["batch", 4], "dtype": "float"}]
    assert details["operators"]["MatMul"] == 1
    assert [4, 3] in [w["shape"] for w in found["weights"]]
    proto = onnx.load(path)
    outside = proto.graph.initializer[0]
    outside.ClearField("raw_data")
    outside.data_location = outside.EXTERNAL
    outside.external_data.add(key="location", value="../../etc/passwd")
    path.write_bytes(proto.SerializeToString())
    assert "in another file" in inspected(path)["warnings"][0]
    outside.dims[0] = 2**60
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(UnsafeFileError, match="declares the shape"):
        keras.saving.inspect_file(path)
    for raw in (b"no graph", b""):
        path.write_bytes(raw)
        with pytest.raises(DataError, match="no ONNX"):
            keras.saving.inspect_file(path)


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
    with pytest.raises(ArgumentError, match="holds no checkpoints"):
        keras.saving.inspect_file(tmp_path)
