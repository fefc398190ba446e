"""Nested structures: lists, tuples, dicts, named tuples and dataclass-like nodes.

A leaf is anything that is not a container; None is a leaf, as in Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import optree

__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_leaves",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_leaves",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
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
    return not optree.tree_is_leaf(structure, none_is_leaf=True, namespace="polykeras")


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


def map_structure(
    func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True
) -> Any:
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


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Check that two structures have the same form.

    Args:
        a: A structure.
        b: Another one.
        check_types: Kept for Keras' signature; types are always compared.

    Raises:
        ValueError: If they differ.
    """
    first, second = flatten_leaves(a)[1], flatten_leaves(b)[1]
    if first != second:
        raise ValueError(f"The structures differ: {first} against {second}.")


def assert_same_paths(a: Any, b: Any) -> None:
    """Check that the leaves of two structures lie at the same keys and indices.

    Raises:
        ValueError: If they differ.
    """
    first = [path for path, _ in flatten_with_path(a)]
    second = [path for path, _ in flatten_with_path(b)]
    if first != second:
        raise ValueError(
            f"The paths of the structures differ: {first} against {second}."
        )


class MAP_TO_NONE:  # noqa: N801 the name that Keras gives it
    """What the function of `traverse` returns for a part that is to become None."""


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Replace parts of a structure: containers and leaves.

    Args:
        func: Called with every part; returns its replacement, None to keep it (and
            look inside), or `MAP_TO_NONE`.
        structure: A structure.
        top_down: Whether a container comes before what it holds; a container that
            was replaced is not looked into.

    Returns:
        The new structure.

    >>> traverse(lambda x: x * 2 if isinstance(x, int) else None, [1, (2,)])
    [2, (4,)]
    """
    if top_down:
        replaced = func(structure)
        if replaced is not None:
            return None if replaced is MAP_TO_NONE else replaced
    if is_nested(structure):
        children, rebuild = _children(structure)
        structure = optree.tree_unflatten(
            rebuild, [traverse(func, child, top_down) for child in children]
        )
        if top_down:
            return structure
    elif top_down:
        return structure
    replaced = func(structure)
    if replaced is None:
        return structure
    return None if replaced is MAP_TO_NONE else replaced


def _children(structure: Any) -> tuple[list[Any], Structure]:
    return optree.tree_flatten(
        structure,
        is_leaf=lambda x: x is not structure,
        none_is_leaf=True,
        namespace="polykeras",
    )


def lists_to_tuples(structure: Any) -> Any:
    """Return a structure with tuples in place of its lists.

    >>> lists_to_tuples([1, {"a": [2]}])
    (1, {'a': (2,)})
    """
    return traverse(
        lambda x: tuple(x) if isinstance(x, list) else None, structure, top_down=False
    )


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """Apply `func` to each shape, a list or tuple of ints and None, in a structure.

    >>> map_shape_structure(len, {"a": (2, None), "b": [(3,)]})
    {'a': 2, 'b': [1]}
    """

    def is_shape(x: Any) -> bool:
        return isinstance(x, list | tuple) and all(
            n is None or isinstance(n, int) for n in x
        )

    return optree.tree_map(
        func, structure, is_leaf=is_shape, none_is_leaf=True, namespace="polykeras"
    )


def map_structure_up_to(
    shallow_structure: Any, func: Callable[..., Any], *structures: Any
) -> Any:
    """Apply `func` to the parts of `structures` at the leaves of a shallower one.

    Args:
        shallow_structure: Says how deep to go.
        func: Called with one part of each structure.
        structures: Structures that begin like `shallow_structure`.

    Returns:
        A structure of the form of `shallow_structure`.

    >>> map_structure_up_to([0, 0], len, [[1, 2], [3]])
    [2, 1]
    """
    form = flatten_leaves(shallow_structure)[1]
    parts = [form.flatten_up_to(structure) for structure in structures]
    return unflatten_leaves(form, list(map(func, *parts)))
