"""Weights and sizes made to harm: refused, with a clear error and little memory.

The vulnerabilities are public ones of Keras' model loading.
"""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile

import h5py
import numpy as np
import pytest

import polykeras as keras
from polykeras import saving
from polykeras.errors import ArgumentError, DataError, UnsafeFileError
from tests.saving._unsafe import (
    archive_with,
    make,
    refused,
    warm,  # noqa: F401 - a fixture that runs by itself
)
from tests.saving._watch import nothing_but

# -- weights ---------------------------------------------------------------------


def change_h5(change):
    def apply(raw):
        stream = io.BytesIO(raw)
        with h5py.File(stream, "a") as file:
            group = file["layers/dense/vars"]
            shape, dtype = group["0"].shape, group["0"].dtype
            del group["0"]
            change(group, shape, dtype)
        return stream.getvalue()

    return apply


def external(secret):
    def change(group, shape, dtype):
        group.create_dataset("0", shape, dtype, external=[(str(secret), 0, 48)])

    return change


def external_link(secret):
    def change(group, shape, dtype):
        group["0"] = h5py.ExternalLink(str(secret), "/layers/dense/vars/0")

    return change


def soft_link(secret):
    def change(group, shape, dtype):
        group["0"] = h5py.SoftLink("/layers/dense_1/vars/0")

    return change


def virtual(secret):
    def change(group, shape, dtype):
        layout = h5py.VirtualLayout(shape, dtype)
        layout[:] = h5py.VirtualSource(str(secret), "layers/dense/vars/0", shape)
        group.create_virtual_dataset("0", layout)

    return change


@pytest.mark.parametrize("kind", [external, external_link, soft_link, virtual])
def test_cve_2026_1669_arrays_kept_in_other_files(tmp_path, kind):
    secret = tmp_path / "secret"
    make().save_weights(tmp_path / "secret.weights.h5")
    (tmp_path / "secret.weights.h5").rename(secret)
    change = change_h5(kind(secret))
    path = archive_with(tmp_path / "m.keras", weights=change)
    refused(path, UnsafeFileError, r"link|another file")
    make().save_weights(tmp_path / "w.weights.h5")
    changed = change((tmp_path / "w.weights.h5").read_bytes())
    (tmp_path / "w.weights.h5").write_bytes(changed)
    model = make()
    before = model.get_weights()
    with pytest.raises(UnsafeFileError, match=r"link|another file"):
        model.load_weights(tmp_path / "w.weights.h5")
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def never_written(group, shape, dtype):
    group.create_dataset("0", (1 << 20, 1 << 20), dtype)


def chunks_never_written(group, shape, dtype):
    group.create_dataset("0", (1 << 20, 1 << 20), dtype, chunks=(64, 64))


def compressed(group, shape, dtype):
    data = np.zeros((1 << 13, 1 << 13), dtype)
    group.create_dataset("0", data=data, chunks=(1 << 10, 1 << 10), compression=9)


def bounded(run):
    """Return what `run` returns, after asserting that it allocated little."""
    tracemalloc.start()
    try:
        result = run()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 32 << 20, f"{peak:,} bytes"
    return result


@pytest.mark.parametrize("bomb", [never_written, chunks_never_written, compressed])
def test_cve_2026_0897_shapes_larger_than_the_data(tmp_path, bomb):
    path = archive_with(tmp_path / "m.keras", weights=change_h5(bomb))
    bounded(lambda: refused(path, DataError, "declares|in pieces"))


@pytest.mark.parametrize(
    "dtype", [h5py.string_dtype(), h5py.ref_dtype, np.dtype([("a", "f4")]), "S9"]
)
def test_arrays_hold_numbers(tmp_path, dtype):
    def change(group, shape, _):
        group.create_dataset("0", shape, dtype)

    path = archive_with(tmp_path / "m.keras", weights=change_h5(change))
    refused(path, UnsafeFileError, "not numbers|declares")


def test_groups_form_no_loops(tmp_path):
    def change(group, shape, dtype):
        group["0"] = group.parent.parent

    path = archive_with(tmp_path / "m.keras", weights=change_h5(change))
    refused(path, UnsafeFileError, "twice")


