"""What Keras 2 compiled a model with, in the ``.h5`` files of whole models."""

from __future__ import annotations

import warnings
from typing import Any, Final

from polykeras.errors import DataError, UnsafeFileError
from polykeras.storage.hdf5_reader import Hdf5Array, Hdf5Tree
from polykeras.storage.json_data import parse_json_object
from polykeras.storage.legacy_h5 import legacy_names, names_in, written_by_keras_3

__all__ = ["legacy_training", "restore_legacy_training"]

_WEIGHTS: Final = "optimizer_weights"
# Arguments of Keras 2's optimizers that say how, not what, is computed.
_DROPPED: Final = ("is_legacy_optimizer", "jit_compile")
_REGISTERED: Final = "Custom>"
# What Keras 2 calls the slots of an optimizer, with our names.
_SLOTS: Final = {
    "m": "momentum",
    "v": "velocity",
    "vhat": "velocity_hat",
    "u": "norm",
    "momentum": "momentum",
    "velocity": "velocity",
    "rms": "velocity",
    "mg": "average_gradient",
    "average_gradient": "average_gradient",
    "accumulator": "accumulator",
    "linear": "linear",
    "accumulated_grad": "accumulated_grad",
    "accumulated_delta_var": "accumulated_delta_var",
    "accum_grad": "accumulated_grad",
    "accum_var": "accumulated_delta_var",
}
_KINDS: Final = frozenset(_SLOTS.values())
_NO_SLOTS: Final = ("iteration", "learning_rate")


def legacy_training(tree: Hdf5Tree, what: str) -> dict[str, Any] | None:
    """Return the arguments of `compile` in a file, in the form of Keras 3, or None.

    Raises:
        DataError: If they are malformed.
    """
    text = tree.groups[""].get("training_config")
    if not isinstance(text, str):
        return None
    data = parse_json_object(text, f"What {what} was compiled with")
    try:
        return _modern(data)
    except (AttributeError, KeyError, TypeError) as error:
        raise DataError(
            f"What {what} was compiled with is malformed: {error!r}"
        ) from error


def restore_legacy_training(model: Any, tree: Hdf5Tree, what: str) -> None:
    """Compile a model as a file says, with the state of the optimizer.

    What cannot be restored is left out with a warning.

    Args:
        model: A built model.
        tree: What the file holds.
        what: Names it in messages.

    Raises:
        UnsafeFileError: If the file asks for code.
    """
    try:
        data = legacy_training(tree, what)
        if data is None:
            return
        model.compile_from_config(data)
    except UnsafeFileError:
        raise
    except Exception as error:
        warnings.warn(
            f"The model in {what} is not compiled, since what Keras 2 compiled it with "
            f"cannot be restored: {error} Pass what is missing in custom_objects, or "
            "call compile.",
            stacklevel=3,
        )
        return
    if _WEIGHTS not in tree.groups:
        return
    try:
        _restore_slots(model, tree, what)
    except DataError as error:
        warnings.warn(
            f"The optimizer of the model in {what} begins anew: {error}", stacklevel=3
        )


# -- arguments of compile --------------------------------------------------------


