"""Weights of models in files of their own."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from polykeras.backend import Array
from polykeras.errors import ArgumentError, PolykerasError, ShapeError, StateError
from polykeras.storage.atomic import atomic_path
from polykeras.storage.hdf5 import open_hdf5, part_names, read_groups, write_groups
from polykeras.storage.json_data import parse_json_object
from polykeras.storage.legacy_h5 import is_legacy, restore_legacy_weights
from polykeras.storage.load_report import NO_SUCH_NAME, LoadReport
from polykeras.storage.paths import parts
from polykeras.storage.safetensors_format import open_safetensors, write_safetensors
from polykeras.storage.shards import open_shards, write_shards
from polykeras.storage.stores import Store

__all__ = [
    "LoadReport",
    "collect_weights",
    "group_names",
    "load_weights",
    "restore_weights",
    "save_weights",
]

_SUFFIXES: Final = (".weights.h5", ".safetensors", ".weights.json")
# Read only: Keras 2's form.
_LEGACY: Final = (".h5", ".hdf5")
_OPTIMIZER: Final = "optimizer"


def save_weights(
    model: Any,
    filepath: str | Path,
    overwrite: bool = True,
    max_shard_size: float | None = None,
    **kwargs: Any,
) -> None:
    """Write the weights of a model, and its optimizer's state, to a file.

    Args:
        model: A model or layer.
        filepath: Ends in ``.weights.h5`` (which Keras reads too) or
            ``.safetensors``; or in ``.weights.json``, an index of several files.
        overwrite: Whether an existing file is replaced.
        max_shard_size: Largest size of each file of an index, in gigabytes.
        kwargs: None are allowed.

    Raises:
        ArgumentError: If the name ends otherwise, or the file exists and
            `overwrite` is False.
        StateError: If the model is not built.
    """
    path = _checked(filepath, kwargs, _SUFFIXES)
    if path.name.endswith(".weights.json") is (max_shard_size is None):
        raise ArgumentError(
            "max_shard_size goes with a file name that ends in .weights.json, got "
            f"{path.name!r} with max_shard_size={max_shard_size}."
        )
    if path.exists() and not overwrite:
        raise ArgumentError(
            f"The file {path} exists. Pass overwrite=True to replace it."
        )
    if not model.built:
        raise StateError(
            f"The model {model.name!r} has no weights yet. Call it on data or build "
            "it with an input shape before saving."
        )
    groups = collect_weights(model)
    names = group_names(model)
    if max_shard_size is not None:
        write_shards(path, groups, names, max_shard_size)
        return
    with atomic_path(path) as temporary:
        if path.name.endswith(".safetensors"):
            write_safetensors(temporary, groups, {"names": json.dumps(names)})
        else:
            write_groups(temporary, groups, names)


def load_weights(
    model: Any,
    filepath: str | Path,
    skip_mismatch: bool = False,
    by_name: bool = False,
    **kwargs: Any,
) -> LoadReport:
    """Read the weights of a model, and its optimizer's state, from a file.

    Args:
        model: A built model or layer.
        filepath: A file of `save_weights`, of Keras 3, or an ``.h5`` file of Keras 2,
            whose weights are matched by the order of the layers.
        skip_mismatch: Whether parts that do not fit are skipped with a warning.
        by_name: Whether the model's layers are looked for in the file by name rather
            than by place. Layers that only one of the two has are left alone.
        kwargs: None are allowed.

    Returns:
        What was loaded, skipped and not used.

    Raises:
        ArgumentError: If the name ends otherwise or the file does not exist.
        DataError: If the file is damaged, refers to other files, or declares more
            than it holds.
        ShapeError: If weights do not fit. The model is as before then.
    """
    path = _checked(filepath, kwargs, (*_SUFFIXES, *_LEGACY))
    if not path.is_file():
        raise ArgumentError(f"There is no file {path}.")
    if not model.built:
        raise StateError(
            f"The model {model.name!r} has no weights yet to load into. Call it on "
            "data or build it with an input shape first."
        )
    if path.suffix in _LEGACY:
        with open_hdf5(path, str(path)) as tree:
            if is_legacy(tree):
                report = restore_legacy_weights(
                    model,
                    tree,
                    str(path),
                    by_name=by_name,
                    skip_mismatch=skip_mismatch,
                )
                _warn_of_skipped(report, model, path)
                return report
    with _open(path) as (groups, names):
        report = restore_weights(
            model,
            groups,
            renamed=_by_name(model, names, path) if by_name else None,
            skip_mismatch=skip_mismatch,
        )
    _warn_of_skipped(report, model, path)
    return report


def _warn_of_skipped(report: LoadReport, model: Any, path: Path) -> None:
    # Layers that the file has not by that name are what by_name is for.
    if any(reason != NO_SUCH_NAME for reason in report.skipped.values()):
        warnings.warn(
            f"{path} does not fit the model {model.name!r} in all parts: {report}",
            stacklevel=4,
        )


def _checked(
    filepath: str | Path, kwargs: dict[str, Any], suffixes: tuple[str, ...]
) -> Path:
    if kwargs:
        raise TypeError(f"Unexpected arguments {sorted(kwargs)}.")
    path = Path(filepath)
    if not path.name.endswith(suffixes):
        raise ArgumentError(
            f"A weights file ends in {' or '.join(suffixes)}, got {path.name!r}."
        )
    return path


@contextmanager
def _open(path: Path) -> Iterator[tuple[dict[str, Store], dict[str, str]]]:
    if path.name.endswith(".safetensors"):
        with open_safetensors(path) as (groups, metadata):
            names = metadata.get("names", "{}")
            yield groups, parse_json_object(names, f"The list of names in {path}")
    elif path.name.endswith(".weights.json"):
        with open_shards(path) as found:
            yield found
    else:
        with open_hdf5(path, str(path)) as tree:
            yield read_groups(tree, str(path)), part_names(tree)


# -- what is saved ---------------------------------------------------------------


def collect_weights(model: Any) -> dict[str, dict[str, Array]]:
    """Return all that a weights file holds: path of a part to its arrays by key."""
    groups: dict[str, dict[str, Array]] = {}
    for where, part in parts(model):
        store: dict[str, Any] = {}
        part.save_own_variables(store)
        groups[where] = {key: np.asarray(value) for key, value in store.items()}
    return groups


def group_names(model: Any) -> dict[str, str]:
    """Return the path of each part to its name."""
    return {where: part.name for where, part in parts(model)}


def _by_name(model: Any, names: Mapping[str, Any], path: Path) -> dict[str, str]:
    """Return where in the file the model's layers of equal name stand."""
    known = {name: where for where, name in reversed(list(names.items())) if name}
    if not known:
        raise ArgumentError(
            f"{path} does not say the names of the layers. Load it by place, with "
            "by_name=False."
        )
    places: dict[str, str] = {}
    for where, part in parts(model):
        if where and part.name in known:
            places[where] = known[part.name]
    return places


