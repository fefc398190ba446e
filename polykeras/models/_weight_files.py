"""Weights in ``.weights.h5`` files, in Keras' layout, and ``.safetensors`` files."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from polykeras.backend import Array
from polykeras.errors import ArgumentError, DataError, PolykerasError, ShapeError
from polykeras.models._atomic import atomic_path
from polykeras.models._weight_paths import parts

__all__ = ["load_weights", "save_weights"]

_SUFFIXES = (".weights.h5", ".safetensors")


def save_weights(
    model: Any, filepath: str | Path, overwrite: bool = True, **kwargs: Any
) -> None:
    """Write the weights of a model, and its optimizer's state, to a file.

    Args:
        model: A model or layer.
        filepath: Ends in ``.weights.h5`` (which Keras reads too) or
            ``.safetensors``.
        overwrite: Whether an existing file is replaced.
        kwargs: None are allowed.

    Raises:
        ArgumentError: If the name ends otherwise, or the file exists and
            `overwrite` is False.
        PolykerasError: If the model is not built.
    """
    path = _checked(filepath, kwargs)
    if path.exists() and not overwrite:
        raise ArgumentError(
            f"The file {path} exists. Pass overwrite=True to replace it."
        )
    if not model.built:
        raise PolykerasError(
            f"The model {model.name!r} has no weights yet. Call it on data or build "
            "it with an input shape before saving."
        )
    groups = {where: _stored(part) for where, part in parts(model)}
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and optimizer.built:
        groups["optimizer"] = _stored(optimizer)
    names = {where: part.name for where, part in parts(model)}
    with atomic_path(path) as temporary:
        if path.name.endswith(".safetensors"):
            _write_safetensors(temporary, groups)
        else:
            _write_h5(temporary, groups, names)


def load_weights(
    model: Any, filepath: str | Path, skip_mismatch: bool = False, **kwargs: Any
) -> None:
    """Read the weights of a model, and its optimizer's state, from a file.

    Args:
        model: A built model or layer of the same architecture.
        filepath: A ``.weights.h5`` (also one that Keras wrote) or ``.safetensors``
            file.
        skip_mismatch: Whether layers that do not fit are skipped with a warning.
        kwargs: None are allowed.

    Raises:
        ArgumentError: If the name ends otherwise or the file does not exist.
        DataError: If the file is damaged or refers to other files.
        ShapeError: If weights do not fit. The model is as before then.
    """
    path = _checked(filepath, kwargs)
    if not path.is_file():
        raise ArgumentError(f"There is no file {path}.")
    if not model.built:
        raise PolykerasError(
            f"The model {model.name!r} has no weights yet to load into. Call it on "
            "data or build it with an input shape first."
        )
    targets = dict(parts(model))
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        if not optimizer.built:
            optimizer.build(model.trainable_variables)
        targets["optimizer"] = optimizer
    variables = [
        *model.weights,
        *(optimizer.variables if optimizer is not None else []),
    ]
    before = [(v, v.raw()) for v in variables]
    read = _read_safetensors if path.name.endswith(".safetensors") else _read_h5
    try:
        read(path, lambda groups: _restore(targets, groups, skip_mismatch))
    except BaseException:
        for v, value in before:
            v.bind(value)
        raise


def _checked(filepath: str | Path, kwargs: dict[str, Any]) -> Path:
    if kwargs:
        raise TypeError(f"Unexpected arguments {sorted(kwargs)}.")
    path = Path(filepath)
    if not path.name.endswith(_SUFFIXES):
        raise ArgumentError(
            f"A weights file ends in {' or '.join(_SUFFIXES)}, got {path.name!r}."
        )
    return path


def _stored(part: Any) -> dict[str, Array]:
    store: dict[str, Array] = {}
    part.save_own_variables(store)
    return {key: np.asarray(value) for key, value in store.items()}


class _Store(dict[str, Any]):
    """What a part's `load_own_variables` reads: arrays by key, loaded on demand."""

    def __getitem__(self, key: str) -> Array:
        value = super().__getitem__(key)
        return value() if callable(value) else value  # type: ignore[no-any-return]


def _restore(
    targets: dict[str, Any], groups: dict[str, _Store], skip_mismatch: bool
) -> None:
    for where, part in targets.items():
        store = groups.get(where, _Store())
        if where == "optimizer" and not store:
            continue
        try:
            _check_fit(where, part, store)
            part.load_own_variables(store)
        except (ShapeError, KeyError) as error:
            if not skip_mismatch:
                if isinstance(error, ShapeError):
                    raise
                raise ShapeError(
                    f"The file holds nothing under {error} for {where!r}."
                ) from error
            warnings.warn(
                f"Skipped {where or part.name!r}, which does not fit the file: {error}",
                stacklevel=4,
            )