def safetensors_of(header, body=b""):
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        ((1 << 62).to_bytes(8, "little") + b"{}", "header is said to have"),
        (b"\1", "header is said to have"),
        (
            safetensors_of(
                {"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 8]}},
                bytes(8),
            ),
            "declares the array",
        ),
        (
            safetensors_of(
                {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
            ),
            "declares the array",
        ),
        (
            safetensors_of(
                {"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, -8]}}
            ),
            "declares the array",
        ),
        (
            safetensors_of({"a": {"dtype": "O", "shape": [], "data_offsets": [0, 0]}}),
            "describes the array",
        ),
        (safetensors_of({"a": 3}), "describes the array"),
        (
            safetensors_of(
                {"a": {"dtype": "F32", "shape": [0, 1 << 62], "data_offsets": [0, 0]}}
            ),
            "declares the shape",
        ),
        (safetensors_of([1]), "JSON object"),
        (b"\2\0\0\0\0\0\0\0[[", "no valid JSON"),
    ],
    ids=range(10),
)
def test_headers_of_safetensors_are_checked(tmp_path, raw, match):
    path = tmp_path / "w.safetensors"
    path.write_bytes(raw)
    with pytest.raises(DataError, match=match):
        bounded(lambda: make().load_weights(path))


# -- sizes -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "layer",
    [
        ("Dense", {"units": 1 << 40}),
        ("Embedding", {"input_dim": 1 << 40, "output_dim": 8}),
        ("Conv1D", {"filters": 8, "kernel_size": 1 << 40}),
        ("LSTM", {"units": 1 << 20}),
    ],
    ids=lambda layer: layer[0],
)
def test_configs_larger_than_the_weights(tmp_path, layer):
    name, config = layer
    shape = [4] if name in ("Dense", "Embedding") else [6, 4]
    data = {"module": "keras.layers", "class_name": name, "config": config}

    def change(model):
        model["config"]["layers"][0]["config"]["batch_shape"] = [None, *shape]
        model["config"]["layers"][1] = {**data, "config": {"name": "x", **config}}

    path = archive_with(tmp_path / "m.keras", config=change)
    bounded(lambda: refused(path, UnsafeFileError, "takes .* bytes"))


def test_metrics_larger_than_the_weights(tmp_path):
    def change(model):
        metric = {
            "module": "keras.metrics",
            "class_name": "AUC",
            "config": {"num_thresholds": 1 << 40},
        }
        model["compile_config"] = {"optimizer": "sgd", "metrics": [metric]}

    path = archive_with(tmp_path / "m.keras", config=change)
    bounded(lambda: refused(path, DataError, "thresholds"))


def test_packed_members_larger_than_the_file(tmp_path):
    path = tmp_path / "m.keras"
    make().save(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/zeros", bytes(64 << 20))
    bounded(lambda: refused(path, UnsafeFileError, "declares"))


def test_sizes_in_the_directory_are_not_believed(tmp_path):
    path = tmp_path / "m.keras"
    make().save(path)
    raw = bytearray(path.read_bytes())
    entry = raw.rindex(b"PK\1\2")
    raw[entry + 24 : entry + 28] = (1 << 30).to_bytes(4, "little")
    path.write_bytes(raw)
    bounded(lambda: refused(path, UnsafeFileError, "is said to have"))


def test_members_occur_once(tmp_path):
    path = archive_with(tmp_path / "m.keras")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Dup"):
        archive.writestr("config.json", b"{}")
    refused(path, UnsafeFileError, "twice")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[" * 100_000, "nests deeper"),
        ('{"a":' * 200 + "1" + "}" * 200, "nests deeper"),
        ('{"a": "[[[[' + "[" * 300 + '"}', "describes a dict"),
        ("1" * 5000, "no valid JSON"),
        ('"\\ud800', "no valid JSON"),
        ("[1]", "JSON object"),
        ("\0", "no valid JSON"),
    ],
    ids=range(7),
)
def test_json_is_bounded(tmp_path, text, match):
    path = archive_with(tmp_path / "m.keras", extra={"config.json": text.encode()})
    refused(path, DataError, match)
    with pytest.raises(DataError, match=match):
        keras.models.model_from_json(text)


def test_limits_can_be_lowered(tmp_path):
    path = archive_with(tmp_path / "m.keras")
    for name, value, match in [
        ("max_members", 2, "more than 2 parts"),
        ("max_json_bytes", 100, "bytes of JSON"),
        ("max_json_nodes", 10, "values"),
        ("max_json_depth", 3, "nests deeper"),
        ("max_name_length", 5, "characters"),
        ("max_bytes", 1000, "declares"),
    ]:
        with saving.loading_limits(**{name: value}):
            refused(path, UnsafeFileError, match)
    keras.models.load_model(path)
    for wrong in ({"max_byte": 3}, {"max_bytes": 0}, {"max_bytes": 1.5}):
        with (
            pytest.raises(ArgumentError, match="limit"),
            saving.loading_limits(**wrong),
        ):
            pass


def test_a_file_chooses_no_backend(tmp_path):
    def change(data):
        data["backend"] = data["config"]["backend"] = "evil"

    path = archive_with(
        tmp_path / "m.keras",
        config=change,
        extra={"metadata.json": b'{"backend": "evil", "plugin": "evil_module"}'},
    )
    with nothing_but(path):
        model = keras.models.load_model(path)
    assert model.backend.name == keras.backend.backend()


def test_a_refused_file_leaves_the_seeds_alone(tmp_path):
    path = archive_with(
        tmp_path / "m.keras",
        extra={"polykeras.json": b'{"seeds": {}, "draws": ["a", 3]}'},
    )
    refused(path, DataError, "seeds")
