"""Dumps: written on one machine, compared on another, refused where damaged."""

from __future__ import annotations

import json
import re
import zipfile

import ml_dtypes
import numpy as np
import pytest

from polykeras.compare._dump import Dump, Entry, diff
from polykeras.compare._engines import engine_named
from polykeras.compare._run import Comparison
from polykeras.errors import ArgumentError, DataError
from tests.compare._models import Faulty, convnet, mlp


def dumped(engine, model=None, seed=0, steps=2):
    comparison = Comparison(model or mlp(), None, None, "numpy:float64", 8, seed)
    return comparison.dump(engine_named(engine), steps)


@pytest.fixture(scope="module")
def plain():
    return dumped("numpy")


def test_a_dump_comes_back_as_it_was(plain, tmp_path):
    plain.write(tmp_path / "a.pkd")
    again = Dump.read(tmp_path / "a.pkd")
    assert (again.engine, again.model) == ("numpy", "mlp")
    assert again.environment == json.loads(json.dumps(plain.environment))
    assert {"seed", "engines", "weights", "data_digest"} <= set(again.environment)
    kinds = {entry.kind for entry in again.entries}
    assert kinds == {"layer", "gradient", "update", "loss"}
    for old, new in zip(plain.entries, again.entries, strict=True):
        assert old.key == new.key
        assert old.bound == new.bound
        np.testing.assert_array_equal(old.array, new.array)


def test_small_floats_keep_their_bits(tmp_path):
    x = np.arange(6).reshape(2, 3).astype(ml_dtypes.bfloat16)
    entry = Entry("layer", "a", "A", "inference", "bfloat16", x)
    Dump("e", "m", {}, [entry]).write(tmp_path / "a.pkd")
    back = Dump.read(tmp_path / "a.pkd").entries[0].array
    assert back.dtype == x.dtype
    assert back.tobytes() == x.tobytes()


def test_dumps_of_right_engines_differ_by_rounding(plain):
    assert diff(plain, plain).worst == "identical bits"
    other = diff(plain, dumped("numpy:float64"))
    assert other.consistent
    assert other.worst == "rounding"
    assert diff(plain, dumped("numpy:bfloat16")).consistent


def test_a_wrong_layer_is_found_in_a_dump(plain):
    fault = Faulty({"relu": lambda right, x: right(x) * x.dtype.type(1.01)})
    report = diff(plain, dumped(fault))
    assert report.first_divergence.name == "mlp/first"
    assert report.first_divergence.engine == "faulty"


def test_arrays_without_a_stated_bound_get_one_of_their_dtype():
    x = np.ones(4, "float32")
    a = Dump("a", "m", {}, [Entry("layer", "l", "L", "inference", "float32", x)])
    for value, verdict in ((1 + 2.0**-14, "rounding"), (1.01, "wrong")):
        y = (x * value).astype("float32")
        b = Dump("b", "m", {}, [Entry("layer", "l", "L", "inference", "float32", y)])
        assert diff(a, b).items[0].verdict == verdict
    assert diff(a, Dump("b", "m", {})).items[0].verdict == "not comparable"


def test_other_models_weights_and_data_are_refused(plain):
    with pytest.raises(ArgumentError, match=r"different numbers of weights \(4 and"):
        diff(plain, dumped("numpy", convnet()))
    with pytest.raises(ArgumentError, match="ran on different data"):
        diff(plain, dumped("numpy", seed=1))
    changed = mlp()
    changed.set_weights([2 * w for w in changed.get_weights()])
    with pytest.raises(ArgumentError, match="started from different weights"):
        diff(plain, dumped("numpy", changed))


def rewritten(path, change):
    """Change the files of an archive by a function of their dict."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def meta(**changes):
    def change(files):
        files["meta.json"] = json.dumps(
            {**json.loads(files["meta.json"]), **changes}
        ).encode()

    return change


def swap(name, data):
    return lambda files: files.__setitem__(name, data)


def headed(text):
    header = text.encode() + b"\n"
    size = len(header).to_bytes(2, "little")
    return swap("0.npy", b"\x93NUMPY\x01\x00" + size + header + bytes(12))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda files: files.pop("meta.json"), "no meta.json"),
        (lambda files: files.pop("0.npy"), "the array 0.npy is missing"),
        (meta(schema=99), "expected schema 1"),
        (meta(entries=3), "'entries' is 3, expected list"),
        (meta(entries=[{}]), "'array' is None, expected int"),
        (swap("meta.json", b"{"), "is no readable dump"),
        (swap("meta.json", b"[" * 100_000), "nests deeper"),
        (swap("0.npy", b"garbage"), "is no readable dump"),
        (headed("{'descr': '<f4', 'shape': ((((((, }"), "numpy.save"),
        (headed("{'descr': '|f3', 'fortran_order': False, 'shape': (3,), }"), "'|f3'"),
        (
            headed(
                "{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999,), }"
            ),
            "does not have the",
        ),
        (lambda files: swap("0.npy", files["0.npy"][:-4])(files), "does not have the"),
    ],
)
def test_damaged_dumps_are_refused(plain, tmp_path, change, words):
    path = tmp_path / "a.pkd"
    plain.write(path)
    rewritten(path, change)
    with pytest.raises(DataError, match=re.escape(words)):
        Dump.read(path)


def test_what_is_no_dump_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="There is no file"):
        Dump.read(tmp_path / "absent.pkd")
    path = tmp_path / "text.pkd"
    path.write_text("hello")
    with pytest.raises(DataError, match="no readable dump"):
        Dump.read(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("meta.json", "{}" + " " * 1000)
    with pytest.raises(DataError, match="compressed"):
        Dump.read(path)


def test_object_arrays_are_never_unpickled(plain, tmp_path):
    import io

    stream = io.BytesIO()
    np.save(stream, np.array([{"a": 1}], object), allow_pickle=True)
    path = tmp_path / "a.pkd"
    plain.write(path)
    rewritten(path, swap("0.npy", stream.getvalue()))
    with pytest.raises(DataError, match=r"numpy\.save"):
        Dump.read(path)
