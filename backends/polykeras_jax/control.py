"""Kernels of the domain control: JAX's own loops, which can be compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import jax
import numpy as np
from jax import lax

from polykeras.backend import with_state

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

Function = Callable[..., Any]
Binder = Callable[[Function], Function]
_WIDEST: Final = 4


@contextmanager
def _wide_if(structure: Any) -> Iterator[None]:
    """Allow 64-bit dtypes while a loop is traced that carries one."""
    for x in jax.tree.leaves(structure):
        dtype = np.dtype(getattr(x, "dtype", np.bool_))
        if dtype.itemsize > _WIDEST and dtype != np.complex64:
            with jax.enable_x64(True):
                yield
            return
    yield


def _cond(pred: Any, true_fn: Function, false_fn: Function) -> Any:
    if isinstance(pred, bool):
        return true_fn() if pred else false_fn()

    def trace(bind: Binder, state: list[Any]) -> tuple[Any, list[Any]]:
        with _wide_if(state):
            result, state = lax.cond(
                pred.astype(np.bool_), bind(true_fn), bind(false_fn), state
            )
        return result, state

    return with_state(trace)


def _as_predicate(x: Any) -> Any:
    return np.bool_(x) if isinstance(x, bool) else x.astype(np.bool_)


def _while_loop(
    cond: Function, body: Function, loop_vars: Any, maximum_iterations: int | None
) -> Any:
    def trace(bind: Binder, state: list[Any]) -> tuple[Any, list[Any]]:
        looks, moves = bind(cond), bind(body)

        def goes_on(carry: Any) -> Any:
            return _as_predicate(looks(carry[1], carry[0])[0])

        def step(carry: Any) -> Any:
            return moves(carry[1], carry[0])

        with _wide_if((loop_vars, state)):
            if maximum_iterations is None:
                return lax.while_loop(goes_on, step, (loop_vars, state))

            # A loop of known length can be differentiated in reverse.
            def limited(carry: Any, _: None) -> tuple[Any, None]:
                return lax.cond(goes_on(carry), step, lambda c: c, carry), None

            first = (loop_vars, state)
            return lax.scan(limited, first, None, length=maximum_iterations)[0]

    def probe() -> object:
        with _wide_if(loop_vars):
            return jax.eval_shape(lambda c: (cond(c), body(c)), loop_vars)

    return with_state(trace, probe=probe)


def _scan(
    f: Function, init: Any, xs: Any, length: int, reverse: bool, unroll: int
) -> tuple[Any, Any]:
    def trace(bind: Binder, state: list[Any]) -> tuple[Any, list[Any]]:
        pure = bind(f)

        def step(carry: Any, x: Any) -> tuple[Any, Any]:
            (new, y), state = pure(carry[1], carry[0], x)
            return (new, state), y

        with _wide_if((init, xs, state)):
            (carry, state), ys = lax.scan(
                *(step, (init, state), xs, length, reverse),
                unroll=min(unroll, max(length, 1)),
            )
        return (carry, ys), state

    result: tuple[Any, Any] = with_state(trace)
    return result


KERNELS: Final[dict[str, Kernel]] = {
    "cond": _cond,
    "scan": _scan,
    "while_loop": _while_loop,
}
