"""Whole models in ``.keras`` archives: architecture, weights, training, seeds."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Final

# Imported for what they register: a config names classes of any of them.
from polykeras import (  # noqa: F401
    activations,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    random,
    regularizers,
)
from polykeras.allocation import allocation_budget
from polykeras.errors import ArgumentError, DataError, PolykerasError
from polykeras.optimizers import schedules  # noqa: F401
from polykeras.registry import (
    CustomObjectScope,
    deserialize_keras_object,
    serialize_keras_object,
)
from polykeras.storage.archive import Archive, read_archive, write_archive
from polykeras.storage.assets import collect_assets, restore_assets
from polykeras.storage.hdf5 import open_hdf5
from polykeras.storage.json_data import parse_json_object
from polykeras.storage.keras_calls import WRITER, drop_default_training
from polykeras.storage.legacy_h5 import legacy_config, restore_legacy_weights
from polykeras.storage.legacy_training import restore_legacy_training
from polykeras.storage.limits import current_limits
from polykeras.storage.seeds import restore_seeds, seed_state
from polykeras.storage.weights import collect_weights, group_names, restore_weights

__all__ = ["load_model", "model_from_json", "save_model"]

# Whole models of Keras 2.
_LEGACY: Final = (".h5", ".hdf5")
_INNER: Final = "optimizer/inner_optimizer"
_SCALING: Final = "LossScaleOptimizer"


def save_model(
    model: Any,
    filepath: str | Path,
    overwrite: bool = True,
    zipped: bool | None = None,
    **kwargs: Any,
) -> None:
    """Write a model to a ``.keras`` archive, which Keras 3 reads too.

    The file holds the architecture, the weights, what `compile` was given, the
    optimizer's state and the state of the seeds, so training goes on as if it had
    not stopped. It holds no code.

    Args:
        model: The model.
        filepath: Ends in ``.keras``.
        overwrite: Whether an existing file is replaced.
        zipped: Kept for Keras' signature; True or None.
        kwargs: None are allowed.

    Raises:
        ArgumentError: If the name ends otherwise, or the file exists and
            `overwrite` is False.
        PolykerasError: If the model holds code: lambdas or unregistered functions.

    >>> import tempfile
    >>> import polykeras as keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(f"{folder}/model.keras")
    ...     again = keras.models.load_model(f"{folder}/model.keras")
    >>> again.count_params()
    8
    """
    if kwargs:
        raise TypeError(f"Unexpected arguments {sorted(kwargs)}.")
    path = Path(filepath)
    if not path.name.endswith(".keras") or zipped is False:
        raise ArgumentError(
            "Models are written as .keras archives, got "
            f"{path.name!r} with zipped={zipped}. For weights alone use "
            "save_weights with .weights.h5 or .safetensors."
        )
    if path.exists() and not overwrite:
        raise ArgumentError(
            f"The file {path} exists. Pass overwrite=True to replace it."
        )
    version = metadata.version("polykeras")
    write_archive(
        path,
        {**serialize_keras_object(model), WRITER: version},
        collect_weights(model),
        group_names(model),
        state=seed_state(model),
        assets=collect_assets(model),
        version=version,
    )


def load_model(
    filepath: str | Path,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Read a model from a file, running nothing from it.

    Args:
        filepath: An archive that polykeras or Keras 3 wrote, or a whole model that
            Keras 2 wrote to an ``.h5`` file.
        custom_objects: Names in the file to your classes and functions, besides
            registered ones. The function of a `Lambda` layer stands under the name
            of the function or, if it was a lambda, of the layer.
        compile: Whether to compile the model as it was, with its optimizer's state.
        safe_mode: Kept for Keras' signature; loading is always safe.

    Returns:
        The model, on the current backend.

    Raises:
        ArgumentError: If there is no such file, or it names classes or functions
            that are not known.
        DataError: If the file is damaged.
        UnsafeFileError: If it asks for what loading never grants: code, other files,
            or more memory than its bytes support.
        ShapeError: If weights and architecture disagree.
    """
    path = Path(filepath)
    legacy = path.suffix in _LEGACY and not path.name.endswith(".weights.h5")
    if not (legacy or path.name.endswith(".keras")):
        raise ArgumentError(
            f"Models are read from .keras archives, got {path.name!r}. Weights alone "
            "are read by model.load_weights."
        )
    if not path.is_file():
        raise ArgumentError(f"There is no file {path}.")
    if legacy:
        return _load_legacy(path, custom_objects, compiled=compile)
    with read_archive(path) as archive, CustomObjectScope(custom_objects or {}):
        training = archive.config.pop("compile_config", None)
        with allocation_budget(current_limits().allowance(archive.size), str(path)):
            model = _rebuilt(archive.config, str(path))
            if compile and training:
                _compile(model, training, archive, path)
            if not compile:
                _forget_optimizers(archive)
            if model.built:
                restore_weights(model, archive.groups)
            restore_assets(model, archive.assets)
        restore_seeds(model, archive.state)
    return model


