"""Nested structures: lists, tuples, dicts, named tuples and dataclass-like nodes.

A leaf is anything that is not a container; None is a leaf, as in Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import optree

__all__ = [
    "assert_same_structure",
    "flatten",
    "flatten_leaves",
    "flatten_with_path",
    "is_nested",
    "map_leaves",
    "map_structure",
    "pack_sequence_as",
    "unflatten_leaves",
]

Structure = Any


def flatten_leaves(structure: Any) -> tuple[list[Any], Structure]:
    """Return the leaves of a nested structure and what rebuilds it."""
    return optree.tree_flatten(structure, none_is_leaf=True, namespace="polykeras")


def unflatten_leaves(structure: Structure, leaves: Sequence[Any]) -> Any:
    """Rebuild a nested structure from what `flatten_leaves` returned."""
    return optree.tree_unflatten(structure, leaves)


def map_leaves(fn: Callable[..., Any], structure: Any, *others: Any) -> Any:
    """Apply `fn` to the leaves of equal structures and return one structure."""
    return optree.tree_map(
        fn, structure, *others, none_is_leaf=True, namespace="polykeras"
    )


def is_nested(structure: Any) -> bool:
    """Return whether `structure` is a container rather than a leaf.

    >>> is_nested([1]), is_nested(1)
    (True, False)
    """
    return not optree.tree_is_leaf(
        structure, none_is_leaf=True, namespace="polykeras"
    )


def flatten(structure: Any) -> list[Any]:
    """Return the leaves of a nested structure, dicts in key order.

    >>> flatten({"b": 2, "a": [1, (3,)]})
    [1, 3, 2]
    """
    return flatten_leaves(structure)[0]


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """Return ``(path, leaf)`` pairs, a path being the keys and indices to a leaf."""
    paths, leaves, _ = optree.tree_flatten_with_path(
        structure, none_is_leaf=True, namespace="polykeras"
    )
    return list(zip(paths, leaves, strict=True))


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """Apply `func` to corresponding leaves of structures of equal form.

    Args:
        func: Called with one leaf of each structure.
        structures: One or more structures.
        none_is_leaf: Whether None reaches `func` or stays None.

    Returns:
        A structure of the first one's form.
    """
    if not structures:
        raise ValueError("map_structure needs at least one structure.")
    return optree.tree_map(
        func,
        structures[0],
        *structures[1:],
        none_is_leaf=none_is_leaf,
        namespace="polykeras",
    )


def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """Return the leaves `flat_sequence` in the form of `structure`.

    Raises:
        ValueError: If the numbers of leaves differ.
    """
    leaves, form = flatten_leaves(structure)
    if len(leaves) != len(flat_sequence):
        raise ValueError(
            f"The structure has {len(leaves)} leaves, but {len(flat_sequence)} "
            "values were given."
        )
    return unflatten_leaves(form, flat_sequence)


def assert_same_structure(a: Any, b: Any) -> None:
    """Check that two structures have the same form.

    Raises:
        ValueError: If they differ.
    """
    first, second = flatten_leaves(a)[1], flatten_leaves(b)[1]
    if first != second:
        raise ValueError(f"The structures differ: {first} against {second}.")
