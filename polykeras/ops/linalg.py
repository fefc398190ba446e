"""The namespace of linear algebra, named as in Keras."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from polykeras import tree
from polykeras.errors import ArgumentError
from polykeras.ops.factorizations import cholesky, eig, eigh, lu_factor, qr, svd
from polykeras.ops.norms import norm
from polykeras.ops.solvers import (
    cholesky_inverse,
    det,
    inv,
    lstsq,
    matrix_rank,
    pinv,
    solve,
    solve_triangular,
)

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "det",
    "eig",
    "eigh",
    "inv",
    "jvp",
    "lstsq",
    "lu_factor",
    "matrix_rank",
    "norm",
    "pinv",
    "qr",
    "solve",
    "solve_triangular",
    "svd",
]


def jvp(
    fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False
) -> tuple[Any, ...]:
    """Return a function's value and its derivative in one direction.

    The pullback is linear in its cotangents, so the derivative of the pullback is
    the derivative in the direction: two reverse passes, on every backend.

    Args:
        fun: A function of tensors, each an argument.
        primals: A list or tuple with the arguments.
        tangents: The direction: one tensor for each argument, of its shape.
        has_aux: Whether `fun` returns ``(outputs, aux)``.

    Returns:
        The outputs, their derivatives, and aux if `has_aux`.

    Raises:
        ArgumentError: If the tangents do not fit the primals.

    >>> import polykeras as keras
    >>> y, dy = keras.ops.jvp(lambda x: x * x, [3.0], [1.0])
    >>> float(y), float(dy)
    (9.0, 6.0)

    Reference: Townsend, 2017, "A new trick for calculating Jacobian vector products".
    """
    from polykeras.ops import convert_to_tensor, ones_like

    if not isinstance(primals, list | tuple) or not isinstance(tangents, list | tuple):
        raise ArgumentError(
            "polykeras.ops.jvp expected lists or tuples of primals and tangents, got "
            f"{type(primals).__name__} and {type(tangents).__name__}."
        )
    points = [convert_to_tensor(x) for x in primals]
    directions = [convert_to_tensor(x) for x in tangents]
    shapes = [tuple(x.shape) for x in points], [tuple(x.shape) for x in directions]
    if shapes[0] != shapes[1]:
        raise ArgumentError(
            f"polykeras.ops.jvp got primals of the shapes {shapes[0]} and tangents of "
            f"the shapes {shapes[1]}. They must be equal."
        )
    # Derivatives stand on ops, so they are looked up when they are needed.
    vjp = importlib.import_module("polykeras.autodiff").vjp
    kept: dict[str, Any] = {}

    def outputs_of(*xs: Any) -> Any:
        result = fun(*xs)
        if has_aux:
            result, kept["aux"] = result
        return result

    value = fun(*points)
    if has_aux:
        value, kept["aux"] = value
    aux = kept.get("aux")
    leaves, structure = tree.flatten_leaves(value)

    def pulled(*cotangents: Any) -> list[Any]:
        _, pullback = vjp(outputs_of, *points)
        found = pullback(tree.unflatten_leaves(structure, list(cotangents)))
        return list(found) if isinstance(found, list | tuple) else [found]

    _, forward = vjp(pulled, *(ones_like(x) for x in leaves))
    found = forward(directions)
    parts = list(found) if isinstance(found, list | tuple) else [found]
    derivative = tree.unflatten_leaves(structure, parts)
    return (value, derivative, aux) if has_aux else (value, derivative)
