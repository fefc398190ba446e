"""Models and data from the command line: ``script.py:function``, ``model.keras``."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np

from polykeras import saving
from polykeras.backend import REFERENCE, use_backend
from polykeras.errors import ArgumentError, DataError, PolykerasError, nearest
from polykeras.random import set_random_seed

__all__ = ["load_batch", "model_from"]

_FILES: Final = (".keras", ".h5", ".hdf5")


def model_from(source: str, seed: int = 0) -> Any:
    """Return the model that a command line names.

    Args:
        source: ``script.py:function``, whose function makes a model and needs no
            arguments, or a file of `Model.save`, also one that Keras 3 wrote. The
            script is run.
        seed: Of initial weights.

    Raises:
        ArgumentError: If there is no such file or function, or it gives no model.
        PolykerasError: If a file cannot be read.
    """
    path, _, name = source.rpartition(":")
    if Path(source).suffix in _FILES:
        return saving.load_model(source)
    if not path or Path(path).suffix != ".py":
        raise ArgumentError(
            f"Expected script.py:function or a .keras file, got {source!r}."
        )
    function = _function(Path(path), name)
    set_random_seed(seed)
    with use_backend(REFERENCE):
        try:
            model = function()
        except PolykerasError:
            raise
        except Exception as error:
            raise ArgumentError(
                f"{name}() in {path} failed: {type(error).__name__}: {error}"
            ) from error
    if not hasattr(model, "to_backend"):
        raise ArgumentError(
            f"{name}() in {path} returned {type(model).__name__}, expected a model."
        )
    return model


def _function(path: Path, name: str) -> Any:
    if not path.is_file():
        raise ArgumentError(f"There is no file {path}.")
    spec = importlib.util.spec_from_file_location(f"_compared_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ArgumentError(f"{path} is no Python script.")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ArgumentError(
            f"The script {path} failed while it was read: {type(error).__name__}: "
            f"{error}"
        ) from error
    finally:
        sys.path.remove(str(path.parent.resolve()))
    found = getattr(module, name, None)
    if not inspect.isfunction(found):
        own = [n for n, f in vars(module).items() if inspect.isfunction(f)]
        raise ArgumentError(
            f"The script {path} has no function {name!r}. {nearest(name, own)}"
        )
    needed = [
        p.name
        for p in inspect.signature(found).parameters.values()
        if p.default is p.empty
        and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if needed:
        raise ArgumentError(
            f"{name}() in {path} needs the arguments {', '.join(needed)}. Name a "
            "function that makes the model without any."
        )
    return found


def load_batch(path: Path) -> tuple[Any, Any]:
    """Return inputs and targets from an ``.npz`` file.

    Args:
        path: Holds ``x``, or ``x0``, ``x1`` and so on for several inputs, and perhaps
            ``y`` likewise.

    Returns:
        Inputs, and targets or None.

    Raises:
        ArgumentError: If there is no such file.
        DataError: If it cannot be read or holds no inputs.
    """
    if not path.is_file():
        raise ArgumentError(f"There is no file {path}.")
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {
                name.removesuffix(".npy"): _array(archive, name)
                for name in archive.namelist()
            }
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        ValueError,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise DataError(
            f"{path} is no readable .npz file: {error}. Write one with numpy.savez."
        ) from error
    x, y = _gathered(arrays, "x"), _gathered(arrays, "y")
    if x is None:
        raise DataError(
            f"The file {path} holds {sorted(arrays)}, but no array x (or x0, x1, ...)."
        )
    return x, y


def _array(archive: zipfile.ZipFile, name: str) -> Any:
    with archive.open(name) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _gathered(arrays: dict[str, Any], letter: str) -> Any:
    if letter in arrays:
        return arrays[letter]
    several = sorted(
        (n for n in arrays if n[:1] == letter and n[1:].isdigit()),
        key=lambda n: int(n[1:]),
    )
    return [arrays[n] for n in several] or None
