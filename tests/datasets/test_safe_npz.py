import io
import pickle
import zipfile

import numpy as np
import pytest

from polykeras.datasets._safe_npz import load_npz, unpickle
from polykeras.errors import DataError


def ragged(*rows):
    array = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        array[i] = row
    return array


class Attack:
    """Pickles to a call of `callable(*arguments)`."""

    def __init__(self, callable_, *arguments):
        self.call = (callable_, arguments)

    def __reduce__(self):
        return self.call


def write_member(path, name, data):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, data)


def object_member(pickled, shape=(1,)):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "|O", "fortran_order": False, "shape": shape}
    )
    return stream.getvalue() + pickled


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_ragged_arrays_of_every_protocol_are_read(protocol):
    array = ragged([1, 2, 3], [], [4])
    result = unpickle(pickle.dumps(array, protocol=protocol), "test")
    assert result.dtype == object
    assert result.tolist() == [[1, 2, 3], [], [4]]


def test_spelling_of_numpy_one_is_read():
    data = pickle.dumps(ragged([7], [8, 9]), protocol=3)
    old = data.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert old != data
    assert unpickle(old, "test").tolist() == [[7], [8, 9]]


@pytest.mark.parametrize("dtype", ["uint8", "<i8", ">i4", "<f4", "bool"])
def test_numeric_arrays_in_a_dict_are_read(dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    data = pickle.dumps({b"data": array, b"labels": [1, 2]}, protocol=3)
    result = unpickle(data, "test", encoding="bytes")
    assert result[b"labels"] == [1, 2]
    np.testing.assert_array_equal(result[b"data"], array)
    assert result[b"data"].dtype == array.dtype.newbyteorder("=")


def test_fortran_order_is_kept():
    array = np.asfortranarray(np.arange(6, dtype="int32").reshape(2, 3))
    result = unpickle(pickle.dumps(array, protocol=3), "test", encoding="bytes")
    np.testing.assert_array_equal(result, array)


@pytest.mark.parametrize("depth", ["top", "element", "value"])
def test_calls_are_refused_and_not_made(tmp_path, depth):
    target = tmp_path / "touched"
    attack = Attack(open, str(target), "w")
    payload = {
        "top": attack,
        "element": ragged([1], attack),
        "value": {"data": attack},
    }[depth]
    with pytest.raises(DataError, match=r"io\.open is not admitted"):
        unpickle(pickle.dumps(payload), "test")
    assert not target.exists()


@pytest.mark.parametrize(
    "callable_", [eval, exec, __import__, getattr, np.load, np.ndarray, bytearray]
)
def test_other_names_are_refused(callable_):
    data = pickle.dumps(Attack(callable_, "1"))
    with pytest.raises(DataError, match="Refused to read test"):
        unpickle(data, "test")


def test_malicious_npz_is_refused(tmp_path):
    target = tmp_path / "touched"
    evil = pickle.dumps(Attack(open, str(target), "w"))
    path = tmp_path / "evil.npz"
    write_member(path, "x.npy", object_member(evil))
    with pytest.raises(DataError, match="not admitted"):
        load_npz(path, ["x"])
    assert not target.exists()


def handwritten(shape, dtype, data, flags=0):
    """Spell out an array's pickle as Python 2 wrote it, with any content."""
    return (
        "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
        f"(I1\n({shape}tcnumpy\ndtype\n(S'{dtype}'\nI0\nI1\ntR"
        f"(I3\nS'|'\nNNNI-1\nI-1\nI{flags}\ntbI00\n{data}tb."
    ).encode()


def test_python_two_spelling_is_read():
    data = handwritten("I2\nI2\n", "u1", "S'abcd'\n")
    result = unpickle(data, "test", encoding="bytes")
    assert result.dtype == np.uint8
    assert result.tolist() == [[97, 98], [99, 100]]


def test_object_array_that_claims_to_be_bytes_is_refused():
    # NumPy's own unpickling would take these bytes for addresses of objects.
    data = handwritten("I1\n", "O8", "S'AAAAAAAA'\n", flags=0)
    with pytest.raises(DataError, match="without a list of 1 elements"):
        unpickle(data, "test", encoding="bytes")


def test_declared_size_is_checked_before_memory_is_taken():
    data = handwritten("I1000000\nI1000000\n", "u1", "S'AAAA'\n")
    with pytest.raises(DataError, match="1000000000000 bytes"):
        unpickle(data, "test", encoding="bytes")


@pytest.mark.parametrize("shape", ["I-1\nI-4\n", "S'4'\n", "F4.0\n"])
def test_odd_shapes_are_refused(shape):
    with pytest.raises(DataError, match="not admitted"):
        unpickle(handwritten(shape, "u1", "S'AAAA'\n"), "test", encoding="bytes")


@pytest.mark.parametrize("dtype", ["V4", "M8", "S4", "O8i4", "m8"])
def test_odd_dtypes_are_refused(dtype):
    with pytest.raises(DataError, match="Refused"):
        unpickle(handwritten("I1\n", dtype, "S'AAAA'\n"), "test", encoding="bytes")


@pytest.mark.parametrize(
    "element", [[1.5], ["word"], [[1]], (1, 2), {1: 2}, "text", [True], None]
)
def test_elements_other_than_lists_of_int_are_refused(element):
    with pytest.raises(DataError, match="element 1 of an object array"):
        unpickle(pickle.dumps(ragged([1], element)), "test")


def test_structured_dtypes_are_refused():
    array = np.zeros(2, dtype=[("a", "i4"), ("b", "f8")])
    with pytest.raises(DataError, match="structured dtypes are not admitted"):
        unpickle(pickle.dumps(array, protocol=3), "test")


def test_attributes_of_names_cannot_be_set():
    data = b"cnumpy\nndarray\n}(S'_make'\nI1\nub."
    with pytest.raises(DataError, match="a name has no state"):
        unpickle(data, "test")


@pytest.mark.parametrize(
    "data",
    [b"", b"garbage", b"\x80\x04", b"(lp0\n"],
    ids=["empty", "text", "start", "unfinished"],
)
def test_damaged_pickles_are_refused(data):
    with pytest.raises(DataError, match="Refused to read test"):
        unpickle(data, "test")


def test_npz_of_numbers_and_lists_is_read(tmp_path):
    path = tmp_path / "data.npz"
    x, y = ragged([1, 2], [3]), np.array([[1.5, 2.5]], order="F")
    np.savez_compressed(path, x=x, y=y, z=np.float32(3))
    arrays = load_npz(path, ["x", "y", "z"])
    assert arrays["x"].tolist() == [[1, 2], [3]]
    np.testing.assert_array_equal(arrays["y"], y)
    assert arrays["z"].shape == ()
    assert arrays["y"].flags.writeable


def test_missing_array_is_named(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, x=np.zeros(3))
    with pytest.raises(DataError, match=r"\['x', 'y'\].*got \['x'\]"):
        load_npz(path, ["x", "y"])


def test_file_that_is_no_npz_is_named(tmp_path):
    path = tmp_path / "data.npz"
    path.write_bytes(b"<html>404</html>")
    with pytest.raises(DataError, match=r"data\.npz is not a complete npz file"):
        load_npz(path, ["x"])


def test_cut_off_npz_is_refused(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, x=np.zeros(1000))
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DataError, match="not a complete npz file"):
        load_npz(path, ["x"])


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -1), }",
        "{'descr': '<U4', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': [('a', 'O')], 'fortran_order': False, 'shape': (1,), }",
        "{'descr': 'nonsense', 'fortran_order': False, 'shape': (1,), }",
        "not a dict",
    ],
)
def test_headers_that_do_not_fit_are_refused(tmp_path, header):
    text = header.encode() + b"\n"
    data = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + b"12345678"
    path = tmp_path / "data.npz"
    write_member(path, "x.npy", data)
    with pytest.raises(DataError, match=r"data\.npz \(x\)"):
        load_npz(path, ["x"])


def test_object_array_of_another_shape_is_refused(tmp_path):
    path = tmp_path / "data.npz"
    write_member(path, "x.npy", object_member(pickle.dumps(ragged([1])), (2,)))
    with pytest.raises(DataError, match=r"no object array of shape \(2,\)"):
        load_npz(path, ["x"])
