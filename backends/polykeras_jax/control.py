"""Kernels of the domain control: JAX's own loops, which can be compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import jax
import numpy as np
from jax import lax

if TYPE_CHECKING:
    from polykeras.backend import Kernel

__all__ = ["KERNELS"]

Function = Callable[..., Any]
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
    return lax.cond(pred.astype(np.bool_), true_fn, false_fn)


def _as_predicate(x: Any) -> Any:
    return np.bool_(x) if isinstance(x, bool) else x.astype(np.bool_)


def _while_loop(
    cond: Function, body: Function, loop_vars: Any, maximum_iterations: int | None
) -> Any:
    with _wide_if(loop_vars):
        if maximum_iterations is None:
            return lax.while_loop(lambda c: _as_predicate(cond(c)), body, loop_vars)

        # A loop of known length can be differentiated in reverse.
        def step(carry: Any, _: None) -> tuple[Any, None]:
            goes_on = _as_predicate(cond(carry))
            return lax.cond(goes_on, body, lambda c: c, carry), None

        return lax.scan(step, loop_vars, None, length=maximum_iterations)[0]


def _scan(
    f: Function, init: Any, xs: Any, length: int, reverse: bool, unroll: int
) -> tuple[Any, Any]:
    with _wide_if((init, xs)):
        carry, ys = lax.scan(f, init, xs, length, reverse, min(unroll, max(length, 1)))
        return carry, ys


KERNELS: Final[dict[str, Kernel]] = {
    "cond": _cond,
    "scan": _scan,
    "while_loop": _while_loop,
}
