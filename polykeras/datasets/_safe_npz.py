"""Reading npz files and pickled batches that nobody has to trust.

Ragged data sets are published as object arrays, that is as pickles, and a pickle may
call anything. Here it calls nothing: the four NumPy names that an array's pickle refers
to stand for objects of this module, which write down what the pickle says; every other
name is refused. When the pickle has been read to its end the record is checked (sizes
against bytes, dtypes against a list, elements against their types) and only then made
into arrays. So neither NumPy's own unpickling, which trusts its input, nor foreign code
runs.
"""

from __future__ import annotations

import io
import math
import pickle
import re
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from polykeras.errors import DataError

__all__ = ["load_npz", "unpickle"]

_MAX_MEMBER_BYTES: Final = 1 << 30
_SCALARS: Final = frozenset({int, float, bool, str, bytes, type(None)})
_DTYPE_NAME: Final = re.compile(r"[|<>=]?(b1|[iu][1248]|f[248])")
_OBJECT_NAME: Final = re.compile(r"\|?O8?")


class _DTypeRecord:
    """What a pickle says of a dtype."""

    def __init__(self, name: Any, *_flags: Any) -> None:
        self.name = _text(name)
        self.order = "|"

    def __setstate__(self, state: Any) -> None:
        _, order, subdtype, names, fields, *_ = state
        if (subdtype, names, fields) != (None, None, None):
            raise pickle.UnpicklingError("structured dtypes are not admitted")
        self.order = _text(order)

    @property
    def is_object(self) -> bool:
        return _OBJECT_NAME.fullmatch(self.name) is not None

    def resolve(self) -> np.dtype[Any]:
        name = self.name if self.order == "|" else self.order + self.name
        if not _DTYPE_NAME.fullmatch(name):
            raise pickle.UnpicklingError(f"the dtype {name!r} is not admitted")
        return np.dtype(name)


class _ArrayRecord:
    """What a pickle says of an array."""

    def __init__(self, *_arguments: Any) -> None:
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def resolve(self) -> NDArray[Any]:
        _, shape, dtype, fortran, data = self.state
        if not isinstance(dtype, _DTypeRecord):
            raise pickle.UnpicklingError("an array without a dtype")
        if not all(type(size) is int and size >= 0 for size in shape):
            raise pickle.UnpicklingError(f"the shape {shape!r} is not admitted")
        count = math.prod(shape)
        if dtype.is_object:
            return self._objects(shape, count, data)
        real = dtype.resolve()
        if not isinstance(data, bytes) or len(data) != count * real.itemsize:
            raise pickle.UnpicklingError(
                f"an array of shape {shape} and dtype {real} with other than "
                f"{count * real.itemsize} bytes"
            )
        array = np.frombuffer(data, real).reshape(shape, order="F" if fortran else "C")
        return array.astype(real.newbyteorder("="))

    @staticmethod
    def _objects(shape: Any, count: int, data: Any) -> NDArray[Any]:
        if type(data) is not list or len(data) != count or len(shape) != 1:
            raise pickle.UnpicklingError(
                f"an object array of shape {shape} without a list of {count} elements"
            )
        array = np.empty(count, dtype=object)
        for i, element in enumerate(data):
            if type(element) is not list or not {*map(type, element)} <= {int}:
                raise pickle.UnpicklingError(
                    f"element {i} of an object array is no list of integers"
                )
            array[i] = element
        return array


