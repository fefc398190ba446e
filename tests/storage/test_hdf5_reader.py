"""What our HDF5 reader reads is what h5py wrote, and nothing else is read."""

from __future__ import annotations

import io
import zlib

import h5py
import ml_dtypes
import numpy as np
import pytest

from polykeras.errors import DataError, UnsafeFileError
from polykeras.storage.hdf5 import open_hdf5, read_groups, write_groups
from polykeras.storage.hdf5_reader import read_tree
from polykeras.storage.limits import loading_limits

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


@pytest.mark.parametrize("dtype", ["float32", "int8", ">f8", "bool"])
@pytest.mark.parametrize("shape", [(5,), (8, 8), (7, 3, 9), (0, 4)])
@pytest.mark.parametrize(
    "form",
    [
        {},
        {"compression": "gzip"},
        {"compression": 9, "shuffle": True},
        {"shuffle": True},
    ],
    ids=["plain", "packed", "both", "shuffled"],
)
def test_arrays_in_pieces(shape, form, dtype):
    rng = np.random.default_rng(0)
    data = (rng.normal(size=shape) * 9).astype(dtype)
    pieces = tuple(max(1, (n + 1) // 3) for n in shape)
    more = {"maxshape": [None] * len(shape)} if 0 in shape else {}
    stream = written(
        lambda f: f.create_dataset("a", data=data, chunks=pieces, **form, **more)
    )
    found = tree_of(stream).arrays["a"]
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found.read(), data)


def test_arrays_inside_of_their_headers():
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        how.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple((3,))
        made = h5py.h5d.create(file.id, b"a", h5py.h5t.NATIVE_FLOAT, space, how)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([1, 2, 3], "float32"))
    np.testing.assert_array_equal(tree_of(stream).arrays["a"].read(), [1, 2, 3])


def test_trees_of_many_pieces():
    data = np.arange(3000.0).reshape(100, 30)
    stream = written(lambda f: f.create_dataset("a", data=data, chunks=(1, 30)))
    np.testing.assert_array_equal(tree_of(stream).arrays["a"].read(), data)


def test_pieces_unpack_to_their_size_and_no_more():
    data = np.zeros(1000)
    stream = written(
        lambda f: f.create_dataset("a", data=data, chunks=(1000,), compression=9)
    )
    raw = stream.getvalue()
    packed = zlib.compress(data.tobytes(), 9)
    at = raw.index(packed[:6])
    bomb = zlib.compress(bytes(16000), 9)
    changed = raw[:at] + bomb + raw[at + len(bomb) :]
    array = read_tree(io.BytesIO(changed), len(changed), "bomb").arrays["a"]
    with pytest.raises(UnsafeFileError, match="unpacks to more than its 8,000 bytes"):
        array.read()
    short = zlib.compress(bytes(800), 9)
    changed = raw[:at] + short + raw[at + len(short) :]
    array = read_tree(io.BytesIO(changed), len(changed), "short").arrays["a"]
    with pytest.raises(DataError, match="piece of 800 bytes"):
        array.read()


def test_no_array_has_axes_beyond_memory():
    stream = written(lambda f: f.create_dataset("a", (0, 5), "f4"))
    raw = stream.getvalue()
    five = (5).to_bytes(8, "little")
    changed = raw.replace(five, (1 << 60).to_bytes(8, "little"))
    assert changed != raw
    with pytest.raises(UnsafeFileError, match="declares the shape"):
        read_tree(io.BytesIO(changed), len(changed), "the file")


def test_pieces_count_before_they_are_listed():
    def fill(file):
        file.create_dataset("a", (1 << 14, 1 << 14), "i1", chunks=(1, 1))

    with pytest.raises(UnsafeFileError, match="declares"):
        tree_of(written(fill))
    with (
        loading_limits(max_expansion=1 << 30),
        pytest.raises(UnsafeFileError, match="more than 100,000 parts"),
    ):
        tree_of(written(fill))


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
            lambda f: f.create_dataset("a", data=np.ones(9), compression="lzf"),
            {},
            DataError,
            r"filter 32000.*h5repack",
        ),
        (
            lambda f: f.create_dataset("a", data=np.ones(9), fletcher32=True),
            {},
            DataError,
            "filter 3;",
        ),
        (
            lambda f: f.create_dataset("a", (9, 9), "f4", chunks=(4, 4)),
            {},
            DataError,
            "needs 9 pieces",
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
    ids=["newer", "ordered", "packed", "sums", "lacking", "text", "empty", "type"],
)
def test_other_forms_are_refused(fill, arguments, error, match):
    try:
        stream = written(fill, **arguments)
    except TypeError:
        stream = written(lambda f: f.create_dataset("a", data=h5py.Empty("f4")))
    with pytest.raises(error, match=match):
        tree_of(stream)


@pytest.mark.parametrize(
    "form", [{}, {"chunks": (2,), "compression": "gzip", "shuffle": True}]
)
def test_every_cut_and_every_changed_byte_is_harmless(form):
    stream = written(lambda f: f.create_dataset("a/b", data=np.arange(6.0), **form))
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
