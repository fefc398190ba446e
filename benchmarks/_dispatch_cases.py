"""The calls whose dispatch is timed, on tiny tensors of each library."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["OPS", "front_end_calls", "measure", "raw_calls"]

OPS = ("exp", "add", "scale", "matmul", "sum", "relu")
_ROUNDS = 31
_CALLS = 400


def raw_calls(engine: str) -> dict[str, tuple[Callable[..., Any], tuple[Any, ...]]]:
    """Return for each op the library's own call and its arguments, 4 by 4 floats."""
    if engine == "numpy":
        return _of_numpy()
    return _of_torch() if engine == "torch" else _of_jax()


def front_end_calls() -> dict[str, Callable[..., Any]]:
    """Return for each op the front end's call, for the arguments of `raw_calls`."""
    from polykeras import ops

    calls = {name: getattr(ops, name) for name in OPS if name != "scale"}
    return {
        **calls,
        "scale": lambda x: ops.multiply(x, 2.0),
        "sum": lambda x: ops.sum(x, axis=1),
    }


def _of_numpy() -> dict[str, Any]:
    import numpy as np

    x = np.ones((4, 4), np.float32)
    zero = np.float32(0)
    return {
        "exp": (np.exp, (x,)),
        "add": (np.add, (x, x)),
        "scale": (lambda a: np.multiply(a, 2.0), (x,)),
        "matmul": (np.matmul, (x, x)),
        "sum": (lambda a: np.add.reduce(a, 1), (x,)),
        "relu": (lambda a: np.maximum(a, zero), (x,)),
    }


def _of_torch() -> dict[str, Any]:
    import torch

    x = torch.ones((4, 4))
    return {
        "exp": (torch.exp, (x,)),
        "add": (torch.add, (x, x)),
        "scale": (lambda a: torch.mul(a, 2.0), (x,)),
        "matmul": (torch.matmul, (x, x)),
        "sum": (lambda a: torch.sum(a, 1), (x,)),
        "relu": (torch.relu, (x,)),
    }


def _of_jax() -> dict[str, Any]:
    import jax
    import jax.numpy as jnp

    x = jnp.ones((4, 4), "float32")
    return {
        "exp": (jnp.exp, (x,)),
        "add": (jnp.add, (x, x)),
        "scale": (lambda a: jnp.multiply(a, 2.0), (x,)),
        "matmul": (jnp.matmul, (x, x)),
        "sum": (lambda a: jnp.sum(a, 1), (x,)),
        "relu": (jax.nn.relu, (x,)),
    }


def measure(
    wrapped: Mapping[str, Callable[..., Any]], raw: Mapping[str, Any]
) -> dict[str, list[float]]:
    """Return op name to nanoseconds of CPU time ``[wrapped, raw]``, by turns.

    Args:
        wrapped: The front end's functions, called with the arguments of `raw`.
        raw: What `raw_calls` returned.
    """
    return {
        name: _by_turns(wrapped[name], call, args) for name, (call, args) in raw.items()
    }


def _by_turns(
    front: Callable[..., Any], call: Callable[..., Any], args: tuple[Any, ...]
) -> list[float]:
    samples: list[list[float]] = [[], []]
    for k in range(_ROUNDS + 1):
        for i, fn in enumerate((front, call)):
            spent = _once(fn, args)
            if k:
                samples[i].append(spent)
    return [statistics.median(s) for s in samples]


def _once(fn: Callable[..., Any], args: tuple[Any, ...]) -> float:
    start = time.process_time_ns()
    for _ in range(_CALLS):
        fn(*args)
    return (time.process_time_ns() - start) / _CALLS
