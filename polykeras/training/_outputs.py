"""Match losses, metrics, targets and weights with the outputs of a model."""

from __future__ import annotations

from typing import Any

from polykeras import tree
from polykeras.errors import ArgumentError, nearest

__all__ = ["by_output", "names_of_outputs"]


def names_of_outputs(y_pred: Any, known: list[str] | None = None) -> list[str]:
    """Return a name for each output, in the order of the leaves.

    Args:
        y_pred: The outputs: a tensor, or a structure of them.
        known: The names that the model gives its outputs.
    """
    if isinstance(y_pred, dict):
        return [".".join(map(str, path)) for path, _ in tree.flatten_with_path(y_pred)]
    count = len(tree.flatten(y_pred))
    if known is not None and len(known) == count:
        return known
    return [f"output_{i}" for i in range(count)]


def by_output(given: Any, names: list[str], what: str, *, repeat: bool) -> list[Any]:
    """Return one entry for each output.

    Args:
        given: One entry, or a list or dict of entries.
        names: Names of the outputs.
        what: For messages.
        repeat: Whether a single entry serves all outputs.

    Raises:
        ArgumentError: If the number or the names do not fit.
    """
    count = len(names)
    if given is None:
        return [None] * count
    if isinstance(given, dict):
        unknown = sorted(set(given) - set(names))
        if unknown:
            raise ArgumentError(
                f"{what} has the key {unknown[0]!r}, but the outputs of the model are "
                f"{names}. {nearest(unknown[0], names)}"
            )
        return [given.get(name) for name in names]
    if isinstance(given, list | tuple):
        if count == 1 and len(given) != 1:
            return [given]
        if len(given) != count:
            raise ArgumentError(
                f"{what} has {len(given)} entries, but the model has {count} outputs "
                f"{names}."
            )
        return list(given)
    if count == 1 or repeat:
        return [given] * count
    shown = "tensor" if hasattr(given, "shape") else f"value, {given!r}"
    raise ArgumentError(
        f"{what} is a single {shown}, but the model has {count} outputs "
        f"{names}. Pass a list or a dict."
    )
