"""Shapes of symbolic results, without a second definition of anything.

The code is run twice by the abstract evaluator, with two stand-ins for every
unknown size; the sizes of the results that differ are unknown. Where no unknown size
is left in a result, it may have lost a comparison with a known one (the diagonal of a
matrix, the factors of a decomposition): a third run with a small size tells.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from polykeras import tree
from polykeras.backend import current_backend, engine_scope
from polykeras.errors import PolykerasError, ShapeError
from polykeras.ops._abstract import AbstractEngine, Spec
from polykeras.state import StateScope
from polykeras.symbolic._keras_tensor import KerasTensor

__all__ = ["SymbolicScope", "infer"]

# Composite, so that they divide by strides, block sizes and group counts; large,
# so that windows fit; and unlikely as a real size.
_STAND_INS: Final = (5040, 10080)
_STAND_IN: Final = re.compile(r"\b(5040|10080)\b")


def infer(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the results of `fn` on symbolic tensors, as symbolic tensors.

    Args:
        fn: Code made of ops; it may read variables and assign them, without effect.
        args: Structures with `KerasTensor` in place of tensors.
        kwargs: The same.

    Returns:
        What `fn` returns, with `KerasTensor` (without history) for tensors.

    Raises:
        ShapeError: If shapes do not fit, as the eager call would.
        ArgumentError: If `fn` uses symbolic tensors that are not among its arguments.
    """
    leaves = tree.flatten_leaves((args, kwargs))[0]
    shapes = [x.shape for x in leaves if isinstance(x, KerasTensor)]
    if not any(None in shape for shape in shapes):
        return tree.map_leaves(_symbolic, _run(fn, args, kwargs, _STAND_INS[0]))
    try:
        return _infer_unknown(fn, args, kwargs)
    except ShapeError as error:
        # An unknown size may still be that of another tensor it meets.
        for size in sorted({n for s in shapes for n in s[1:] if n and n > 1}):
            try:
                return _infer_unknown(fn, args, kwargs, inner=size)
            except ShapeError:
                continue
        raise type(error)(_STAND_IN.sub("None", str(error))) from None


def _infer_unknown(
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    inner: int | None = None,
) -> Any:
    first, second = (_run(fn, args, kwargs, size, inner) for size in _STAND_INS)
    if tree.flatten_leaves(first)[1] != tree.flatten_leaves(second)[1]:
        raise ShapeError(
            "The number of results depends on a size that is unknown. Give that size "
            "in the shape of the Input."
        )
    merged = tree.map_leaves(_merge, first, second)
    if not any(map(_lost, tree.flatten_leaves(merged)[0])):
        return merged
    try:
        small = tree.map_leaves(_symbolic, _run(fn, args, kwargs, 1, inner and 1))
        return tree.map_leaves(_merge, merged, small)
    except PolykerasError:
        return merged  # the code works for larger sizes only


def _lost(x: Any) -> bool:
    return isinstance(x, KerasTensor) and bool(x.shape) and None not in x.shape


def _run(
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    size: int,
    inner: int | None = None,
) -> Any:
    def stand_in(x: Any) -> Any:
        if not isinstance(x, KerasTensor):
            return x
        # The first axis counts samples, whose number meets no other size.
        unknown = [size, *[inner or size] * (len(x.shape) - 1)]
        sizes = zip(x.shape, unknown, strict=False)
        return Spec(tuple(u if n is None else n for n, u in sizes), x.dtype)

    args, kwargs = tree.map_leaves(stand_in, (args, kwargs))
    engine = AbstractEngine(current_backend())
    with engine_scope(engine), StateScope()():
        results = fn(*args, **kwargs)
    for x in tree.flatten_leaves(results)[0]:
        if isinstance(x, KerasTensor):
            raise x.from_outside()
    return results


def _symbolic(x: Any) -> Any:
    return KerasTensor(x.shape, x.dtype) if isinstance(x, Spec) else x


def _merge(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int):
        return a if a == b else None
    if not isinstance(a, Spec | KerasTensor):
        return a
    if len(a.shape) != len(b.shape):
        raise ShapeError(
            "The number of axes of a result depends on a size that is unknown. Give "
            "that size in the shape of the Input."
        )
    shape = tuple(m if m == n else None for m, n in zip(a.shape, b.shape, strict=True))
    return KerasTensor(shape, a.dtype)


class SymbolicScope:
    """Compute shapes and dtypes only, in a block; variables keep their values.

    >>> import polykeras as keras
    >>> with keras.SymbolicScope():
    ...     keras.ops.matmul(keras.ops.ones((2, 3)), keras.ops.ones((3, 4)))
    float32[2, 4]
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take no settings; arguments are accepted as Keras accepts them."""
        self._entered: list[ExitStack] = []

    def __enter__(self) -> SymbolicScope:
        """Enter the scope."""
        with ExitStack() as stack:
            stack.enter_context(engine_scope(AbstractEngine(current_backend())))
            stack.enter_context(StateScope()())
            self._entered.append(stack.pop_all())
        return self

    def __exit__(self, *error: Any) -> None:
        """Leave the scope."""
        self._entered.pop().__exit__(*error)
