"""A model's state as nested dicts of values, for checkpoints of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from polykeras.errors import ArgumentError, nearest

if TYPE_CHECKING:
    from polykeras.models.model import Model
    from polykeras.variables import Variable

__all__ = ["get_state_tree", "set_state_tree"]

_FORMATS: Final = ("backend_tensor", "numpy_array")


def get_state_tree(model: Model, value_format: str) -> dict[str, Any]:
    """Return what `Model.get_state_tree` promises."""
    if value_format not in _FORMATS:
        raise ArgumentError(
            f"Unknown value_format {value_format!r}. {nearest(value_format, _FORMATS)}"
        )
    return {
        part: _nested(variables, as_numpy=value_format == "numpy_array")
        for part, variables in _parts(model)
    }


def set_state_tree(model: Model, state_tree: dict[str, Any]) -> None:
    """Do what `Model.set_state_tree` promises: all or nothing."""
    known = dict(_parts(model))
    found: list[tuple[Variable, Any]] = []
    for part, values in state_tree.items():
        if part not in known:
            raise ArgumentError(f"Unknown part {part!r}. {nearest(part, known)}")
        by_path = {tuple(v.path.split("/")): v for v in known[part]}
        for path, value in _leaves(values):
            if path not in by_path:
                paths = ["/".join(p) for p in by_path]
                raise ArgumentError(
                    f"The {part} of {model.name!r} hold no {'/'.join(path)!r}. "
                    f"{nearest('/'.join(path), paths)}"
                )
            variable = by_path[path]
            if tuple(value.shape) != variable.shape:
                raise ArgumentError(
                    f"The variable {variable.path!r} has the shape {variable.shape}, "
                    f"got a value of shape {tuple(value.shape)}."
                )
            found.append((variable, value))
    for variable, value in found:
        variable.assign(value)


def _parts(model: Model) -> Iterator[tuple[str, list[Variable]]]:
    yield "trainable_variables", model.trainable_variables
    yield "non_trainable_variables", model.non_trainable_variables
    optimizer = model.optimizer
    yield "optimizer_variables", [] if optimizer is None else optimizer.variables
    yield "metrics_variables", model.metrics_variables


def _nested(variables: list[Variable], *, as_numpy: bool) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for v in variables:
        *parents, name = v.path.split("/")
        place = tree
        for parent in parents:
            place = place.setdefault(parent, {})
        if name in place:
            raise ArgumentError(
                f"Two variables have the path {v.path!r}. Give their layers names of "
                "their own, so that the state can be told apart."
            )
        place[name] = v.numpy() if as_numpy else v.value
    return tree


def _leaves(
    tree: dict[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, name))
        else:
            yield (*path, name), value