# -- what is loaded --------------------------------------------------------------


def restore_weights(
    model: Any,
    groups: Mapping[str, Store],
    *,
    renamed: Mapping[str, str] | None = None,
    skip_mismatch: bool = False,
) -> LoadReport:
    """Give a model the arrays of a file, all or none.

    Args:
        model: A built model or layer.
        groups: Path of a part to its arrays by key.
        renamed: Path of a part to its path in the file; parts left out keep their
            values. None means that all paths agree.
        skip_mismatch: Whether parts that do not fit are left as they are.

    Returns:
        What was loaded and what not.

    Raises:
        ShapeError: If a part does not fit; the model is as before then.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and not optimizer.built:
        # It may have been saved before its first step, without slots.
        stored = groups.get(_OPTIMIZER)
        if stored and len(stored) != len(optimizer.variables):
            optimizer.build_for(model.trainable_variables)
    targets = dict(parts(model))
    report = LoadReport()
    if renamed is not None:
        left = {w: p for w, p in targets.items() if w and w not in renamed}
        report.skipped = {w: NO_SUCH_NAME for w, p in left.items() if _has_state(p)}
        targets = {w: p for w, p in targets.items() if w in renamed}
    variables = [*model.weights] if model.built else []
    if optimizer is not None:
        variables += optimizer.variables
    before = [(v, v.raw()) for v in variables]
    used: set[str] = set()
    try:
        for where, part in targets.items():
            place = where if renamed is None else renamed[where]
            used.add(place)
            _restore_part(where, part, groups.get(place), report, skip_mismatch)
        report.unused = sorted(w for w, s in groups.items() if s and w not in used)
        _check_unused(model, report, strict=not (skip_mismatch or renamed is not None))
    except BaseException:
        for v, value in before:
            v.bind(value)
        raise
    return report


def _has_state(part: Any) -> bool:
    store: dict[str, Any] = {}
    part.save_own_variables(store)
    return bool(store)


def _restore_part(
    where: str,
    part: Any,
    store: Store | None,
    report: LoadReport,
    skip_mismatch: bool,
) -> None:
    if store is None:
        store = Store()
        if where.split("/", maxsplit=1)[0] == _OPTIMIZER:
            report.skipped[where] = "the file holds no optimizer state"
            return
    try:
        _check_fit(where, part, store)
        part.load_own_variables(store)
    except (PolykerasError, KeyError) as error:
        if not skip_mismatch:
            if isinstance(error, ShapeError):
                raise
            raise ShapeError(
                f"What the file holds for {where or part.name!r} does not fit: {error}"
            ) from error
        report.skipped[where] = str(error)
    else:
        report.loaded.append(where)


def _check_unused(model: Any, report: LoadReport, *, strict: bool) -> None:
    others = [w for w in report.unused if w.split("/")[0] != _OPTIMIZER]
    if strict and others:
        raise ShapeError(
            f"The file holds arrays for {others[0]!r}"
            + (f" and {len(others) - 1} other parts" if others[1:] else "")
            + f" that the model {model.name!r} does not have. The architectures "
            "differ; pass skip_mismatch=True to load what fits."
        )


def _check_fit(where: str, part: Any, store: Store) -> None:
    """Compare declared shapes before anything is read."""
    from polykeras.layers.layer import Layer

    if getattr(type(part), "load_own_variables", None) is not Layer.load_own_variables:
        return
    own = part._own_variables()
    if len(own) != len(store):
        raise ShapeError(
            f"The part {where or part.name!r} has {len(own)} variables, but the file "
            f"holds {len(store)} for it. The architectures differ."
        )
    for i, v in enumerate(own):
        found = getattr(store.described(str(i)), "shape", None)
        if found is not None and tuple(found) != v.shape:
            raise ShapeError(
                f"The variable {v.path!r} has shape {v.shape}, but the file holds "
                f"shape {tuple(found)} for it."
            )
