"""What our HDF5 reader reads is what h5py wrote, and nothing else is read."""

from __future__ import annotations

import io

import h5py
import ml_dtypes
import numpy as np
import pytest

from polykeras.errors import DataError, UnsafeFileError
from polykeras.storage.hdf5 import open_hdf5, read_groups, write_groups
from polykeras.storage.hdf5_reader import read_tree

DTYPES = ["bool", "int8", "uint16", "int32", "uint64", "float16", "float32", "float64"]


def written(fill, **arguments):
    stream = io.BytesIO()
    with h5py.File(stream, "w", **arguments) as file:
        fill(file)
    return stream


def tree_of(stream):
    return read_tree(stream, len(stream.getvalue()), "the file")


@pytest.mark.parametrize("dtype", [*DTYPES, "complex64", "complex128", ">f4", ">i2"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 0, 4), (2, 3, 4)])
def test_arrays_of_every_type(dtype, shape):
    rng = np.random.default_rng(0)
    data = np.asarray(rng.normal(size=shape) * 9).astype(dtype)
    stream = written(lambda file: file.create_dataset("a/b", data=data))
    array = tree_of(stream).arrays["a/b"]
    assert array.shape == shape
    assert array.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(array.read(), data)


def test_bfloat16_goes_and_returns(tmp_path):
    data = np.array([[1.5, -2.0]], ml_dtypes.bfloat16)
    write_groups(tmp_path / "w.h5", {"layers/x": {"0": data}}, {"layers/x": "own"})
    with open_hdf5(tmp_path / "w.h5", "w") as tree:
        store = read_groups(tree, "w")["layers/x"]
        assert store.described("0").dtype == "bfloat16"
        np.testing.assert_array_equal(store["0"], data)
        assert tree.groups["layers/x/vars"] == {"name": "own"}


def test_groups_of_any_size():
    def fill(file):
        for i in range(3000):
            file.create_dataset(f"g/{i}", data=np.float32(i))
        for i in range(300):
            file.create_group(f"deep/{i}/x")

    tree = tree_of(written(fill))
    assert len(tree.arrays) == 3000
    assert float(tree.arrays["g/2718"].read()) == 2718.0
    assert len(tree.groups) == 1 + 1 + 1 + 600


def test_attributes():
    def fill(file):
        file.attrs["text"] = "länger als acht Zeichen"
        file.attrs["bytes"] = np.bytes_(b"fixed")
        file.attrs["empty"] = ""
        file.attrs["number"] = 3
        file.attrs["numbers"] = np.array([1.5, 2.5])
        file.attrs["names"] = np.array([b"a", b"long name"])
        file.attrs["words"] = ["x", "ye"]
        for i in range(40):
            file.attrs[f"a{i}"] = i

    attributes = tree_of(written(fill)).groups[""]
    assert attributes["text"] == "länger als acht Zeichen"
    assert attributes["bytes"] == "fixed"
    assert attributes["empty"] == ""
    assert attributes["number"] == 3
    assert attributes["numbers"] == [1.5, 2.5]
    assert attributes["names"] == ["a", "long name"]
    assert attributes["words"] == ["x", "ye"]
    assert attributes["a39"] == 39


@pytest.mark.parametrize(
    ("fill", "arguments", "error", "match"),
    [
        (lambda f: f.create_group("g"), {"libver": "latest"}, DataError, "superblock"),
        (
            lambda f: f.create_group("g", track_order=True),
            {},
            DataError,
            "an object header has version",
        ),
        (
            lambda f: f.create_dataset("a", data=np.ones((8, 8)), chunks=(4, 4)),
            {},
            DataError,
            "in pieces",
        ),
        (
            lambda f: f.create_dataset("a", data=np.ones(9), compression="gzip"),
            {},
            DataError,
            "in pieces",
        ),
        (lambda f: f.create_dataset("a", data="text"), {}, UnsafeFileError, "numbers"),
        (
            lambda f: f.create_dataset("a", dtype="f4", shape=None),
            {},
            UnsafeFileError,
            "numbers",
        ),
        (
            lambda f: f.__setitem__("a", np.dtype("f4")),
            {},
            DataError,
            "neither a group nor an array",
        ),
    ],
    ids=["newer", "ordered", "chunks", "packed", "text", "empty", "type"],
)
def test_other_forms_are_refused(fill, arguments, error, match):
    try:
        stream = written(fill, **arguments)
    except TypeError:
        stream = written(lambda f: f.create_dataset("a", data=h5py.Empty("f4")))
    with pytest.raises(error, match=match):
        tree_of(stream)


def test_every_cut_and_every_changed_byte_is_harmless():
    stream = written(lambda f: f.create_dataset("a/b", data=np.arange(6.0)))
    raw = stream.getvalue()
    for length in range(0, len(raw), 7):
        cut = io.BytesIO(raw[:length])
        with pytest.raises(DataError):
            read_tree(cut, length, "cut")
    outcomes = set()
    for at in range(len(raw)):
        changed = bytearray(raw)
        changed[at] ^= 0xFF
        try:
            for array in read_tree(
                io.BytesIO(bytes(changed)), len(raw), "changed"
            ).arrays.values():
                array.read()
            outcomes.add("read")
        except DataError:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}
