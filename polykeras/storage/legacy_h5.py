"""Whole models and weights in the ``.h5`` files of Keras 2.

The architecture is JSON in an attribute; the weights stand by layer, in the order of
the layers, so they are matched by topology (or by the layers' names).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Final

from polykeras.errors import DataError, ShapeError
from polykeras.storage.hdf5_reader import Hdf5Array, Hdf5Tree
from polykeras.storage.json_data import parse_json_object
from polykeras.storage.load_report import NO_SUCH_NAME, LoadReport

__all__ = [
    "is_legacy",
    "legacy_config",
    "legacy_names",
    "names_in",
    "restore_legacy_weights",
    "written_by_keras_3",
]

_WEIGHTS: Final = "model_weights"
_MODELS: Final = ("Sequential", "Functional", "Model")
# Arguments of Keras 2 that say how, not what, is computed, or at their only value.
_DROPPED: Final = {
    "implementation": None,
    "time_major": False,
    "fused": None,
    "renorm": False,
    "ragged": False,
    "batch_input_shape": None,
    "input_dtype": None,
    "softmax_robust_masking": False,
    "query_shape": None,
    "key_shape": None,
    "value_shape": None,
}
# The same for classes whose other relatives have the argument.
_DROPPED_BY_CLASS: Final[Mapping[str, Mapping[str, Any]]] = {
    "DepthwiseConv1D": {"groups": 1, "filters": None},
    "DepthwiseConv2D": {"groups": 1, "filters": None},
    "SeparableConv1D": {"groups": 1},
    "SeparableConv2D": {"groups": 1},
}


def is_legacy(tree: Hdf5Tree) -> bool:
    """Return whether a file holds weights in the order of Keras 2."""
    return _WEIGHTS in tree.groups or bool(names_in(tree.groups[""], "layer_names"))


def written_by_keras_3(tree: Hdf5Tree) -> bool:
    """Return whether Keras 3 wrote a file in this older form, with its own configs."""
    root = tree.groups.get(_WEIGHTS, tree.groups[""])
    return str(root.get("keras_version", "")).startswith("3.")


def legacy_config(tree: Hdf5Tree, what: str) -> dict[str, Any]:
    """Return the architecture in a file, in the form of Keras 3.

    Args:
        tree: What the file holds.
        what: Names it in messages.

    Raises:
        DataError: If it holds none.
    """
    text = tree.groups[""].get("model_config")
    if not isinstance(text, str):
        raise DataError(
            f"{what} holds no architecture, only weights at most. Make the model in "
            "your program and use load_weights."
        )
    data = parse_json_object(text, f"The architecture in {what}")
    if written_by_keras_3(tree):
        return data
    try:
        found: dict[str, Any] = _modern(data)
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        raise DataError(
            f"The architecture in {what} is malformed: {error!r}"
        ) from error
    return found


def _modern(data: Any) -> Any:
    """Return the data of a layer or model, with those inside, as Keras 3 has them."""
    if isinstance(data, list):
        return [_modern(x) for x in data]
    if not isinstance(data, dict):
        return data
    if "class_name" not in data or not isinstance(data.get("config"), dict):
        return {k: _modern(v) for k, v in data.items()}
    name, config = data["class_name"], {**data["config"]}
    if name == "Model":
        name = "Functional"
    if name == "InputLayer" and "batch_input_shape" in config:
        config["batch_shape"] = config["batch_input_shape"]
    if name in _MODELS and "input_layers" in config:
        config["layers"] = _modern_calls(config["layers"])
        config["output_layers"] = _references(
            config["output_layers"], _models_in(config["layers"], "Sequential")
        )
        config["input_layers"] = _references(config["input_layers"], frozenset())
        name = "Functional"
    dropped = {**_DROPPED, **_DROPPED_BY_CLASS.get(str(name), {})}
    kept = {
        k: _modern(v)
        for k, v in config.items()
        if k not in dropped or (dropped[k] is not None and v != dropped[k])
    }
    return {**data, "class_name": name, "config": kept}


def _models_in(layers: list[Any], *kinds: str) -> frozenset[str]:
    wanted = kinds or _MODELS
    return frozenset(x["name"] for x in layers if x["class_name"] in wanted)


def _modern_calls(layers: list[Any]) -> list[Any]:
    """Return layers with their calls as arguments rather than lists of tensors."""
    names = frozenset(x["name"] for x in layers)
    models = _models_in(layers)

    def tensor(entry: list[Any]) -> dict[str, Any]:
        # Keras 2 counts the definition of a model inside as its first call.
        number = entry[1] - (entry[0] in models)
        history = [entry[0], number, entry[2]]
        return {"class_name": "__keras_tensor__", "config": {"keras_history": history}}

    def argument(value: Any) -> Any:
        is_tensor = isinstance(value, list) and len(value) == 3 and value[0] in names
        return tensor(value) if is_tensor else value

    def call(entries: Any) -> Any:
        if not isinstance(entries, list):
            return entries
        if entries and isinstance(entries[0], str):
            entries = [entries]
        tensors = [tensor(e) for e in entries]
        kwargs = entries[0][3] if len(entries[0]) > 3 else {}
        return {
            "args": tensors if len(tensors) == 1 else [tensors],
            "kwargs": {k: argument(v) for k, v in kwargs.items()},
        }

    return [
        {**x, "inbound_nodes": [call(c) for c in x.get("inbound_nodes", [])]}
        for x in layers
    ]


def _references(refs: Any, models: frozenset[str]) -> Any:
    if isinstance(refs, dict):
        return {k: _references(v, models) for k, v in refs.items()}
    if refs and isinstance(refs[0], str):
        # As in Keras 3, the definition of a functional model counts, but unlike there
        # that of a sequential one does too.
        return [refs[0], refs[1] - (refs[0] in models), refs[2]]
    found = [_references(r, models) for r in refs]
    return found[0] if len(found) == 1 else found


# -- weights ---------------------------------------------------------------------


def restore_legacy_weights(
    model: Any,
    tree: Hdf5Tree,
    what: str,
    *,
    by_name: bool = False,
    skip_mismatch: bool = False,
) -> LoadReport:
    """Give a model the weights of a file, all or none.

    Args:
        model: A built model.
        tree: What the file holds.
        what: Names it in messages.
        by_name: Whether only layers of equal name get weights. Otherwise the names
            must agree, or else number and order of the layers with weights.
        skip_mismatch: Whether layers whose weights do not fit are left as they are.

    Returns:
        The names of the layers that got weights, and of the others.

    Raises:
        ShapeError: If layers or shapes do not fit; the model is as before then.
    """
    report = LoadReport()
    fitting = []
    pairs = _pairs(model, tree, what, by_name=by_name)
    for name, variables, arrays in pairs:
        shapes = [v.shape for v in variables], [a.shape for a in arrays.values()]
        if shapes[0] == shapes[1]:
            fitting.append((variables, arrays.values()))
            report.loaded.append(name)
            continue
        reason = (
            f"The layer {name!r} has weights of the shapes {shapes[0]}, but {what} "
            f"holds {shapes[1]} for it."
        )
        if not skip_mismatch:
            raise ShapeError(reason)
        report.skipped[name] = reason
    if by_name:
        named = {name for name, _, _ in pairs}
        for layer in model.layers:
            if layer.name not in named and _weights_of(layer):
                report.skipped[layer.name] = NO_SUCH_NAME
        report.unused = [name for name in _stored(tree, what) if name not in named]
    values = [[a.read() for a in arrays] for _, arrays in fitting]
    for (variables, _), read in zip(fitting, values, strict=True):
        for variable, array in zip(variables, read, strict=True):
            variable.assign(array)
    return report


def legacy_names(model: Any, tree: Hdf5Tree, what: str) -> dict[int, str]:
    """Return what a file calls the weights of a model, by the id of the variable."""
    return {
        id(variable): name.partition(":")[0]
        for _, variables, arrays in _pairs(model, tree, what)
        for variable, name in zip(variables, arrays, strict=True)
    }


def _pairs(
    model: Any, tree: Hdf5Tree, what: str, *, by_name: bool = False
) -> list[tuple[str, list[Any], dict[str, Hdf5Array]]]:
    """Return the layers that get weights: their names, variables and arrays."""
    stored = _stored(tree, what)
    own = {layer.name: _weights_of(layer) for layer in model.layers}
    own = {name: weights for name, weights in own.items() if weights}
    if by_name or own.keys() == stored.keys():
        return [(n, own[n], stored[n]) for n in stored if n in own]
    if len(own) != len(stored):
        raise ShapeError(
            f"{what} holds weights of {len(stored)} layers, but the model "
            f"{model.name!r} has {len(own)} layers with weights. Use by_name=True "
            "to load those of equal name."
        )
    return [
        (name, own[name], arrays)
        for name, arrays in zip(own, stored.values(), strict=True)
    ]


def _weights_of(layer: Any) -> list[Any]:
    """Return the weights of a layer in Keras 2's order: trainable ones first."""
    weights = layer.weights if layer.built else []
    return [v for v in weights if v.trainable] + [v for v in weights if not v.trainable]


def _stored(tree: Hdf5Tree, what: str) -> dict[str, dict[str, Hdf5Array]]:
    """Return the arrays by name of the layers that have some, in their order."""
    root = _WEIGHTS if _WEIGHTS in tree.groups else ""
    within = functools.partial(_join, root)
    found: dict[str, dict[str, Hdf5Array]] = {}
    for layer in names_in(tree.groups[root], "layer_names"):
        group = within(layer)
        names = names_in(tree.groups.get(group, {}), "weight_names")
        missing = [n for n in names if _join(group, n) not in tree.arrays]
        if missing:
            raise DataError(f"{what} lacks the array {missing[0]!r} of {layer!r}.")
        if names:
            found[layer] = {n: tree.arrays[_join(group, n)] for n in names}
    return found


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def names_in(attributes: Mapping[str, Any], key: str) -> list[str]:
    """Return a list of names, which Keras splits where it is long."""
    whole = attributes.get(key)
    if isinstance(whole, list):
        return [str(n) for n in whole]
    found: list[str] = []
    part = 0
    while isinstance(attributes.get(f"{key}{part}"), list):
        found += [str(n) for n in attributes[f"{key}{part}"]]
        part += 1
    return found
