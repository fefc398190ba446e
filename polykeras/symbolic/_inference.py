"""Shapes of symbolic results, without a second definition of anything.

The code is run twice by the abstract evaluator, with two stand-ins for every
unknown size; the sizes of the results that differ are unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from polykeras import tree
from polykeras.backend import current_backend, engine_scope
from polykeras.ops._abstract import AbstractEngine, Spec
from polykeras.state import StateScope
from polykeras.symbolic._keras_tensor import KerasTensor

__all__ = ["SymbolicScope", "infer"]

# Composite, so that they divide by strides, block sizes and group counts; large,
# so that windows fit; and unlikely as a real size.
_STAND_INS: Final = (5040, 10080)


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
    unknown = any(
        isinstance(x, KerasTensor) and None in x.shape
        for x in tree.flatten_leaves((args, kwargs))[0]
    )
    first = _run(fn, args, kwargs, _STAND_INS[0])
    if not unknown:
        return tree.map_leaves(_symbolic, first)
    second = _run(fn, args, kwargs, _STAND_INS[1])
    return tree.map_leaves(_merge, first, second)


def _run(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], size: int
) -> Any:
    def stand_in(x: Any) -> Any:
        if isinstance(x, KerasTensor):
            return Spec(tuple(size if n is None else n for n in x.shape), x.dtype)
        return x

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
    if not isinstance(a, Spec):
        return a
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