def _check_fit(where: str, part: Any, store: _Store) -> None:
    """Compare declared shapes before anything is read."""
    from polykeras.layers.layer import Layer

    if type(part).load_own_variables is not Layer.load_own_variables:
        return
    own = part._own_variables()
    if len(own) != len(store):
        raise ShapeError(
            f"The part {where or part.name!r} has {len(own)} variables, but the file "
            f"holds {len(store)} for it. The architectures differ."
        )
    for i, v in enumerate(own):
        found = getattr(dict.__getitem__(store, str(i)), "shape", None)
        if found is not None and tuple(found) != v.shape:
            raise ShapeError(
                f"The variable {v.path!r} has shape {v.shape}, but the file holds "
                f"shape {tuple(found)} for it."
            )


# -- HDF5 ------------------------------------------------------------------------


def _write_h5(
    path: Path, groups: dict[str, dict[str, Array]], names: dict[str, str]
) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        for where, store in groups.items():
            group = file.create_group(f"{where}/vars" if where else "vars")
            group.attrs["name"] = names.get(where, where)
            for key, array in store.items():
                if array.dtype.kind == "V":
                    # HDF5 has no bfloat16: its bits, and the name beside them.
                    data = group.create_dataset(key, data=array.view(np.uint16))
                    data.attrs["dtype"] = array.dtype.name
                else:
                    group.create_dataset(key, data=array)


class _Lazy:
    """A dataset that is read when its shape has been found to fit."""

    def __init__(self, shape: tuple[int, ...], read: Callable[[], Array]) -> None:
        self.shape = shape
        self._read = read

    def __call__(self) -> Array:
        return self._read()


def _read_h5(path: Path, use: Callable[[dict[str, _Store]], None]) -> None:
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise DataError(f"{path} is no readable HDF5 file: {error}") from error
    with file:
        groups: dict[str, _Store] = {}
        for where, dataset in _datasets(file, path):
            folder, _, key = where.rpartition("/")
            owner = folder.removesuffix("vars").rstrip("/")
            store = groups.setdefault(owner, _Store())
            store[key] = _Lazy(dataset.shape, _reader(dataset))
        try:
            use(groups)
        except OSError as error:
            raise DataError(f"{path} is damaged: {error}") from error


def _datasets(file: Any, path: Path) -> Iterator[tuple[str, Any]]:
    """Yield all datasets, and refuse what would read from elsewhere."""
    import h5py

    stack: list[tuple[str, Any]] = [("", file)]
    while stack:
        where, group = stack.pop()
        for key in group:
            link = group.get(key, getlink=True)
            full = f"{where}/{key}" if where else key
            if not isinstance(link, h5py.HardLink):
                raise DataError(f"{path} holds a link at {full!r}, which is refused.")
            item = group[key]
            if isinstance(item, h5py.Group):
                stack.append((full, item))
            elif item.external or item.is_virtual:
                raise DataError(
                    f"{path} keeps the data of {full!r} in another file, which is "
                    "refused."
                )
            else:
                yield full, item


def _reader(dataset: Any) -> Callable[[], Array]:
    def read() -> Array:
        array = np.asarray(dataset[()])
        if dataset.attrs.get("dtype") == "bfloat16":
            import ml_dtypes

            return array.view(ml_dtypes.bfloat16)
        return array

    return read


# -- safetensors -----------------------------------------------------------------


def _write_safetensors(path: Path, groups: dict[str, dict[str, Array]]) -> None:
    from safetensors.numpy import save_file

    flat = {
        f"{where}/vars/{key}" if where else f"vars/{key}": np.asarray(array, order="C")
        for where, store in groups.items()
        for key, array in store.items()
    }
    save_file(flat, path, metadata={"format": "polykeras"})


def _read_safetensors(path: Path, use: Callable[[dict[str, _Store]], None]) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            groups: dict[str, _Store] = {}
            for name in file.keys():  # noqa: SIM118 the file is no mapping
                folder, _, key = name.rpartition("/")
                owner = folder.removesuffix("vars").rstrip("/")
                shape = tuple(file.get_slice(name).get_shape())
                store = groups.setdefault(owner, _Store())
                store[key] = _Lazy(shape, functools.partial(file.get_tensor, name))
            use(groups)
    except SafetensorError as error:
        raise DataError(f"{path} is no valid safetensors file: {error}") from error