def model_from_json(
    json_string: str, custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """Return the model that a JSON text from `Model.to_json` describes.

    Args:
        json_string: The architecture; it may come from Keras 3.
        custom_objects: Names in it to your classes and functions.

    Returns:
        A model with newly drawn weights.

    Raises:
        ArgumentError: If it names classes or functions that are not known.
        DataError: If it describes no model.
        UnsafeFileError: If it holds code, exceeds the limits of a JSON text, or
            describes more than `Limits.max_bytes` of weights.

    >>> import polykeras as keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> keras.models.model_from_json(model.to_json()).count_params()
    8
    """
    what = "The JSON text"
    data = parse_json_object(json_string, what)
    # No weights come with the text, so its length says nothing about their size.
    budget = allocation_budget(current_limits().max_bytes, what)
    with CustomObjectScope(custom_objects or {}), budget:
        return _rebuilt(data, what)


def _rebuilt(config: dict[str, Any], what: str) -> Any:
    try:
        if config.pop(WRITER, None) is None:
            drop_default_training(config)
        model = deserialize_keras_object(config)
    except PolykerasError:
        raise
    except Exception as error:
        # Constructors are given whatever the file says and fail in their own ways.
        raise DataError(
            f"The config in {what} does not describe a model: "
            f"{type(error).__name__}: {error}"
        ) from error
    if not hasattr(model, "compile_from_config"):
        raise DataError(f"{what} describes a {type(model).__name__}, not a model.")
    return model


def _load_legacy(
    path: Path, custom_objects: Mapping[str, Any] | None, *, compiled: bool
) -> Any:
    size = path.stat().st_size
    with open_hdf5(path, str(path)) as tree, CustomObjectScope(custom_objects or {}):
        config = legacy_config(tree, str(path))
        with allocation_budget(current_limits().allowance(size), str(path)):
            model = _rebuilt(config, str(path))
            restore_legacy_weights(model, tree, str(path))
            if compiled:
                restore_legacy_training(model, tree, str(path))
    return model


def _compile(model: Any, training: Any, archive: Archive, path: Path) -> None:
    if "polykeras_version" not in archive.metadata and isinstance(training, dict):
        # Keras stores what "auto" came to on the engine that wrote the file.
        training = {**training, "jit_compile": "auto"}
    if _INNER in archive.groups and isinstance(training, dict):
        # Whether `compile` scales the loss by itself depends on the global policy;
        # the file says what it did.
        inner = training.get("optimizer")
        if isinstance(inner, dict) and inner.get("class_name") != _SCALING:
            scaling = {"class_name": _SCALING, "config": {"inner_optimizer": inner}}
            training = {**training, "optimizer": scaling, "auto_scale_loss": False}
    try:
        model.compile_from_config(training)
    except Exception as error:
        raise DataError(
            f"The model in {path} cannot be compiled as it was: {error} Pass what is "
            "missing in custom_objects, or compile=False."
        ) from error


def _forget_optimizers(archive: Archive) -> None:
    for where in [w for w in archive.groups if w.split("/")[0] == "optimizer"]:
        del archive.groups[where]