class _Name:
    """Stands for a NumPy name in a pickle; it can be called and nothing else."""

    __slots__ = ("_make",)

    def __init__(self, make: type[_DTypeRecord | _ArrayRecord] | None) -> None:
        self._make = make

    def __call__(self, *arguments: Any) -> _DTypeRecord | _ArrayRecord:
        if self._make is None:
            raise pickle.UnpicklingError("numpy.ndarray is not called in array pickles")
        return self._make(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("a name has no state")


_NAMES: Final[dict[tuple[str, str], type[_DTypeRecord | _ArrayRecord] | None]] = {
    ("numpy", "dtype"): _DTypeRecord,
    ("numpy", "ndarray"): None,
    # NumPy 1 and NumPy 2 spell the module differently.
    ("numpy.core.multiarray", "_reconstruct"): _ArrayRecord,
    ("numpy._core.multiarray", "_reconstruct"): _ArrayRecord,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMES:
            raise pickle.UnpicklingError(f"the name {module}.{name} is not admitted")
        return _Name(_NAMES[module, name])


def unpickle(data: bytes, source: str, encoding: str = "ASCII") -> Any:
    """Read a pickle of plain values, arrays and a dict of them, and nothing else.

    Args:
        data: The pickle.
        source: Its file, for error messages.
        encoding: As for `pickle.loads`: how Python 2's strings are read.

    Returns:
        An array, a plain value, a list of plain values, or a dict of these.

    Raises:
        DataError: If the pickle is damaged or refers to anything else.
    """
    try:
        record = _Unpickler(io.BytesIO(data), encoding=encoding).load()
        return _resolve(record)
    except Exception as error:
        # A damaged or hostile pickle can raise nearly anything while it is read.
        raise DataError(
            f"Refused to read {source}: {error}. The file is damaged or was made to "
            "run code. Delete it and get it from its publisher."
        ) from error


def _resolve(record: Any) -> Any:
    if isinstance(record, _ArrayRecord):
        return record.resolve()
    if type(record) is dict:
        return {_plain(key): _resolve_value(value) for key, value in record.items()}
    return _resolve_value(record)


def _resolve_value(value: Any) -> Any:
    if isinstance(value, _ArrayRecord):
        return value.resolve()
    if type(value) is list:
        return [_plain(element) for element in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    if type(value) not in _SCALARS:
        raise pickle.UnpicklingError(
            f"a value of type {type(value).__name__} is not admitted"
        )
    return value


def _text(value: Any) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else str(value)


def load_npz(path: Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Read arrays of an npz file without trusting it.

    Args:
        path: The file.
        names: The arrays wanted.

    Returns:
        One array per name; an object array holds lists of integers.

    Raises:
        DataError: If the file is no npz file, lacks a name, holds anything but numbers
            and lists of integers, or declares other sizes than it has.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename: info for info in archive.infolist()}
            missing = [name for name in names if f"{name}.npy" not in members]
            if missing:
                held = sorted(member.removesuffix(".npy") for member in members)
                raise DataError(
                    f"Expected the arrays {list(names)} in {path}, got {held}. "
                    "Check that it is the file of this data set."
                )
            arrays = {}
            for name in names:
                info = members[f"{name}.npy"]
                if info.file_size > _MAX_MEMBER_BYTES:
                    raise DataError(
                        f"{path} declares {info.file_size} bytes for {name!r}, more "
                        f"than any data set here has. Delete the file."
                    )
                arrays[name] = _array(archive.read(info), f"{path} ({name})")
            return arrays
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise DataError(
            f"{path} is not a complete npz file: {error}. "
            "Delete it to download it again."
        ) from error


def _array(data: bytes, source: str) -> NDArray[Any]:
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            header = np.lib.format.read_array_header_1_0(stream)
        elif version == (2, 0):
            header = np.lib.format.read_array_header_2_0(stream)
        else:
            raise ValueError(f"npy version {version} is not admitted")
        if min(header[0], default=0) < 0:
            raise ValueError(f"the shape {header[0]} is negative")
    except (ValueError, TypeError) as error:
        raise DataError(f"{source} is not an npy array: {error}.") from error
    shape, fortran, dtype = header
    rest = data[stream.tell() :]
    if dtype.kind == "O":
        array = unpickle(rest, source)
        if not isinstance(array, np.ndarray) or array.shape != shape:
            raise DataError(f"{source} holds no object array of shape {shape}.")
        return array
    size = math.prod(shape) * dtype.itemsize
    if dtype.kind not in "biuf" or len(rest) != size:
        raise DataError(
            f"Expected numbers in {size} bytes for {source}, got dtype {dtype} in "
            f"{len(rest)} bytes."
        )
    array = np.frombuffer(rest, dtype).reshape(shape, order="F" if fortran else "C")
    return array.copy()