def _modern(data: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `compile` as Keras 3 writes them."""
    return {
        "optimizer": _optimizer(data["optimizer_config"]),
        "loss": _inside(data.get("loss"), "losses"),
        "metrics": _inside(data.get("metrics"), "metrics"),
        "weighted_metrics": _inside(data.get("weighted_metrics"), "metrics"),
        "loss_weights": data.get("loss_weights"),
    }


def _optimizer(data: dict[str, Any]) -> dict[str, Any]:
    config = {k: v for k, v in data["config"].items() if k not in _DROPPED}
    decay = config.pop("decay", 0)
    if decay:
        rate = {
            "initial_learning_rate": config["learning_rate"],
            "decay_steps": 1,
            "decay_rate": decay,
        }
        config["learning_rate"] = _named(
            "InverseTimeDecay", rate, "optimizers.schedules"
        )
    return _named(data["class_name"], config, "optimizers")


def _inside(data: Any, space: str) -> Any:
    """Return losses or metrics in any structure."""
    if isinstance(data, list):
        return [_inside(x, space) for x in data]
    if not isinstance(data, dict):
        return data
    if set(data) < {"class_name", "config"} or not isinstance(data.get("config"), dict):
        return {k: _inside(v, space) for k, v in data.items()}
    config = dict(data["config"])
    function = config.pop("fn", None)
    if data["class_name"] == "MeanMetricWrapper":
        config["fn"] = _named("function", function, space)
    if config.get("reduction") == "auto":
        config["reduction"] = "sum_over_batch_size"
    return _named(data["class_name"], config, space)


def _named(name: str, config: Any, space: str) -> dict[str, Any]:
    """Return the data of an object of Keras', or of one that the user registered."""
    plain = name.removeprefix(_REGISTERED)
    if ">" in plain:
        return {"class_name": name, "config": config, "registered_name": name}
    return {"module": f"keras.{space}", "class_name": plain, "config": config}


# -- the optimizer's state -------------------------------------------------------


def _restore_slots(model: Any, tree: Hdf5Tree, what: str) -> None:
    """Give the optimizer its counter and slots, all or none.

    Raises:
        DataError: If they do not fit.
    """
    arrays = _arrays(tree, what)
    model.optimizer.build_for(model.trainable_variables)
    if written_by_keras_3(tree):
        pairs = _in_order(model.optimizer, arrays)
    else:
        pairs = _by_slot(model, arrays, legacy_names(model, tree, what))
    for variable, value in [(v, a.read()) for v, a in pairs]:
        variable.assign(value)


def _arrays(tree: Hdf5Tree, what: str) -> dict[str, Hdf5Array]:
    """Return the arrays of the optimizer by name, in their order."""
    found = {}
    for name in names_in(tree.groups[_WEIGHTS], "weight_names"):
        array = tree.arrays.get(f"{_WEIGHTS}/{name}")
        if array is None:
            raise DataError(f"{what} lacks the array {name!r}.")
        found[name.partition(":")[0]] = array
    return found


def _in_order(
    optimizer: Any, arrays: dict[str, Hdf5Array]
) -> list[tuple[Any, Hdf5Array]]:
    """Return the optimizer's variables with the arrays of Keras 3, which has them."""
    variables = optimizer.variables
    shapes = [v.shape for v in variables], [a.shape for a in arrays.values()]
    if shapes[0] != shapes[1]:
        raise DataError(
            f"its variables have the shapes {shapes[0]}, and the arrays {shapes[1]}."
        )
    return list(zip(variables, arrays.values(), strict=True))


def _by_slot(
    model: Any, arrays: dict[str, Hdf5Array], names: dict[int, str]
) -> list[tuple[Any, Hdf5Array]]:
    """Return the optimizer's variables with the arrays of Keras 2."""
    iterations, stored = _stored(arrays)
    optimizer, trained = model.optimizer, model.trainable_variables
    slots = [v for v in optimizer.variables if v.name not in _NO_SLOTS]
    own: dict[str, list[Any]] = {}
    for slot in slots:
        kinds = [k for k in _KINDS if slot.name.endswith(f"_{k}")]
        if not kinds:
            raise DataError(f"the file has nothing for its variable {slot.name!r}.")
        own.setdefault(max(kinds, key=len), []).append(slot)
    if len(slots) != len(stored):
        raise DataError(
            f"it keeps {len(slots)} arrays, and the file holds {len(stored)}."
        )
    pairs = [(optimizer.iterations, iterations)]
    for kind, variables in own.items():
        for slot, variable in zip(variables, trained, strict=True):
            array = stored.get((kind, names[id(variable)]))
            if array is None or array.shape != slot.shape:
                raise DataError(
                    f"the file has no {kind} of shape {slot.shape} for the weights "
                    f"{names[id(variable)]!r}."
                )
            pairs.append((slot, array))
    return pairs


def _stored(
    arrays: dict[str, Hdf5Array],
) -> tuple[Hdf5Array, dict[tuple[str, str], Hdf5Array]]:
    """Return the counter, and the arrays by the kind of slot and the weights' name."""
    iterations = None
    found: dict[tuple[str, str], Hdf5Array] = {}
    for name, array in arrays.items():
        parts = name.split("/")
        if parts[-1] in ("iteration", "iter"):
            iterations = array
        # OPTIMIZER/SLOT/WEIGHTS, or in the older optimizers OPTIMIZER/WEIGHTS/SLOT.
        elif parts[-1] in _SLOTS:
            found[_SLOTS[parts[-1]], "/".join(parts[1:-1])] = array
        elif len(parts) > 2 and parts[1] in _SLOTS:
            found[_SLOTS[parts[1]], "/".join(parts[2:])] = array
        else:
            raise DataError(f"the file holds {name!r}, which is not known.")
    if iterations is None or iterations.shape != ():
        raise DataError("the file does not count its steps.")
    return iterations, found
